"""What a loss accepts, in any memory layout, and how it refuses everything else."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from lossutils import losses
from lossutils._checks import check_weights
from lossutils.losses import (
    BCEWithLogitsLoss,
    HingeLoss,
    MulticlassHingeLoss,
    SquaredHingeLoss,
)
from tests.cases import (
    ALL,
    BINARY,
    CLASS,
    COUNT,
    MULTICLASS,
    REAL,
    SIGN,
    UNIT,
    each,
    example,
    refusal,
)

every_loss = each(ALL)


def layouts_of(array):
    """Return the same numbers in several memory layouts."""
    fortran = np.asfortranarray(array)
    spread = np.repeat(array, 2, axis=-1)[..., ::2]
    backwards = array[..., ::-1].copy()[..., ::-1]
    read_only = array.copy()
    read_only.flags.writeable = False
    return fortran, spread, backwards, read_only, array.astype(array.dtype.newbyteorder()), [*array]


@every_loss
def test_memory_layout_does_not_matter_and_inputs_are_unchanged(loss):
    scores, targets = example(loss)
    weights = np.array([1.0, 0.5, 2.0])
    expected, expected_grad = loss.value_and_grad(scores, targets, sample_weight=weights)
    layouts = zip(*map(layouts_of, (scores, targets, weights)), strict=True)
    for s, y, w in layouts:
        before = [np.array(a) for a in (s, y, w)]
        value, grad = loss.value_and_grad(s, y, sample_weight=w)
        assert value == expected
        assert_array_equal(grad, expected_grad)
        for array, copy in zip((s, y, w), before, strict=True):
            assert_array_equal(array, copy)


@every_loss
def test_results_share_no_memory_with_the_inputs(loss):
    scores, targets = example(loss)
    for array in loss.value_and_grad(scores, targets, reduction="none"):
        assert not np.shares_memory(array, scores)
        assert not np.shares_memory(array, targets)


@every_loss
def test_options_are_keyword_only(loss):
    """Some readers would take a third positional argument for the weights, and others would not."""
    for call in (loss.__call__, loss.grad, loss.value_and_grad):
        kinds = [p.kind.name for p in inspect.signature(call).parameters.values()]
        assert kinds == ["POSITIONAL_OR_KEYWORD"] * 2 + ["KEYWORD_ONLY"] * 2


NOT_REAL = (
    "expected real numbers, got an array of dtype {}; convert it with np.asarray(x, dtype=float)"
)

# For every loss: bad options, or bad values for the scores, targets or weights of the example.
REFUSED_BY_ALL = [
    (
        {"reduction": "average"},
        "reduction must be 'mean', 'sum' or 'none', got 'average'",
    ),
    ({"reduction": None}, "reduction must be 'mean', 'sum' or 'none', got None"),
    ({"scores": ["a", "b", "c"]}, f"scores: {NOT_REAL.format('<U1')}"),
    ({"scores": [1j, 2, 3]}, f"scores: {NOT_REAL.format('complex128')}"),
    ({"scores": [None, 1, 2]}, f"scores: {NOT_REAL.format('object')}"),
    (
        {"sample_weight": [1.0, 2.0]},
        "sample_weight must have shape (3,), one weight for each example, got (2,)",
    ),
    (
        {"sample_weight": [[1.0, 2.0, 3.0]]},
        "sample_weight must have shape (3,), one weight for each example, got (1, 3)",
    ),
    (
        {"sample_weight": 2.0},
        "sample_weight must have shape (3,), one weight for each example, got ()",
    ),
    ({"sample_weight": ["1", "2", "3"]}, f"sample_weight: {NOT_REAL.format('<U1')}"),
    (
        {"sample_weight": [-0.5, 1.0, 2.0]},
        "sample_weight must be non-negative, finite and not all zero, got weights from -0.5 to 2; "
        "a weight of 0 leaves an example out",
    ),
    (
        {"sample_weight": [-0.5, np.nan, 2.0]},
        "sample_weight must be non-negative, finite and not all zero, got weights from -0.5 to 2; "
        "a weight of 0 leaves an example out",
    ),
    (
        {"sample_weight": [0, 0, 0]},
        "sample_weight must be non-negative, finite and not all zero, got weights from 0 to 0; "
        "a weight of 0 leaves an example out",
    ),
    (
        {"sample_weight": [1, np.inf, 1]},
        "sample_weight must be non-negative, finite and not all zero, got weights from 1 to inf; "
        "a weight of 0 leaves an example out",
    ),
    (
        {"sample_weight": [1e308, 1e308, 1]},
        "sample_weight must be non-negative, finite and not all zero, "
        "got weights from 1 to 1e+308; a weight of 0 leaves an example out",
    ),
]
RAVEL = "; one column becomes one score per example with scores[:, 0]"
EMPTY = "a mean over no example is undefined, so skip empty batches"
RESHAPE = "both the same shape with np.reshape(targets, scores.shape)"
REFUSED_BY_VECTORS = [
    ({"scores": []}, f"the batch is empty (scores have shape (0,)); {EMPTY}"),
    (
        {"targets": [[1], [1], [1]]},
        "scores have shape (3,) but targets have shape (3, 1); "
        f"nothing broadcasts, so give {RESHAPE}",
    ),
    (
        {"targets": [1, 1]},
        "scores have shape (3,) but targets have shape (2,); "
        "nothing broadcasts, so give one target for each score",
    ),
    (
        {"targets": 1},
        "scores have shape (3,) but targets have shape (); "
        "nothing broadcasts, so give one target for each score",
    ),
    ({"targets": ["0", "1", "1"]}, f"targets: {NOT_REAL.format('<U1')}"),
]
REFUSED_BY_REAL = [
    ({"scores": 0.5}, "scores must have shape (m,) or (m, K), got ()"),
    ({"scores": np.zeros((3, 1, 1))}, "scores must have shape (m,) or (m, K), got (3, 1, 1)"),
    ({"scores": []}, f"the batch is empty (scores have shape (0,)); {EMPTY}"),
    ({"scores": np.zeros((3, 0))}, f"the batch is empty (scores have shape (3, 0)); {EMPTY}"),
    (
        {"targets": [1.0, 2.0, 3.0]},
        "scores have shape (3, 3) but targets have shape (3,); "
        "nothing broadcasts, so give one target for each score",
    ),
    (
        {"scores": np.zeros((3, 1)), "targets": [1.0, 2.0, 3.0]},
        "scores have shape (3, 1) but targets have shape (3,); "
        f"nothing broadcasts, so give {RESHAPE}",
    ),
    ({"targets": [["a", "b", "c"]] * 3}, f"targets: {NOT_REAL.format('<U1')}"),
]
MINUS_ONES = "labels in {-1, +1} become {0, 1} with (targets + 1) / 2"
REFUSED_BY_UNIT = [
    (
        {"scores": np.full((3, 1), 0.5)},
        "scores have shape (3, 1) but targets have shape (3,); "
        f"nothing broadcasts, so give {RESHAPE}",
    ),
    (
        {"scores": np.full((3, 2), 0.5)},
        "scores have shape (3, 2) but targets have shape (3,); "
        "nothing broadcasts, so give one target for each score",
    ),
    (
        {"scores": np.full((3, 2), 0.5), "targets": np.eye(2, 3)},
        "scores have shape (3, 2) but targets have shape (2, 3); "
        "nothing broadcasts, so give both the same shape with targets.T",
    ),
    ({"scores": 0.5}, "scores must have shape (m,) or (m, K), got ()"),
    ({"scores": np.zeros((3, 1, 1))}, "scores must have shape (m,) or (m, K), got (3, 1, 1)"),
    (
        {"scores": np.full((3, 2), 0.5), "targets": [[0, 1], [1, 1], [2, 0]]},
        f"targets must lie in [0, 1], got values from 0 to 2; {MINUS_ONES}",
    ),
    (
        {"targets": [-1, 1, 1]},
        f"targets must lie in [0, 1], got values from -1 to 1; {MINUS_ONES}",
    ),
    (
        {"targets": [0.0, 1.0, 1.5]},
        f"targets must lie in [0, 1], got values from 0 to 1.5; {MINUS_ONES}",
    ),
    (
        {"targets": [np.nan, 1, 2]},
        f"targets must lie in [0, 1], got values from 1 to 2; {MINUS_ONES}",
    ),
]
ZERO_ONES = "labels in {0, 1} become {-1, +1} with 2 * targets - 1"
REFUSED_BY_SIGN = [
    ({"scores": np.zeros((3, 1))}, f"scores must have shape (m,), got (3, 1){RAVEL}"),
    ({"scores": 0.5}, "scores must have shape (m,), got ()"),
    ({"scores": np.zeros((3, 1, 1))}, "scores must have shape (m,), got (3, 1, 1)"),
    ({"targets": [1, 0, 0]}, f"targets must be -1 or +1, got 0; {ZERO_ONES}"),
    ({"targets": [1, -1, 0.5]}, f"targets must be -1 or +1, got 0.5; {ZERO_ONES}"),
    ({"targets": [1, np.nan, 1]}, f"targets must be -1 or +1, got nan; {ZERO_ONES}"),
    ({"targets": [True, False, True]}, f"targets must be -1 or +1, got 0; {ZERO_ONES}"),
]
FROM_ONE = "labels that count from 1 need targets - 1"
ONE_LOGIT = "for one logit per example use BCEWithLogitsLoss or HingeLoss"
REFUSED_BY_MULTICLASS = [
    ({"scores": [1.0, 2.0, 3.0]}, "scores must have shape (m, K), got (3,)"),
    ({"scores": np.zeros((3, 2, 2))}, "scores must have shape (m, K), got (3, 2, 2)"),
    ({"scores": np.zeros((0, 3))}, f"the batch is empty (scores have shape (0, 3)); {EMPTY}"),
    (
        {"scores": np.zeros((3, 1))},
        f"scores must have at least two columns, got shape (3, 1); {ONE_LOGIT}",
    ),
    (
        {"targets": [1, 2, 3]},
        f"labels must be 0 to 2 for scores with 3 columns, got labels from 1 to 3; {FROM_ONE}",
    ),
    (
        {"targets": [-1, 0, 1]},
        f"labels must be 0 to 2 for scores with 3 columns, got labels from -1 to 1; {FROM_ONE}",
    ),
]
# For labels: what came and the remedy, as in the message; what was expected depends on the loss.
REFUSED_LABELS = [
    (
        [0.0, 1.0, 2.0],
        "dtype float64 and shape (3,); whole numbers become labels with targets.astype(int)",
    ),
    (
        [True, False, True],
        "dtype bool and shape (3,); whole numbers become labels with targets.astype(int)",
    ),
    ([0, 1], "dtype int64 and shape (2,); give one label for each row of scores"),
    (1, "dtype int64 and shape (); give one label for each row of scores"),
    (
        [[0], [1], [2]],
        "dtype int64 and shape (3, 1); one column becomes labels with targets[:, 0]",
    ),
]
COUNTS = (
    "non-negative counts become probabilities with targets / targets.sum(axis=1, keepdims=True)"
)
ROWS = "each row of targets must be probabilities that sum to 1, got a smallest entry of"
REFUSED_PROBABILITIES = [
    ([[1, 0, 0], [0, 2, 0], [3, 0, 0]], f"{ROWS} 0 and a sum of 2 in row 1; {COUNTS}"),
    ([[1, 0, 0], [0, 1, 0], [-0.5, 0, 1.5]], f"{ROWS} -0.5 and a sum of 1 in row 2; {COUNTS}"),
    ([[0.5, 0.5, 2e-6]] * 3, f"{ROWS} 2e-06 and a sum of 1 in row 0; {COUNTS}"),
    ([[np.nan, -1, 1]] * 3, f"{ROWS} -1 and a sum of nan in row 0; {COUNTS}"),
    (
        [[0.5, 0.5]] * 3,
        "scores have shape (3, 3) but targets have shape (3, 2); "
        "nothing broadcasts, so give one target for each score",
    ),
    ([["1", "0", "0"]] * 3, f"targets: {NOT_REAL.format('<U1')}"),
]

CASES = [
    *[(loss, *case) for loss in ALL for case in REFUSED_BY_ALL],
    *[(loss, *case) for loss in BINARY + COUNT for case in REFUSED_BY_VECTORS],
    *[(loss, *case) for loss in REAL for case in REFUSED_BY_REAL],
    *[(loss, *case) for loss in UNIT for case in REFUSED_BY_UNIT],
    *[(loss, *case) for loss in SIGN for case in REFUSED_BY_SIGN],
    *[(loss, *case) for loss in MULTICLASS for case in REFUSED_BY_MULTICLASS],
    *[(loss, {"targets": y}, text) for loss in CLASS for y, text in REFUSED_PROBABILITIES],
    *[
        (
            loss,
            {"targets": y},
            "targets must be integer labels of shape (3,) or probabilities of shape (3, 3), "
            f"got {text}",
        )
        for loss in CLASS
        for y, text in REFUSED_LABELS
    ],
    *[
        (loss, {"targets": y}, f"targets must be integer labels of shape (3,), got {text}")
        for loss in MULTICLASS[len(CLASS) :]
        for y, text in [
            *REFUSED_LABELS,
            (
                np.eye(3),
                "dtype float64 and shape (3, 3); "
                "one-hot rows become labels with targets.argmax(axis=1)",
            ),
        ]
    ],
]


@pytest.mark.parametrize(("loss", "change", "text"), CASES)
def test_bad_input_is_refused_with_the_remedy(loss, change, text):
    scores, targets = example(loss)
    arguments = {"scores": scores, "targets": targets, **change}
    expected = f"{type(loss).__name__}: {text}"
    for call in (loss, loss.grad, loss.value_and_grad):
        assert refusal(call, **arguments) == expected


@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        (BCEWithLogitsLoss(), [0.0, 1.0]),
        (HingeLoss(), [-1.0, 1.0]),
        (HingeLoss(), np.array([-1, 1], np.int8)),
        (BCEWithLogitsLoss(), [False, True]),
    ],
)
def test_the_ends_of_a_range_are_accepted(loss, targets):
    assert np.isfinite(loss([0.5, 0.25], targets))


@each(MULTICLASS)
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_labels_may_be_of_any_integer_type(loss, dtype):
    scores, labels = example(loss)
    assert loss(scores, labels.astype(dtype)) == loss(scores, labels)


@each([loss for loss in MULTICLASS if not getattr(loss, "weight", None)])
def test_two_columns_are_enough(loss):
    assert np.isfinite(loss([[0.5, 0.25]], [1]))


@each(CLASS)
def test_probabilities_rounded_to_float32_are_accepted(loss):
    thirds = np.full((3, 3), 1 / 3, np.float32)
    assert np.isfinite(loss(np.eye(3), thirds + np.float32(2e-7)))


def test_check_weights_returns_float64():
    """The linear model relies on this."""
    assert check_weights("x", None, 3) is None
    weights = check_weights("x", np.array([1, 2, 0], np.float32), 3)
    assert weights.dtype == np.float64
    assert_array_equal(weights, [1.0, 2.0, 0.0])


def test_errors_name_the_loss_that_was_called():
    assert refusal(SquaredHingeLoss(), [1.0], [0]).startswith("SquaredHingeLoss: targets must be")
    assert refusal(MulticlassHingeLoss(), [[1.0, 2.0]], [5]).startswith("MulticlassHingeLoss: ")


@pytest.mark.parametrize(
    ("targets", "hint"),
    [
        ((3, 2), "both the same shape with targets.T"),
        ((2, 3, 1), "both the same shape with np.reshape(targets, scores.shape)"),
        ((6,), "one target for each score"),
        ((1, 6), "one target for each score"),
    ],
)
def test_a_remedy_never_mixes_examples(targets, hint):
    with pytest.raises(ValueError, match="nothing broadcasts") as caught:
        losses.MSELoss()(np.zeros((2, 3)), np.zeros(targets))
    assert str(caught.value).endswith(f"so give {hint}")


@pytest.mark.parametrize(
    ("scores", "targets", "options"),
    [
        ([1.0, np.inf], [1.0], {}),
        ([[[1.0]]], [[[1.0]]], {}),
        ([1.0], [1.0], {"sample_weight": [-1.0]}),
        ([1.0], [1.0], {"reduction": "avg"}),
    ],
)
def test_check_raises_exactly_when_the_loss_does(scores, targets, options):
    loss = losses.MSELoss()
    with pytest.raises(ValueError) as called:  # noqa: PT011
        loss(scores, targets, **options)
    with pytest.raises(ValueError) as checked:  # noqa: PT011
        loss.check(scores, targets, **options)
    assert str(checked.value) == str(called.value)
    assert loss.check([1.0], [1.0], sample_weight=[2.0], reduction="none") is None
    assert loss.check([1.0], [1.0]) is None


@pytest.mark.parametrize(
    ("targets", "shape"),
    [
        ([0, 2, 1], (3, 3)),
        ([0, 0, 0], (3, 2)),
        ([[0.5, 0.5, 0.0]], (1, 3)),
        ([[0], [1]], (2, 2)),
        ([0.0, 5.0], (2, 2)),
        (["a", "b", "c"], (3, 2)),
    ],
)
def test_score_shape_follows_the_targets_and_has_two_columns_or_more(targets, shape):
    assert losses.CrossEntropyLoss().score_shape(targets) == shape
