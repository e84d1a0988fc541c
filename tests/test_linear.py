"""Loss and gradient of a linear model: whatever the blocks, what three lines of NumPy give."""

import threading
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from lossutils import linear
from lossutils.linear import linear_value_and_grad
from lossutils.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HingeLoss,
    MSELoss,
    MulticlassHingeLoss,
)
from lossutils.losses.base import Kernel
from lossutils.verify import numerical_gradient
from tests.cases import ALL, batches, each, linear_problem

every_loss = each(ALL)
WEIGHTS = np.array([0.0, 1.0, 2.0, 0.5] * 3)


def in_three_lines(loss, X, targets, W, b, l2=0.0, sample_weight=None):
    value, G = loss.value_and_grad(X @ W + b, targets, sample_weight=sample_weight)
    penalty = 0.5 * l2 * np.sum(W**2)
    return value + penalty, X.T @ G + l2 * W, G.sum(axis=0)


X_LAYOUTS = {
    "as it is": lambda X: X,
    "by columns": np.asfortranarray,
    "every second row and column": lambda X: np.repeat(np.repeat(X, 2, 0), 2, 1)[::2, ::2],
    "every second row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "backwards": lambda X: X[::-1].copy()[::-1],
    "the other byte order": lambda X: X.astype(">f8"),
    "float32": lambda X: X.astype(np.float32),
    "half of a record": lambda X: np.rec.fromarrays([X, X], names="a, b").a,
}


def assert_same(actual, expected, rtol=1e-13):
    for left, right in zip(actual, expected, strict=True):
        assert_allclose(left, right, rtol=rtol, atol=1e-15)


@every_loss
@pytest.mark.parametrize("block_rows", [None, 1, 5, 12, 1000])
@pytest.mark.parametrize("options", [{}, {"l2": 0.3}, {"sample_weight": WEIGHTS, "l2": 0.1}])
def test_blocks_give_what_three_lines_give(loss, block_rows, options):
    problem = linear_problem(loss)
    actual = linear_value_and_grad(loss, *problem, block_rows=block_rows, **options)
    assert_same(actual, in_three_lines(loss, *problem, **options))


