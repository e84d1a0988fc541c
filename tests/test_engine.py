"""Rows are summed in blocks that fit the cache, in threads, by kernels, and in little memory."""

import threading
import time
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lossutils import _engine
from lossutils._kernels import Kernel, kernel_for
from lossutils._products import OneScore, small_product_rows
from lossutils.linear import linear_value_and_grad
from lossutils.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HingeLoss,
    MSELoss,
    MulticlassHingeLoss,
)
from tests.cases import ALL, BOUNDED, X_LAYOUTS, assert_same, each, in_plain_numpy, linear_problem


def block_and_shard_rows(m, n, K, block_rows=None, block_bytes=_engine.BLOCK_BYTES):
    """Return the number of rows of a block and of a shard."""
    return _engine._plan(m, n, K, block_rows, block_bytes, _engine.SHARD_ROWS)


def test_the_rows_of_a_block_fit_in_the_cache():
    """X and the scores of a block fit; a block has at least one row and at most all of them."""
    size = 8 * (13 + 3) * 30
    assert block_and_shard_rows(100, 13, 3, block_bytes=size)[0] == 30
    assert block_and_shard_rows(100, 13, 3, 40, size)[0] == 40
    assert block_and_shard_rows(100, 13, 3, 400, size)[0] == 100
    assert block_and_shard_rows(100, 13, 3, block_bytes=1)[0] == 1
    assert block_and_shard_rows(100, 13, 80, block_bytes=1)[0] == 24  # 3 K / 10
    assert block_and_shard_rows(100, 13, 3)[0] == 100


@pytest.mark.parametrize(("K", "times"), [(2, 1), (3, 1), (4, 2), (7, 3), (8, 4), (50, 4)])
def test_with_more_scores_a_block_may_be_larger(K, times):
    """Up to four times the cache size, while the scores never exceed half of it."""
    m, n = 10**9, 10**6  # too many features for small products
    size = 8 * (n + K) * 5
    assert block_and_shard_rows(m, n, K, block_bytes=size)[0] == times * 5
    assert block_and_shard_rows(m, 1, K, block_bytes=size)[0] == size // (16 * K)


@pytest.mark.parametrize("n", [32, 500, 10**5])
@pytest.mark.parametrize("K", [2, 10, 16])
def test_a_block_is_divided_into_small_products(n, K):
    """Products keep to the limits of OpenBLAS, and several products fill a block exactly."""
    small = small_product_rows(n, K)
    assert small * K <= 1200
    assert small * K * n <= 10**6
    assert (small + 1) * K > 1200 or (small + 1) * K * n > 10**6 - n * K
    rows, _ = block_and_shard_rows(10**9, n, K)
    assert small == 0 or rows < small or rows % small == 0


