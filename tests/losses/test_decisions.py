"""Focal loss, Dice loss, and weights of classes: accuracy, limits, bad options, PyTorch's means."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lossutils._kernels import Kernel, kernel_for
from lossutils.linear import linear_value_and_grad
from lossutils.losses import BCEWithLogitsLoss, CrossEntropyLoss, DiceLoss, FocalLoss
from lossutils.train import fit_linear, fit_linear_autograd
from tests.cases import assert_same, each, example, in_plain_numpy, linear_problem, refusal
from tests.reference import assert_accurate, logits, precisions, score_rows

GAMMAS = [0.0, 0.5, 1.0, 2.0, 5.0]
LABELS = pytest.mark.parametrize("label", [0, 1])
WEIGHT = (0.5, 2.0, 1.0)


# ---- focal loss ----------------------------------------------------------------------------------


@LABELS
@precisions
@pytest.mark.parametrize("gamma", GAMMAS)
def test_focal_loss_is_accurate_in_both_tails(dtype, label, gamma):
    """A power multiplies the rounding error of its base by the exponent."""
    z = logits(dtype)
    assert_accurate(FocalLoss(gamma), z, np.full(len(z), label), eps=6 + 2 * gamma)


@precisions
@pytest.mark.parametrize("target", [1e-3, 0.3, 0.5, 0.999])
def test_focal_loss_is_accurate_against_soft_targets(dtype, target):
    z = logits(dtype)
    assert_accurate(FocalLoss(0.5, alpha=0.3), z, np.full(len(z), target), eps=12)


def test_focal_loss_of_several_labels_is_accurate():
    z = logits(np.float64)[:222].reshape(-1, 3)
    y = np.random.default_rng(0).integers(2, size=z.shape)
    assert_accurate(FocalLoss(), z, y, eps=12)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("z", [100.0, 800.0, np.inf])
def test_focal_loss_is_finite_where_the_answer_is_right_and_linear_where_it_is_wrong(gamma, z):
    loss = FocalLoss(gamma)
    value, grad = loss.value_and_grad([z, -z, z, -z], [1, 0, 0, 1], reduction="none")
    assert (value[:2] < 1e-40).all()
    assert (value[:2] > 0).all() == (z == 100)
    assert (np.abs(grad[:2]) < 1e-40).all()
    assert_array_equal(value[2:], [z, z])
    assert_array_equal(grad[2:], [1.0, -1.0])


def test_without_gamma_it_is_binary_cross_entropy():
    z, y = np.linspace(-9, 9, 31), np.linspace(0, 1, 31)
    for left, right in zip(
        FocalLoss(0).value_and_grad(z, y), BCEWithLogitsLoss().value_and_grad(z, y), strict=True
    ):
        assert_allclose(left, right, rtol=1e-14)


def sigmoid_focal_loss(inputs, targets, alpha, gamma):
    """Compute what fvcore and torchvision compute."""
    torch = pytest.importorskip("torch")
    p = torch.sigmoid(inputs)
    ce = torch.nn.functional.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    p_t = p * targets + (1 - p) * (1 - targets)
    alpha_t = alpha * targets + (1 - alpha) * (1 - targets) if alpha >= 0 else 1
    return alpha_t * ce * (1 - p_t) ** gamma


@pytest.mark.parametrize(("alpha", "theirs"), [(None, -1), (0.25, 0.25), (1.0, 1.0), (0.0, 0.0)])
def test_it_is_torchvisions_for_labels_and_has_another_factor_between_them(alpha, theirs):
    torch = pytest.importorskip("torch")
    z = np.linspace(-6, 6, 25)
    for y, same in ((np.arange(25) % 2, True), (np.full(25, 0.3), False)):
        expected = sigmoid_focal_loss(torch.tensor(z), torch.tensor(y).double(), theirs, 2.0)
        ours = FocalLoss(2.0, alpha)(z, y, reduction="none")
        assert np.allclose(ours, expected.numpy(), rtol=1e-9) == same


def test_torchvisions_formula_has_no_gradient_where_ours_has_one():
    torch = pytest.importorskip("torch")
    z = torch.tensor([100.0, -100.0], dtype=torch.float64, requires_grad=True)
    sigmoid_focal_loss(z, torch.tensor([1.0, 0.0]), -1, 0.5).sum().backward()
    assert torch.isnan(z.grad).all()
    assert_allclose(FocalLoss(0.5).grad([100.0], [1]), [-1.5 * np.exp(-150)], rtol=1e-13)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"gamma": -0.5}, "FocalLoss: gamma must be non-negative and finite, got -0.5"),
        ({"gamma": np.inf}, "FocalLoss: gamma must be non-negative and finite, got inf"),
        ({"gamma": np.nan}, "FocalLoss: gamma must be non-negative and finite, got nan"),
        ({"alpha": -1}, "FocalLoss: alpha must lie in [0, 1] or be None, got -1"),
        ({"alpha": 1.5}, "FocalLoss: alpha must lie in [0, 1] or be None, got 1.5"),
    ],
)
def test_bad_options_of_the_focal_loss_are_refused(options, text):
    assert refusal(FocalLoss, **options) == text


# ---- Dice loss -----------------------------------------------------------------------------------


def rows_without_subnormals(dtype, K):
    """Return rows of scores; division by a small ``smooth`` would enlarge a subnormal's error."""
    rows = score_rows(dtype, K)
    tiny = np.log(np.finfo(dtype).tiny)
    return rows[~((rows < tiny) & (rows > 1.1 * tiny)).any(axis=1)]