@every_loss
@pytest.mark.parametrize("block_rows", [1, 2, 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_shards_of_several_blocks(loss, block_rows, weighted):
    """With 150 rows a shard has 8 or 9, so 2 to 9 blocks."""
    problem = linear_problem(loss, m=150)
    w = np.random.default_rng(0).integers(4, size=150) / 2 if weighted else None
    actual = linear_value_and_grad(loss, *problem, sample_weight=w, block_rows=block_rows)
    assert_same(actual, in_three_lines(loss, *problem, sample_weight=w), rtol=1e-12)


@every_loss
def test_gradient_agrees_with_finite_differences(loss):
    X, y, W, b = linear_problem(loss)
    options = {"l2": 0.2, "sample_weight": WEIGHTS}

    def value(W, b):
        return linear_value_and_grad(loss, X, y, W, b, **options)[0]

    _, dW, db = linear_value_and_grad(loss, X, y, W, b, **options)
    assert_allclose(dW, numerical_gradient(lambda t: value(t, b), W), atol=1e-8)
    assert_allclose(db, numerical_gradient(lambda t: value(W, t), b), atol=1e-8)


def test_the_rows_of_a_block_fit_in_the_cache(monkeypatch):
    """X and the scores of a block; never fewer than one row, nor more than there are."""
    X, W = np.zeros((100, 13)), np.zeros((13, 3))
    monkeypatch.setattr(linear, "BLOCK_BYTES", 8 * (13 + 3) * 30)
    assert linear._block_rows(X, W, None) == 30
    assert linear._block_rows(X, W, 40) == 40
    assert linear._block_rows(X, W, 400) == 100
    monkeypatch.setattr(linear, "BLOCK_BYTES", 1)
    assert linear._block_rows(X, W, None) == 1
    assert linear._block_rows(X, np.zeros((13, 80)), None) == 24  # three tenths of many classes
    monkeypatch.undo()
    assert linear._block_rows(X, W, None) == 100


@pytest.mark.parametrize(("K", "times"), [(2, 1), (3, 1), (4, 2), (7, 3), (8, 4), (50, 4)])
def test_with_more_scores_a_block_may_be_larger(K, times, monkeypatch):
    """Up to four times the cache; the scores themselves always take half of it at most."""
    n = 10**6  # too many for small products
    X = np.broadcast_to(0.0, (10**9, n))
    monkeypatch.setattr(linear, "BLOCK_BYTES", 8 * (n + K) * 5)
    assert linear._block_rows(X, np.zeros((n, K)), None) == times * 5
    assert linear._block_rows(X[:, :1], np.zeros((1, K)), None) == linear.BLOCK_BYTES // (16 * K)


@pytest.mark.parametrize("n", [32, 500, 10**5])
@pytest.mark.parametrize("K", [2, 10, 16])
def test_a_block_is_divided_into_small_products(n, K):
    """Within the limits of OpenBLAS, without a rest if there is more than one."""
    small = linear._rows_of_a_small_product(n, K)
    assert small * K <= 1200
    assert small * K * n <= 10**6
    assert (small + 1) * K > 1200 or (small + 1) * K * n > 10**6 - n * K
    rows = linear._block_rows(np.broadcast_to(0.0, (10**9, n)), np.zeros((n, K)), None)
    assert small == 0 or rows < small or rows % small == 0


@pytest.mark.parametrize("layout", ["as it is", "by columns", "every second row"])
@pytest.mark.parametrize("K", [2, 7, 16, 17])
@pytest.mark.parametrize("block_rows", [None, 75, 600, 601, 1300])
def test_small_products_give_what_three_lines_give(layout, K, block_rows):
    """Blocks of fewer rows than a product has (1200 / K), of whole ones, and with a rest."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1300, 40)), rng.integers(K, size=1300)
    problem = X_LAYOUTS[layout](X), y, rng.normal(size=(40, K)), rng.normal(size=K)
    actual = linear_value_and_grad(CrossEntropyLoss(), *problem, block_rows=block_rows)
    assert_same(actual, in_three_lines(CrossEntropyLoss(), *problem), rtol=1e-12)


@pytest.mark.parametrize(
    ("m", "block_rows", "rows_of_a_shard"),
    [(100, 100, 100), (1000, 7, 56), (10, 3, 3), (10**6, 3000, 6000), (10**6, 9000, 9000)],
)
def test_shards_are_whole_blocks(m, block_rows, rows_of_a_shard):
    """At least 16 of them if there are blocks enough; of more than 8,192 rows if a block is."""
    shards = linear._shards(m, block_rows)
    assert shards[0] == slice(0, rows_of_a_shard)
    assert rows_of_a_shard % block_rows == 0
    assert [s.start for s in shards[1:]] == [s.stop for s in shards[:-1]]
    assert shards[-1].stop == m
    large_sum = linear._shards(m, block_rows, linear.BLOCK_BYTES)
    assert large_sum == [slice(i, min(i + block_rows, m)) for i in range(0, m, block_rows)]


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


def test_integers_are_taken():
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


def test_the_scores_of_all_rows_never_exist_at_once():
    """The loss sees blocks alone, each row once."""
    seen = []

    class Spy(MSELoss):
        def _value(self, s, y, shared):
            seen.append(len(s))
            return super()._value(s, y, shared)

    X, y, W, b = linear_problem(MSELoss(), m=20)
    linear_value_and_grad(Spy(), X, y, W, b, block_rows=8)
    assert seen == [8, 8, 4]


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
    assert_same(actual, in_three_lines(CrossEntropyLoss(), X[kept], y[kept], W, b))


@every_loss
def test_layouts_and_nothing_is_changed(loss):
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
def test_whatever_comes_it_is_what_three_lines_give(loss, data):
    """Soft targets too. With X the identity, the scores are W."""
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
    assert_same(actual, in_three_lines(loss, X, targets, scores, b, **options), rtol=1e-12)


@every_loss
@pytest.mark.parametrize("layout", X_LAYOUTS)
def test_any_layout_of_x_will_do(loss, layout, monkeypatch):
    X, y, W, b = linear_problem(loss, m=400)
    X = X.astype(np.float32).astype(float)
    monkeypatch.setattr(linear, "SHARD_ROWS", 21)
    actual = linear_value_and_grad(loss, X_LAYOUTS[layout](X), y, W, b, block_rows=7)
    assert_same(actual, in_three_lines(loss, X, y, W, b), rtol=1e-12)


@pytest.mark.parametrize("layout", X_LAYOUTS)
def test_blocks_come_as_blas_takes_them_and_are_copied_only_if_need_be(layout):
    X = X_LAYOUTS[layout](np.ones((20, 3)))
    blocks = []

    class Spy(linear._OneScore):
        def _gradient(self, of_scores, rows_of_blocks, block, w):
            blocks.extend(block(rows) for rows in rows_of_blocks)
            return super()._gradient(of_scores, rows_of_blocks, block, w)

    walk = Spy(MSELoss(), X, np.zeros(20), np.ones(3), np.zeros(()), None, 8, 20)
    walk(slice(0, 20))
    assert [len(block) for block in blocks] == [8, 8, 4]
    for block in blocks:  # numbers side by side in a row or in a column, and none backwards
        assert block.dtype == np.float64
        assert min(block.strides) == 8
    taken = layout in ("as it is", "by columns", "every second row")
    assert all(np.shares_memory(block, X) == taken for block in blocks)


@every_loss
@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_features_than_scores_and_more(loss, n):
    """Two ways through the matrices: n < K takes one, n >= K the other."""
    X, y, W, b = linear_problem(loss, m=200, n=n)
    w = np.random.default_rng(0).integers(4, size=200) / 2
    for options in ({}, {"sample_weight": w}):
        actual = linear_value_and_grad(loss, X, y, W, b, block_rows=4, **options)
        assert_same(actual, in_three_lines(loss, X, y, W, b, **options), rtol=1e-12)


@every_loss
@pytest.mark.parametrize("weights", [None, np.tile([0.0, 1.0, 2.0, 0.5], 50)])
def test_threads_change_no_bit(loss, weights):
    X, y, W, b = linear_problem(loss, m=200)
    options = {"block_rows": 3, "sample_weight": weights}
    expected = linear_value_and_grad(loss, X, y, W, b, **options)
    for n_threads in (2, 3, 40):
        actual = linear_value_and_grad(loss, X, y, W, b, n_threads=n_threads, **options)
        for left, right in zip(actual, expected, strict=True):
            assert_array_equal(left, right)


def test_threads_share_the_shards():
    """Each shard is taken once; and with two threads two of them, at times, are under way."""
    seen, meeting = [], threading.Barrier(2, timeout=60)

    class Spy(MSELoss):
        def _value(self, s, y, shared):
            seen.append((threading.get_ident(), y[0]))
            meeting.wait()  # for the other thread: alone it would wait for ever
            return super()._value(s, y, shared)

    X, W = np.ones((32, 1)), np.ones(1)
    linear_value_and_grad(Spy(), X, np.arange(32.0), W, 0.0, block_rows=2, n_threads=2)
    assert sorted(first for _, first in seen) == list(range(0, 32, 2))
    assert len({thread for thread, _ in seen}) == 2
    assert threading.get_ident() not in {thread for thread, _ in seen}


@pytest.mark.parametrize("stopped_by", [ValueError, KeyboardInterrupt])
def test_after_an_error_or_an_interrupt_no_thread_goes_on(stopped_by, monkeypatch):
    """The 31 shards after the first would take three quarters of a second for one thread."""
    seen = []

    class Slow(MSELoss):
        def _value(self, s, y, shared):
            seen.append(y[0])
            if y[0] == 0 and stopped_by is ValueError:
                raise ValueError("enough")
            time.sleep(0.025)
            return super()._value(s, y, shared)

    def interrupted(threads):
        raise KeyboardInterrupt

    if stopped_by is KeyboardInterrupt:
        monkeypatch.setattr(linear, "as_completed", interrupted)
    X, W = np.ones((32, 1)), np.ones(1)
    with pytest.raises(stopped_by):
        linear_value_and_grad(Slow(), X, np.arange(32.0), W, 0.0, block_rows=1, n_threads=2)
    assert len(seen) < 16


def test_an_error_in_a_thread_is_raised():
    X, y, W, b = linear_problem(CrossEntropyLoss(), m=50)
    y[33] = 3
    with pytest.raises(ValueError, match="labels must be 0 to 2 for scores with 3 columns, got"):
        linear_value_and_grad(CrossEntropyLoss(), X, y, W, b, block_rows=3, n_threads=2)


# ---- the kernels ---------------------------------------------------------------------------------

LEAN = [
    BCEWithLogitsLoss(),
    CrossEntropyLoss(),
    CrossEntropyLoss(label_smoothing=0.1),
    MulticlassHingeLoss(),
    MulticlassHingeLoss(variant="weston-watkins"),
]


def forbid_plain_formulas(monkeypatch):
    def called(*args):
        raise AssertionError("the plain formulas were called")

    monkeypatch.setattr(Kernel, "gradient", called)


@each(LEAN)
def test_ordinary_numbers_do_not_need_the_plain_formulas(loss, monkeypatch):
    forbid_plain_formulas(monkeypatch)
    X, y, W, b = linear_problem(loss)
    linear_value_and_grad(loss, X, y, W, b)
    smoothing = getattr(loss, "label_smoothing", 0)
    scale = 29 if smoothing else 299
    scores = np.clip(10 * scale * (X @ W), -scale, scale)
    linear_value_and_grad(loss, np.eye(12), y, scores, np.zeros_like(b))
    monkeypatch.undo()
    actual = linear_value_and_grad(loss, np.eye(12), y, scores, np.zeros_like(b))
    assert_same(actual, in_three_lines(loss, np.eye(12), y, scores, 0.0))


INTEGERS = [np.int8, np.uint8, np.int32, np.uint64]


@pytest.mark.parametrize(
    ("loss", "dtype"),
    [(loss, dtype) for loss in LEAN for dtype in INTEGERS]
    + [(LEAN[0], np.float64), (LEAN[0], np.float32), (LEAN[0], bool)],
)
def test_labels_of_any_type(loss, dtype, monkeypatch):
    X, y, W, b = linear_problem(loss)
    expected = linear_value_and_grad(loss, X, y, W, b)
    forbid_plain_formulas(monkeypatch)
    for left, right in zip(
        linear_value_and_grad(loss, X, y.astype(dtype), W, b), expected, strict=True
    ):
        assert_array_equal(left, right)


@each([loss for loss in ALL if not isinstance(loss, BCELoss)])  # which takes probabilities
@pytest.mark.parametrize("extreme", [1e3, 1e8, 1e300])
@pytest.mark.parametrize("block_rows", [None, 5])
def test_extreme_scores_among_ordinary_ones(loss, extreme, block_rows):
    """They send a shard to the plain formulas, after its kernel has worked on it in vain."""
    X, y, W, b = linear_problem(loss)
    X[3] *= extreme
    with np.errstate(all="ignore"):
        expected = in_three_lines(loss, X, y, W, b)
    assert_same(linear_value_and_grad(loss, X, y, W, b, block_rows=block_rows), expected, 1e-12)


@every_loss
@pytest.mark.parametrize("n_threads", [1, 2])
def test_nan_in_nan_out(loss, n_threads):
    X, y, W, b = linear_problem(loss)
    X[7, 1] = np.nan
    options = {"block_rows": 2, "n_threads": n_threads}
    value, dW, _ = linear_value_and_grad(loss, X, y, W, b, **options)
    assert np.isnan(value)
    assert np.isnan(dW).any()
    X[7, 1] = 0.5
    value, _, _ = linear_value_and_grad(loss, X, y, W, b + np.nan, **options)
    assert np.isnan(value)
    weights = np.where(np.arange(12) == 4, np.nan, 1.0)
    value, _, _ = linear_value_and_grad(loss, X, y, W, b, sample_weight=weights, **options)
    assert np.isnan(value)


INF = np.inf


@pytest.mark.parametrize(
    ("loss", "b", "target", "value", "slope"),
    [
        (BCEWithLogitsLoss(), INF, 1, 0.0, 0.0),
        (BCEWithLogitsLoss(), INF, 0, INF, 1.0),
        (BCEWithLogitsLoss(), -INF, 0, 0.0, 0.0),
        (BCEWithLogitsLoss(), -INF, 1, INF, -1.0),
        (HingeLoss(), INF, 1, 0.0, 0.0),
        (HingeLoss(), INF, -1, INF, 1.0),
        (CrossEntropyLoss(), [INF, 0.0, 0.0], 0, 0.0, [0.0, 0.0, 0.0]),
        (CrossEntropyLoss(), [INF, 0.0, 0.0], 1, INF, [1.0, -1.0, 0.0]),
        (CrossEntropyLoss(), [-INF, 0.0, 0.0], 1, np.log(2), [0.0, -0.5, 0.5]),
        (CrossEntropyLoss(), [-INF, 0.0, 0.0], 0, INF, [-1.0, 0.5, 0.5]),
        (CrossEntropyLoss(), [1e8, 1e8, 0.0], 0, np.log(2), [-0.5, 0.5, 0.0]),
        (MulticlassHingeLoss(), [INF, 0.0, 0.0], 0, 0.0, [0.0, 0.0, 0.0]),
        (MulticlassHingeLoss(), [0.0, -INF, 0.0], 0, 1.0, [-1.0, 0.0, 1.0]),
        (MulticlassHingeLoss(variant="weston-watkins"), [0, -INF, 0.0], 0, 1.0, [-1.0, 0.0, 1.0]),
    ],
)
def test_infinite_scores_give_the_limit(loss, b, target, value, slope):
    """An infinite intercept, so that W and X may be 0."""
    W = np.zeros((1, *np.shape(b)))
    actual = linear_value_and_grad(loss, [[0.0]], [target], W, b)
    assert_array_equal(actual[1], np.zeros_like(W))
    assert_allclose(actual[0], value, rtol=1e-15)
    assert_array_equal(actual[2], slope)


def test_a_changed_formula_does_not_inherit_a_kernel():
    class Doubled(CrossEntropyLoss):
        def _value(self, s, y, shared):
            return 2 * super()._value(s, y, shared)

        def _gradient(self, s, y, shared):
            return 2 * super()._gradient(s, y, shared)

    class Renamed(CrossEntropyLoss):
        """With nothing changed the kernel stays."""

    problem = linear_problem(CrossEntropyLoss())
    value, dW, db = linear_value_and_grad(CrossEntropyLoss(), *problem)
    assert_same(linear_value_and_grad(Doubled(), *problem), (2 * value, 2 * dW, 2 * db))
    assert Renamed._kernel is CrossEntropyLoss._kernel


# ---- memory --------------------------------------------------------------------------------------


def peak_memory(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@each([BCEWithLogitsLoss(), CrossEntropyLoss(), CrossEntropyLoss(label_smoothing=0.1), MSELoss()])
def test_scratch_memory_does_not_grow_with_the_rows(loss, dtype):
    """100,000 rows: X has 16 MB, one-hot rows of 10 classes or all scores would have 8 MB."""
    rng = np.random.default_rng(0)
    X = rng.normal(scale=9, size=(100_000, 20)).astype(dtype)
    classes = isinstance(loss, CrossEntropyLoss)
    y = rng.integers(10 if classes else 2, size=len(X))
    W, b = (np.zeros((20, 10)), np.zeros(10)) if classes else (np.zeros(20), 0.0)
    linear_value_and_grad(loss, X[:9], y[:9], W, b)
    assert peak_memory(lambda: linear_value_and_grad(loss, X, y, W, b)) < 2 * 2**20


def test_sums_of_many_classes_are_not_piled_up():
    """W has 1.6 MB. There are it with b, a block's scores, X with ones, and two sums."""
    rng = np.random.default_rng(0)
    X, y, W = rng.normal(size=(2000, 200)), rng.integers(1000, size=2000), np.ones((200, 1000))

    def work():
        linear_value_and_grad(CrossEntropyLoss(), X, y, W, np.zeros(1000))

    assert peak_memory(work) < 8e6


def test_a_memory_map_is_never_copied_as_a_whole(tmp_path):
    X = np.memmap(tmp_path / "X", dtype=np.float32, mode="w+", shape=(100_000, 20))
    y, W = np.zeros(len(X)), np.zeros(20)
    for x in (X, X[:, ::-1], X[::2]):
        peak = peak_memory(lambda x=x: linear_value_and_grad(MSELoss(), x, y[: len(x)], W, 0.0))
        assert peak < 2 * 2**20


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_threads", [1, 2])
def test_errors_speak_of_all_rows_not_of_a_block(n_threads):
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


@pytest.mark.parametrize("wrong", [2, 3, -1, -2, 256])
@pytest.mark.parametrize("dtype", [np.int64, np.float64])
@each(LEAN)
def test_no_wrong_label_slips_past_a_kernel(loss, dtype, wrong):
    X, y, W, b = linear_problem(loss, m=20)
    y = y.astype(dtype)
    y[y == 1] = wrong
    if b.ndim and wrong == 2 and dtype == np.int64:  # a class
        assert np.isfinite(linear_value_and_grad(loss, X, y, W, b)[0])
    else:
        with pytest.raises(ValueError, match=type(loss).__name__):
            linear_value_and_grad(loss, X, y, W, b)


def test_an_error_of_the_scores_is_that_of_their_block():
    """The targets are as they should be; only the scores are no probabilities."""
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
