"""Loss and gradient of a linear model equal those of plain NumPy, whatever the blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from lossutils import _engine
from lossutils.linear import linear_value_and_grad
from lossutils.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    MSELoss,
)
from lossutils.verify import numerical_gradient
from tests.cases import ALL, X_LAYOUTS, assert_same, batches, each, in_plain_numpy, linear_problem

every_loss = each(ALL)
WEIGHTS = np.array([0.0, 1.0, 2.0, 0.5] * 3)


@every_loss
@pytest.mark.parametrize("block_rows", [None, 1, 5, 12, 1000])
@pytest.mark.parametrize("options", [{}, {"l2": 0.3}, {"sample_weight": WEIGHTS, "l2": 0.1}])
def test_blocks_give_the_plain_result(loss, block_rows, options):
    problem = linear_problem(loss)
    actual = linear_value_and_grad(loss, *problem, block_rows=block_rows, **options)
    assert_same(actual, in_plain_numpy(loss, *problem, **options))


@every_loss
@pytest.mark.parametrize("block_rows", [1, 2, 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_shards_of_several_blocks(loss, block_rows, weighted):
    """With 150 rows a shard has 8 or 9 rows, which are 2 to 9 blocks."""
    problem = linear_problem(loss, m=150)
    w = np.random.default_rng(0).integers(4, size=150) / 2 if weighted else None
    actual = linear_value_and_grad(loss, *problem, sample_weight=w, block_rows=block_rows)
    assert_same(actual, in_plain_numpy(loss, *problem, sample_weight=w), rtol=1e-12)


@every_loss
def test_gradient_agrees_with_finite_differences(loss):
    X, y, W, b = linear_problem(loss)
    options = {"l2": 0.2, "sample_weight": WEIGHTS}

    def value(W, b):
        return linear_value_and_grad(loss, X, y, W, b, **options)[0]

    _, dW, db = linear_value_and_grad(loss, X, y, W, b, **options)
    assert_allclose(dW, numerical_gradient(lambda t: value(t, b), W), atol=1e-8)
    assert_allclose(db, numerical_gradient(lambda t: value(W, t), b), atol=1e-8)


def test_unusual_targets_of_several_labels_go_to_the_rule():
    """Soft labels are computed by the rule, and wrong ones refused by it."""
    loss = BCEWithLogitsLoss()
    X, Y, W, b = linear_problem(loss, labels=3)
    soft = np.abs(Y - 0.25)
    assert_same(linear_value_and_grad(loss, X, soft, W, b), in_plain_numpy(loss, X, soft, W, b))
    Y[5, 1] = 2
    with pytest.raises(ValueError, match=r"targets must lie in \[0, 1\], got values from 0 to 2"):
        linear_value_and_grad(loss, X, Y, W, b)
    for narrow in (Y[:, 0], Y[:, :2]):
        with pytest.raises(ValueError, match=r"scores have shape \(12, 3\) but targets have shape"):
            linear_value_and_grad(loss, X, narrow, W, b)
    with pytest.raises(
        ValueError, match=r"scores have shape \(12,\) but targets have shape \(12, 3\)"
    ):
        linear_value_and_grad(loss, X, Y, W[:, 0], 0.0)


def test_shapes_and_types():
    value, dW, db = linear_value_and_grad(BCEWithLogitsLoss(), *linear_problem(BCEWithLogitsLoss()))
    assert (type(value), dW.shape, type(db)) == (float, (3,), float)
    value, dW, db = linear_value_and_grad(CrossEntropyLoss(), *linear_problem(CrossEntropyLoss()))
    assert (type(value), dW.shape, db.shape) == (float, (3, 3), (3,))


def test_float32_weights_give_float32_gradients():
    X, y, W, b = linear_problem(CrossEntropyLoss())
    W, b, X = (a.astype(np.float32) for a in (W, b, X))
    value, dW, db = linear_value_and_grad(CrossEntropyLoss(), X, y, W, b)
    assert dW.dtype == db.dtype == np.float32
    expected = linear_value_and_grad(
        CrossEntropyLoss(), *(a.astype(float) for a in (X,)), y, W.astype(float), b.astype(float)
    )
    assert value == expected[0]
    assert_array_equal(dW, expected[1].astype(np.float32))


def test_integers_are_accepted():
    actual = linear_value_and_grad(MSELoss(), [[1, 2], [3, 4]], [1, 2], [1, 0], 1)
    assert_same(actual, (2.5, [7.0, 10.0], 3.0))
    assert actual[1].dtype == np.float64


def test_a_memory_map_is_read_block_by_block(tmp_path):
    X, y, W, b = linear_problem(CrossEntropyLoss(), m=50)
    on_disk = np.memmap(tmp_path / "X", dtype=np.float64, mode="w+", shape=X.shape)
    on_disk[:] = X
    on_disk.flush()
    read_only = np.memmap(tmp_path / "X", dtype=np.float64, mode="r", shape=X.shape)
    actual = linear_value_and_grad(CrossEntropyLoss(), read_only, y, W, b, block_rows=7)
    assert_same(actual, linear_value_and_grad(CrossEntropyLoss(), X, y, W, b))


@pytest.mark.parametrize("left_out", [np.inf, np.nan])
@pytest.mark.parametrize("block_rows", [None, 1])
def test_weight_zero_leaves_a_row_out(left_out, block_rows):
    X, y, W, b = linear_problem(CrossEntropyLoss())
    w = np.ones(12)
    w[[0, 5]] = 0
    X[0] = left_out
    actual = linear_value_and_grad(
        CrossEntropyLoss(), X, y, W, b, sample_weight=w, block_rows=block_rows
    )
    kept = w != 0
    assert_same(actual, in_plain_numpy(CrossEntropyLoss(), X[kept], y[kept], W, b))


@every_loss
def test_layout_does_not_matter_and_inputs_are_unchanged(loss):
    X, y, W, b = linear_problem(loss)
    expected = linear_value_and_grad(loss, X, y, W, b, sample_weight=WEIGHTS, l2=0.1)
    spread = np.repeat(X, 2, axis=1)[:, ::2]
    for x, weights in ((np.asfortranarray(X), np.asfortranarray(W)), (spread, W), (X, W)):
        arrays = [np.array(a) for a in (x, y, weights, b, WEIGHTS)]
        for a in (x, y, weights):
            a.flags.writeable = False
        actual = linear_value_and_grad(loss, x, y, weights, b, sample_weight=WEIGHTS, l2=0.1)
        assert_same(actual, expected)
        for a, before in zip((x, y, weights, b, WEIGHTS), arrays, strict=True):
            assert_array_equal(a, before)


@every_loss
@given(data=st.data())
def test_random_problems_give_the_plain_result(loss, data):
    """Soft targets are included. X is the identity, so the scores are W."""
    scores, targets, options = data.draw(batches(loss))
    m, times = len(scores), data.draw(st.sampled_from([1, 2, 30]))
    X, targets = np.tile(np.eye(m), (times, 1)), np.concatenate([targets] * times)
    w = options["sample_weight"]
    options = {
        "sample_weight": None if w is None else np.tile(w, times),
        "l2": data.draw(st.sampled_from([0.0, 0.25])),
    }
    laid_out = X_LAYOUTS[data.draw(st.sampled_from(sorted(X_LAYOUTS)))](X)
    b = np.zeros(scores.shape[1:])
    actual = linear_value_and_grad(
        loss,
        laid_out,
        targets,
        scores,
        b,
        block_rows=data.draw(st.sampled_from([None, 1, 2, 3])),
        n_threads=data.draw(st.sampled_from([1, 2])),
        **options,
    )
    assert_same(actual, in_plain_numpy(loss, X, targets, scores, b, **options), rtol=1e-12)


@every_loss
@pytest.mark.parametrize("layout", X_LAYOUTS)
def test_any_layout_of_x_is_accepted(loss, layout, monkeypatch):
    X, y, W, b = linear_problem(loss, m=400)
    X = X.astype(np.float32).astype(float)
    monkeypatch.setattr(_engine, "SHARD_ROWS", 21)
    actual = linear_value_and_grad(loss, X_LAYOUTS[layout](X), y, W, b, block_rows=7)
    assert_same(actual, in_plain_numpy(loss, X, y, W, b), rtol=1e-12)


@every_loss
@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_and_more_features_than_scores(loss, n):
    """For n < K and for n >= K the matrices are multiplied in different ways."""
    X, y, W, b = linear_problem(loss, m=200, n=n)
    w = np.random.default_rng(0).integers(4, size=200) / 2
    for options in ({}, {"sample_weight": w}):
        actual = linear_value_and_grad(loss, X, y, W, b, block_rows=4, **options)
        assert_same(actual, in_plain_numpy(loss, X, y, W, b, **options), rtol=1e-12)


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_threads", [1, 2])
def test_errors_describe_all_rows_and_not_one_block(n_threads):
    X, y, W, b = linear_problem(CrossEntropyLoss(), m=50)
    options = {"block_rows": 4, "n_threads": n_threads}
    y[40] = -7
    with pytest.raises(ValueError, match="got labels from -7 to 2; labels that count from 1"):
        linear_value_and_grad(CrossEntropyLoss(), X, y, W, b, **options)
    rows = np.eye(3)[np.abs(y) % 3]
    rows[29] = [0.5, 0.75, 0.0]
    with pytest.raises(ValueError, match=r"entry of 0 and a sum of 1\.25 in row 29; non-negative"):
        linear_value_and_grad(CrossEntropyLoss(), X, rows, W, b, **options)
    with pytest.raises(ValueError, match=r"must be integer labels of shape \(50,\) or prob"):
        linear_value_and_grad(CrossEntropyLoss(), X, y.astype(float), W, b, **options)
    with pytest.raises(ValueError, match=r"scores must have shape \(m, K\), got \(50,\)"):
        linear_value_and_grad(CrossEntropyLoss(), X, y, W[:, 0], 0.0, **options)
    with pytest.raises(ValueError, match=r"targets must lie in \[0, 1\], got values from -7 to 2"):
        linear_value_and_grad(BCEWithLogitsLoss(), X, y, W[:, 0], 0.0, **options)


def test_an_error_in_the_scores_describes_their_block():
    """The targets are valid, but one score is not a probability."""
    X = np.array([[0.5], [0.25], [2.0]])
    with pytest.raises(
        ValueError, match=r"must be probabilities in \[0, 1\], got values from 2 to"
    ):
        linear_value_and_grad(BCELoss(), X, [0, 1, 1], [1.0], 0.0, block_rows=1)


X, Y, W = np.zeros((4, 2)), np.zeros(4), np.zeros(2)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"X": np.zeros(4)},
            "X must have shape (m, n) with at least one row and one column, got (4,); "
            "a single feature becomes one column with X[:, None]",
        ),
        (
            {"X": np.zeros((0, 2)), "targets": []},
            "X must have shape (m, n) with at least one row and one column, got (0, 2); "
            "a single feature becomes one column with X[:, None]",
        ),
        (
            {"targets": np.zeros(3)},
            "X has 4 rows but targets have shape (3,); give one target for each row of X",
        ),
        (
            {"targets": 1.0},
            "X has 4 rows but targets have shape (); give one target for each row of X",
        ),
        (
            {"W": np.zeros(3)},
            "W must have shape (2,) or (2, K) for X with 2 columns, got (3,)",
        ),
        (
            {"W": np.zeros((2, 2, 2))},
            "W must have shape (2,) or (2, K) for X with 2 columns, got (2, 2, 2)",
        ),
        ({"W": 1.0}, "W must have shape (2,) or (2, K) for X with 2 columns, got ()"),
        (
            {"b": [0.0]},
            "b must have shape () for W of shape (2,), got (1,); a model of one score has a "
            "scalar b",
        ),
        (
            {"W": np.zeros((2, 3))},
            "b must have shape (3,) for W of shape (2, 3), got (); a model of one score has a "
            "scalar b",
        ),
        ({"l2": -1.0}, "l2 must be non-negative and finite, got -1.0"),
        ({"l2": np.inf}, "l2 must be non-negative and finite, got inf"),
        ({"l2": np.nan}, "l2 must be non-negative and finite, got nan"),
        ({"block_rows": np.inf}, "block_rows must be a whole number of at least 1, got inf"),
        ({"block_rows": 0}, "block_rows must be a whole number of at least 1, got 0"),
        ({"n_threads": 0}, "n_threads must be a whole number of at least 1, got 0"),
        ({"n_threads": 1.5}, "n_threads must be a whole number of at least 1, got 1.5"),
        ({"block_rows": 2.5}, "block_rows must be a whole number of at least 1, got 2.5"),
        (
            {"sample_weight": [1.0]},
            "linear_value_and_grad: sample_weight must have shape (4,), one weight for each "
            "example, got (1,)",
        ),
        (
            {"sample_weight": np.zeros(4)},
            "linear_value_and_grad: sample_weight must be non-negative, finite and not all zero, "
            "got weights from 0 to 0; a weight of 0 leaves an example out",
        ),
        (
            {"X": [["a", "b"]] * 4},
            "expected real numbers, got an array of dtype <U1; "
            "convert it with np.asarray(x, dtype=float)",
        ),
        (
            {"targets": np.full(4, 2.0), "loss": BCEWithLogitsLoss()},
            "BCEWithLogitsLoss: targets must lie in [0, 1], got values from 2 to 2; "
            "labels in {-1, +1} become {0, 1} with (targets + 1) / 2",
        ),
    ],
)
def test_bad_input_is_refused(change, text):
    with pytest.raises(ValueError, match=r".") as caught:
        linear_value_and_grad(
            **{"loss": MSELoss(), "X": X, "targets": Y, "W": W, "b": 0.0, **change}
        )
    assert str(caught.value) == text