@precisions
@pytest.mark.parametrize("smooth", [0.0, 1e-5, 1.0])
@pytest.mark.parametrize("K", [2, 5])
def test_dice_loss_is_accurate(dtype, smooth, K):
    z = rows_without_subnormals(dtype, K)
    y = np.random.default_rng(0).integers(2, size=z.shape)
    assert_accurate(DiceLoss(smooth), z, y, eps=10)


@pytest.mark.parametrize("smooth", [1e-5, 1.0])
def test_dice_loss_is_accurate_for_full_and_empty_masks(smooth):
    z = rows_without_subnormals(np.float64, 2)
    for label in (0, 1):
        assert_accurate(DiceLoss(smooth), z, np.full(z.shape, label), eps=10)


def test_dice_loss_is_accurate_against_soft_masks():
    """As far as can be: for a soft mask the gradient changes its sign somewhere."""
    z = np.random.default_rng(0).normal(scale=9, size=(100, 3))
    y = np.random.default_rng(1).uniform(size=z.shape)
    assert_accurate(DiceLoss(), z, y, eps=200)


@pytest.mark.parametrize("z", [-np.inf, -800.0, -9.0, 0.0, 800.0, np.inf])
def test_without_smoothing_an_empty_mask_costs_one_and_has_no_slope(z):
    loss = DiceLoss(smooth=0)
    assert loss([[z, z]], [[0, 0]]) == 1.0
    assert_array_equal(loss.grad([[z, z]], [[0, 0]]), [[0.0, 0.0]])


def test_infinite_scores_give_the_limit():
    z = [[np.inf, -np.inf], [-np.inf, -np.inf], [-np.inf, np.inf], [-np.inf, -np.inf]]
    value, grad = DiceLoss().value_and_grad(z, [[1, 0], [1, 0], [1, 0], [0, 0]], reduction="none")
    assert_allclose(value, [0, 1 - 1 / 2, 1 - 1 / 3, 0], atol=1e-15)
    assert_array_equal(grad, np.zeros((4, 2)))


def test_a_small_object_weighs_as_much_as_a_large_one():
    missed = np.full((2, 1000), -9.0)
    masks = np.zeros((2, 1000))
    masks[0, :10], masks[1, :500] = 1, 1
    by_dice = DiceLoss(smooth=0)(missed, masks, reduction="none")
    by_pixel = BCEWithLogitsLoss()(missed, masks, reduction="none")
    assert by_dice[0] > 0.99
    assert by_dice[1] > 0.99
    assert by_pixel[1] > 40 * by_pixel[0]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"scores": [0.5, 0.2, 0.3]}, "scores must have shape (m, K), got (3,)"),
        (
            {"scores": np.zeros((3, 0))},
            "the batch is empty (scores have shape (3, 0)); "
            "a mean over no example is undefined, so skip empty batches",
        ),
        (
            {"targets": [1.0, 0.0, 1.0]},
            "scores have shape (3, 3) but targets have shape (3,); "
            "nothing broadcasts, so give one target for each score",
        ),
        (
            {"targets": [[0, 255, 0]] * 3},
            "targets must lie in [0, 1], got values from 0 to 255; "
            "labels in {-1, +1} become {0, 1} with (targets + 1) / 2",
        ),
    ],
)
def test_bad_masks_are_refused_with_the_remedy(change, text):
    scores, targets = example(DiceLoss())
    arguments = {"scores": scores, "targets": targets, **change}
    for call in (DiceLoss(), DiceLoss().grad):
        assert refusal(call, **arguments) == f"DiceLoss: {text}"