@pytest.mark.parametrize("layout", ["contiguous", "by columns", "every second row"])
@pytest.mark.parametrize("K", [2, 7, 16, 17])
@pytest.mark.parametrize("block_rows", [None, 75, 600, 601, 1300])
def test_small_products_give_the_plain_result(layout, K, block_rows):
    """Blocks are smaller than a product (1200 / K rows), a multiple of it, or have a remainder."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1300, 40)), rng.integers(K, size=1300)
    problem = X_LAYOUTS[layout](X), y, rng.normal(size=(40, K)), rng.normal(size=K)
    actual = linear_value_and_grad(CrossEntropyLoss(), *problem, block_rows=block_rows)
    assert_same(actual, in_plain_numpy(CrossEntropyLoss(), *problem), rtol=1e-12)


@pytest.mark.parametrize(
    ("m", "block_rows", "shard_rows"),
    [(100, 100, 100), (1000, 7, 56), (10, 3, 3), (10**6, 3000, 6000), (10**6, 9000, 9000)],
)
def test_shards_are_whole_blocks(m, block_rows, shard_rows):
    """There are at least 16 if there are enough blocks; only a larger block exceeds 8,192 rows."""
    assert block_and_shard_rows(m, 1, 1, block_rows) == (block_rows, shard_rows)
    assert shard_rows % block_rows == 0
    shards = _engine._divide(m, shard_rows)
    assert shards[0] == slice(0, shard_rows)
    assert [s.start for s in shards[1:]] == [s.stop for s in shards[:-1]]
    assert shards[-1].stop == m
    large_sum = _engine.BLOCK_BYTES // 8  # numbers in W
    assert block_and_shard_rows(m, large_sum, 1, block_rows) == (block_rows, block_rows)


def test_the_scores_of_all_rows_never_exist_at_once():
    """The loss sees one block at a time, and each row once."""
    seen = []

    class Spy(MSELoss):
        def _rule(self, s, y):
            seen.append(len(s))
            return super()._rule(s, y)

    X, y, W, b = linear_problem(MSELoss(), m=20)
    linear_value_and_grad(Spy(), X, y, W, b, block_rows=8)
    assert seen == [8, 8, 4]


@pytest.mark.parametrize("layout", X_LAYOUTS)
def test_blocks_are_ready_for_blas_and_copied_only_when_necessary(layout, monkeypatch):
    X = X_LAYOUTS[layout](np.ones((20, 3)))
    blocks = []

    class Spy(OneScore):
        def scores(self, rows, x):
            blocks.append(x)
            return super().scores(rows, x)

    monkeypatch.setattr(_engine, "products_for", Spy)
    linear_value_and_grad(MSELoss(), X, np.zeros(20), np.ones(3), 0.0, block_rows=8)
    assert [len(block) for block in blocks] == [8, 8, 4]
    for block in blocks:  # contiguous rows or columns, and never reversed
        assert block.dtype == np.float64
        assert min(block.strides) == 8
    shared = layout in ("contiguous", "by columns", "every second row")
    assert all(np.shares_memory(block, X) == shared for block in blocks)


@each(ALL)
@pytest.mark.parametrize("weights", [None, np.tile([0.0, 1.0, 2.0, 0.5], 50)])
def test_results_do_not_depend_on_the_number_of_threads(loss, weights):
    X, y, W, b = linear_problem(loss, m=200)
    options = {"block_rows": 3, "sample_weight": weights}
    expected = linear_value_and_grad(loss, X, y, W, b, **options)
    for n_threads in (2, 3, 40):
        actual = linear_value_and_grad(loss, X, y, W, b, n_threads=n_threads, **options)
        for left, right in zip(actual, expected, strict=True):
            assert_array_equal(left, right)


def test_threads_share_the_shards():
    """Each shard is computed once, and two threads compute two shards at the same time."""
    seen, meeting = [], threading.Barrier(2, timeout=60)

    class Spy(MSELoss):
        def _rule(self, s, y):
            seen.append((threading.get_ident(), y[0]))
            meeting.wait()  # a single thread would wait here for ever
            return super()._rule(s, y)

    X, W = np.ones((32, 1)), np.ones(1)
    linear_value_and_grad(Spy(), X, np.arange(32.0), W, 0.0, block_rows=2, n_threads=2)
    assert sorted(first for _, first in seen) == list(range(0, 32, 2))
    assert len({thread for thread, _ in seen}) == 2
    assert threading.get_ident() not in {thread for thread, _ in seen}


@pytest.mark.parametrize("stopped_by", [ValueError, KeyboardInterrupt])
def test_an_error_or_an_interrupt_stops_all_threads(stopped_by, monkeypatch):
    """The 31 shards after the first would take one thread three quarters of a second."""
    seen = []

    class Slow(MSELoss):
        def _rule(self, s, y):
            seen.append(y[0])
            if y[0] == 0 and stopped_by is ValueError:
                raise ValueError("enough")
            time.sleep(0.025)
            return super()._rule(s, y)

    def interrupted(threads):
        raise KeyboardInterrupt

    if stopped_by is KeyboardInterrupt:
        monkeypatch.setattr(_engine, "as_completed", interrupted)
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

WITH_KERNELS = [
    BCEWithLogitsLoss(),
    CrossEntropyLoss(),
    CrossEntropyLoss(label_smoothing=0.1),
    MulticlassHingeLoss(),
    MulticlassHingeLoss(variant="weston-watkins"),
]


def forbid_the_rule(monkeypatch):
    def called(*args):
        raise AssertionError("the rule of the loss was called")

    monkeypatch.setattr(Kernel, "gradient", called)


@each(WITH_KERNELS)
def test_ordinary_numbers_do_not_need_the_rule(loss, monkeypatch):
    forbid_the_rule(monkeypatch)
    X, y, W, b = linear_problem(loss)
    linear_value_and_grad(loss, X, y, W, b)
    smoothing = getattr(loss, "label_smoothing", 0)
    scale = 29 if smoothing else 299
    scores = np.clip(10 * scale * (X @ W), -scale, scale)
    linear_value_and_grad(loss, np.eye(12), y, scores, np.zeros_like(b))
    monkeypatch.undo()
    actual = linear_value_and_grad(loss, np.eye(12), y, scores, np.zeros_like(b))
    assert_same(actual, in_plain_numpy(loss, np.eye(12), y, scores, 0.0))


@pytest.mark.parametrize("w", [None, np.arange(150) % 4 / 2], ids=["plain", "weighted"])
@pytest.mark.parametrize(("n", "labels"), [(3, 1), (3, 2), (3, 5), (40, 2)])
@pytest.mark.parametrize("dtype", [np.int64, bool, np.float32])
def test_several_labels_do_not_need_the_rule(n, labels, dtype, w, monkeypatch):
    loss = BCEWithLogitsLoss()
    X, Y, W, b = linear_problem(loss, m=150, n=n, labels=labels)
    options = {"sample_weight": w, "block_rows": 4}
    plain = in_plain_numpy(loss, X, Y, W, b, sample_weight=w)
    with monkeypatch.context() as patch:
        forbid_the_rule(patch)
        for layout in (np.asarray, np.asfortranarray):
            actual = linear_value_and_grad(loss, X, layout(Y.astype(dtype)), W, b, **options)
            assert_same(actual, plain, rtol=1e-12)
    X[7] *= 1e8  # unsupported
    plain = in_plain_numpy(loss, X, Y, W, b, sample_weight=w)
    assert_same(linear_value_and_grad(loss, X, Y, W, b, **options), plain, rtol=1e-12)


@each(WITH_KERNELS)
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("unsupported", [np.nan, np.inf, -np.inf, 1e4, -1e4])
def test_a_kernel_rejects_unsupported_numbers(loss, place, unsupported):
    """It does so at the label and elsewhere, and it never returns NaN."""
    *_, W, _ = linear_problem(loss)
    outputs = W.shape[1:]
    s = np.full((*outputs, 3), 0.25)
    s[(place, 1) if outputs else (place,)] = unsupported
    kernel = kernel_for(loss, outputs, 3)
    assert type(kernel) is not Kernel
    assert kernel.begin(np.array([0, 1, 1]))
    with np.errstate(all="ignore"):
        kernel.gradient(slice(0, 3), s)
        total = kernel.total(None)
    assert total is None or (np.isfinite(total) and np.isfinite(s).all())
    assert total is None or not np.isnan(unsupported)


INTEGERS = [np.int8, np.uint8, np.int32, np.uint64]


@pytest.mark.parametrize(
    ("loss", "dtype"),
    [(loss, dtype) for loss in WITH_KERNELS for dtype in INTEGERS]
    + [(WITH_KERNELS[0], np.float64), (WITH_KERNELS[0], np.float32), (WITH_KERNELS[0], bool)],
)
def test_labels_of_any_type(loss, dtype, monkeypatch):
    X, y, W, b = linear_problem(loss)
    expected = linear_value_and_grad(loss, X, y, W, b)
    forbid_the_rule(monkeypatch)
    for left, right in zip(
        linear_value_and_grad(loss, X, y.astype(dtype), W, b), expected, strict=True
    ):
        assert_array_equal(left, right)


@each([loss for loss in ALL if loss not in BOUNDED])
@pytest.mark.parametrize("extreme", [1e3, 1e8, 1e300])
@pytest.mark.parametrize("block_rows", [None, 5])
def test_extreme_scores_among_ordinary_ones(loss, extreme, block_rows):
    """The kernel rejects the shard, and the rule of the loss computes it instead."""
    X, y, W, b = linear_problem(loss)
    X[3] *= extreme
    with np.errstate(all="ignore"):
        expected = in_plain_numpy(loss, X, y, W, b)
    assert_same(
        linear_value_and_grad(loss, X, y, W, b, block_rows=block_rows), expected, rtol=1e-12
    )


@each(ALL)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_nan_gives_a_nan_loss(loss, n_threads):
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
    """The intercept is infinite, so W and X can be 0."""
    W = np.zeros((1, *np.shape(b)))
    actual = linear_value_and_grad(loss, [[0.0]], [target], W, b)
    assert_array_equal(actual[1], np.zeros_like(W))
    assert_allclose(actual[0], value, rtol=1e-15)
    assert_array_equal(actual[2], slope)


def test_a_subclass_does_not_inherit_a_kernel():
    class Doubled(CrossEntropyLoss):
        def _rule(self, s, y):
            value, gradient = super()._rule(s, y)
            return 2 * value, lambda: 2 * gradient()

    problem = linear_problem(CrossEntropyLoss())
    value, dW, db = linear_value_and_grad(CrossEntropyLoss(), *problem)
    assert_same(linear_value_and_grad(Doubled(), *problem), (2 * value, 2 * dW, 2 * db))


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
    """With 100,000 rows X takes 16 MB; one-hot rows of 10 classes or all scores would take 8 MB."""
    rng = np.random.default_rng(0)
    X = rng.normal(scale=9, size=(100_000, 20)).astype(dtype)
    classes = isinstance(loss, CrossEntropyLoss)
    y = rng.integers(10 if classes else 2, size=len(X))
    W, b = (np.zeros((20, 10)), np.zeros(10)) if classes else (np.zeros(20), 0.0)
    linear_value_and_grad(loss, X[:9], y[:9], W, b)
    assert peak_memory(lambda: linear_value_and_grad(loss, X, y, W, b)) < 2 * 2**20


def test_only_two_sums_of_many_classes_are_in_memory():
    """Memory holds W (1.6 MB) with b, a block's scores, X with a column of ones, and two sums."""
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


@pytest.mark.parametrize("wrong", [2, 3, -1, -2, 256])
@pytest.mark.parametrize("dtype", [np.int64, np.float64])
@each(WITH_KERNELS)
def test_kernels_refuse_wrong_labels(loss, dtype, wrong):
    X, y, W, b = linear_problem(loss, m=20)
    y = y.astype(dtype)
    y[y == 1] = wrong
    if b.ndim and wrong == 2 and dtype == np.int64:  # 2 is a class
        assert np.isfinite(linear_value_and_grad(loss, X, y, W, b)[0])
    else:
        with pytest.raises(ValueError, match=type(loss).__name__):
            linear_value_and_grad(loss, X, y, W, b)