@pytest.mark.parametrize("smooth", [-1e-9, np.inf, np.nan])
def test_a_bad_smooth_is_refused(smooth):
    expected = f"DiceLoss: smooth must be non-negative and finite, got {smooth}"
    assert refusal(DiceLoss, smooth=smooth) == expected


# ---- weights of classes --------------------------------------------------------------------------

WEIGHTED = [
    BCEWithLogitsLoss(pos_weight=3.0),
    CrossEntropyLoss(weight=WEIGHT),
    CrossEntropyLoss(label_smoothing=0.1, weight=WEIGHT),
]


@LABELS
@precisions
@pytest.mark.parametrize("pos_weight", [1e-9, 0.1, 3.0])
def test_pos_weight_keeps_the_accuracy_in_the_tail(dtype, label, pos_weight):
    z = logits(dtype)
    assert_accurate(BCEWithLogitsLoss(pos_weight), z, np.full(len(z), label), eps=4)


def test_pos_weight_for_each_label():
    z = logits(np.float64)[:222].reshape(-1, 3)
    y = np.random.default_rng(0).integers(2, size=z.shape)
    assert_accurate(BCEWithLogitsLoss((0.25, 3.0, 19.0)), z, y, eps=6)
    assert_accurate(BCEWithLogitsLoss(7.0), z, np.full(z.shape, 0.3), eps=8)


@precisions
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_class_weights_keep_the_accuracy(dtype, smoothing):
    s = score_rows(dtype, 3)
    labels = np.random.default_rng(0).integers(3, size=len(s))
    loss = CrossEntropyLoss(smoothing, weight=WEIGHT)
    assert_accurate(loss, s, labels, eps=8 if smoothing == 0 else 40)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("kind", ["labels", "probabilities"])
def test_class_weights_reduce_as_in_pytorch(reduction, smoothing, kind):
    """The mean divides by the weights of the labels, and for probabilities by their number."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    s, y = rng.normal(size=(7, 3)), rng.integers(3, size=7)
    y = y if kind == "labels" else rng.dirichlet(np.ones(3), size=7)
    options = {"label_smoothing": smoothing, "reduction": reduction}
    theirs = torch.nn.CrossEntropyLoss(weight=torch.tensor(WEIGHT).double(), **options)
    scores = torch.tensor(s, requires_grad=True)
    expected = theirs(scores, torch.tensor(y))
    expected.sum().backward()
    value, grad = CrossEntropyLoss(smoothing, WEIGHT).value_and_grad(s, y, reduction=reduction)
    assert_allclose(value, expected.detach(), rtol=1e-14)
    assert_allclose(grad, scores.grad, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("pos_weight", [3.0, (0.5, 2.0, 1.0)])
def test_pos_weight_reduces_as_in_pytorch(reduction, pos_weight):
    """The mean divides by the number of examples, whatever the weights."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    s, y = rng.normal(size=(7, 3)), rng.integers(2, size=(7, 3))
    weights = torch.tensor(pos_weight).double()
    theirs = torch.nn.BCEWithLogitsLoss(pos_weight=weights, reduction=reduction)
    value = BCEWithLogitsLoss(pos_weight)(s, y, reduction=reduction)
    expected = theirs(torch.tensor(s), torch.tensor(y).double()).numpy()
    if reduction != "mean":  # PyTorch keeps the labels of an example apart
        expected = expected.mean(axis=1) if reduction == "none" else expected / 3
    assert_allclose(value, expected, rtol=1e-14)


def test_in_a_mean_over_one_label_its_weight_cancels():
    assert CrossEntropyLoss(weight=WEIGHT)([[1.0, 2.0, 3.0]], [1]) == pytest.approx(
        CrossEntropyLoss()([[1.0, 2.0, 3.0]], [1]), rel=1e-15
    )
    assert BCEWithLogitsLoss(3.0)([0.5], [1]) == 3 * BCEWithLogitsLoss()([0.5], [1])


def test_the_mean_divides_by_class_weights_times_sample_weights():
    s, y, w = np.eye(4, 3), np.array([0, 1, 1, 2]), np.array([1.0, 0.0, 2.0, 3.0])
    each_one = CrossEntropyLoss()(s, y, reduction="none")
    counts = w * np.take(WEIGHT, y)
    expected = (counts * each_one).sum() / counts.sum()
    assert CrossEntropyLoss(weight=WEIGHT)(s, y, sample_weight=w) == pytest.approx(expected)


@each(WEIGHTED)
@pytest.mark.parametrize("weights", [None, np.array([0.0, 1.0, 2.0, 0.5] * 50)])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_blocks_and_chunks_divide_by_the_same_sum(loss, weights, n_threads):
    problem = linear_problem(loss, m=200)
    plain = in_plain_numpy(loss, *problem, sample_weight=weights)
    options = {"sample_weight": weights, "block_rows": 7, "n_threads": n_threads}
    assert_same(linear_value_and_grad(loss, *problem, **options), plain, rtol=1e-12)
    da = pytest.importorskip("dask.array")
    X, *rest = problem
    chunked = da.from_array(X, chunks=(31, 3))
    assert_same(linear_value_and_grad(loss, chunked, *rest, **options), plain, rtol=1e-12)


def test_rows_of_weight_zero_may_have_any_label():
    loss = CrossEntropyLoss(weight=WEIGHT)
    X, y, W, b = linear_problem(loss)
    w = np.ones(12)
    w[3] = 0
    spoilt = np.where(np.arange(12) == 3, -1, y)
    plain = in_plain_numpy(loss, X, y, W, b, sample_weight=w)
    assert_same(linear_value_and_grad(loss, X, spoilt, W, b, sample_weight=w), plain)


@each(WEIGHTED)
def test_no_kernel_computes_a_loss_with_weights(loss):
    outputs = linear_problem(loss)[2].shape[1:]
    assert type(kernel_for(loss, outputs, 5)) is Kernel
    plain = BCEWithLogitsLoss() if outputs == () else CrossEntropyLoss()
    assert type(kernel_for(plain, outputs, 5)) is not Kernel


@each(WEIGHTED)
@pytest.mark.parametrize("batch_size", [None, 5])
def test_training_by_autograd_divides_by_the_same_sum(loss, batch_size):
    pytest.importorskip("torch")
    X, y, *_ = linear_problem(loss, m=40)
    options = {"lr": 0.3, "steps": 20, "batch_size": batch_size, "l2": 0.1}
    ours, theirs = fit_linear(loss, X, y, **options), fit_linear_autograd(loss, X, y, **options)
    assert_allclose(ours.W, theirs.W, rtol=1e-12, atol=1e-15)
    assert_allclose(ours.history.loss, theirs.history.loss, rtol=1e-12)


def test_a_model_has_as_many_scores_as_there_are_weights():
    loss = CrossEntropyLoss(weight=(1.0, 2.0, 3.0, 4.0))
    assert loss.score_shape([0, 1]) == (2, 4)
    assert fit_linear(loss, np.eye(2), [0, 1], lr=0.1, steps=1).W.shape == (2, 4)


def test_weights_become_floats_and_losses_with_equal_ones_are_equal():
    loss = CrossEntropyLoss(weight=np.array([1, 2, 3]))
    assert loss.weight == (1.0, 2.0, 3.0)
    assert loss == CrossEntropyLoss(weight=[1, 2, 3])
    assert hash(loss) == hash(CrossEntropyLoss(weight=(1, 2, 3)))
    assert BCEWithLogitsLoss(pos_weight=np.float32(2)).pos_weight == 2.0
    assert BCEWithLogitsLoss(pos_weight=[2]).pos_weight == (2.0,)


@pytest.mark.parametrize("bad", [0, -1.0, np.inf, np.nan, "2", [1, 0], [], [[1.0]], [True]])
def test_bad_weights_are_refused(bad):
    text = "must have a positive, finite number for each class, got "
    assert text in refusal(CrossEntropyLoss, weight=bad)
    assert f"BCEWithLogitsLoss: pos_weight {text}" in refusal(BCEWithLogitsLoss, pos_weight=bad)


def test_one_weight_is_needed_for_each_column():
    text = " has 2 entries, so scores must have shape (m, 2), got "
    assert refusal(CrossEntropyLoss(weight=(1, 2)), np.eye(3), [0, 1, 2]).endswith(text + "(3, 3)")
    loss = BCEWithLogitsLoss(pos_weight=(1, 2))
    assert refusal(loss, np.eye(3), np.eye(3)) == f"BCEWithLogitsLoss: pos_weight{text}(3, 3)"
    assert refusal(loss, [0.5], [1]).endswith(text + "(1,)")
