"""Loss and gradient of a linear model over rows of data, in blocks that stay in cache.

A gradient is a sum over examples, so it can be taken a block of rows at a time: X is read once from
memory, and the scores of all m examples never exist together. Rows are divided in two ways:

- a *block* stays in a core's cache from the first product, X W, to the second, X' G;
- a *shard* is a number of blocks: what a thread takes at a time, and whose targets are checked
  together.

What happens to a block of scores in between is the loss's own affair: see ``Kernel`` in
``lossutils/losses/base.py``. The whole could be three lines; in ``tests/test_linear.py`` it is.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import lru_cache, partial
from math import isfinite
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._optional import is_dask
from .losses.base import Kernel, Loss, check_weights
from .special import FLOAT64, Array, Float64Array, to_float64

BLOCK_BYTES = 3 * 2**18
"""Size of a block of X and its scores: what stays in a core's cache between its two uses. From 256
KB to 768 KB the times differ by a few per cent, but the larger has fewer calls to NumPy."""

SHARD_ROWS = 8192
"""Most rows of a shard, unless a block has more: a handful of numbers for each is kept."""

Part = tuple[float, Any, Any]
"""Sums over some rows: of the losses, and of their gradients by W and by b."""


def linear_value_and_grad(
    loss: Loss,
    X: ArrayLike,
    targets: ArrayLike,
    W: ArrayLike,
    b: ArrayLike,
    *,
    l2: float = 0.0,
    sample_weight: ArrayLike | None = None,
    block_rows: int | None = None,
    n_threads: int = 1,
) -> tuple[float, Array, float | Array]:
    r"""Mean loss of the linear model with scores :math:`XW + b`, and its gradient.

    .. math:: L = \frac{1}{\sum_i w_i} \sum_i w_i\, l(x_i W + b, y_i)
              + \frac{\lambda}{2} \lVert W \rVert^2, \qquad
              \frac{\partial L}{\partial W} = \frac{1}{\sum_i w_i} X^\top G + \lambda W

    where row i of G is :math:`w_i\, \partial l / \partial s_i`, and
    :math:`\partial L / \partial b` is the sum of the rows of G over :math:`\sum_i w_i`.

    Parameters
    ----------
    loss : Loss
        Any loss of `lossutils.losses`.
    X : array_like or dask array, shape (m, n)
        Features; rows are examples. An ``np.memmap`` is read block by block, a dask array where its
        chunks are; see `lossutils.chunks`.
    targets : array_like, shape (m,) or (m, K)
        Targets, as ``loss`` takes them.
    W : array_like, shape (n,) or (n, K)
        Weights: (n,) for a loss of one score per example, (n, K) for K scores.
    b : float, or array_like of shape (K,)
        Intercept, which is not regularised.
    l2 : float, default 0.0
        Strength λ of the penalty :math:`\frac{\lambda}{2} \lVert W \rVert^2`; not negative.
    sample_weight : array_like, shape (m,), optional
        Non-negative weights, not all zero.
    block_rows : int, optional
        Rows in a block; by default as many as fit in cache. The result does not depend on it beyond
        rounding.
    n_threads : int, default 1
        Threads that share the rows, each with memory for a block of its own. The result does not
        depend on it at all. Worth it from some 100,000 numbers in X, if there is much to do for
        each row: with a few dozen features and scores, threads queue for the interpreter. BLAS
        itself should be kept to one thread (``OMP_NUM_THREADS=1``).

    Returns
    -------
    value : float
        The mean loss plus the penalty.
    dW : ndarray, shape of ``W``
        Derivative with respect to the weights.
    db : float, or ndarray of shape (K,)
        Derivative with respect to the intercept.

    Raises
    ------
    ValueError
        If shapes do not fit together, or ``loss`` does not take the targets. Targets are checked
        shard by shard, those of rows with weight 0 not at all.
    """
    (W, dtype), (b, _) = to_float64(W), to_float64(b)
    check_l2(l2)
    add_up = sums
    if is_dask(X, targets, sample_weight):
        from .chunks import sums as add_up
    value, dW, db, total = add_up(loss, X, targets, W, b, sample_weight, block_rows, n_threads)
    value /= total
    dW /= total
    db /= total
    if l2:
        value += 0.5 * l2 * float(np.sum(W * W))
        dW += l2 * W
    if dtype != FLOAT64:
        dW, db = dW.astype(dtype), db.astype(dtype)
    return value, dW, float(db) if W.ndim == 1 else db


def sums(
    loss, X, targets, W, b, sample_weight=None, block_rows=None, n_threads=1
) -> tuple[float, Any, Any, float]:
    """Return the sums of the losses, their gradients by W and by b, and of the weights.

    W and b are float64; all else is as in `linear_value_and_grad`.
    """
    X, targets = np.asarray(X), np.asarray(targets)
    m, n = check_shapes(X, targets, W, b)
    w = check_weights("linear_value_and_grad", sample_weight, m)
    rows = _block_rows(X, W, block_rows)
    if n_threads != 1:
        n_threads = check_count("n_threads", n_threads, 1)
    if X.dtype != FLOAT64:
        to_float64(X[:0])  # complains of what is not a number

    shards = _shards(m, rows, W.nbytes)

    kind = _OneScore if W.ndim == 1 else _MoreScoresThanFeatures if b.size > n else _ManyScores
    walker = partial(kind, loss, X, targets, W, b, w, rows, shards[0].stop)
    try:
        if n_threads == 1:
            value, dW, db = _in_one_thread(walker(), shards)
        else:
            value, dW, db = _in_threads(walker, shards, n_threads)
    except ValueError as error:
        raise _said_of_all_rows(error, loss, targets, W) from None
    return value, dW, db, float(m if w is None else w.sum())


def check_l2(l2: float) -> None:
    """Raise ValueError unless the strength of a penalty is non-negative and finite."""
    if not 0 <= l2 < np.inf:
        raise ValueError(f"l2 must be non-negative and finite, got {l2!r}")


def check_count(name: str, value: float, low: int, high: float = np.inf) -> int:
    """Return a whole number from low to high, or raise ValueError."""
    if not (isfinite(value) and value == int(value) and low <= value <= high):
        limits = f"of at least {low}" if high == np.inf else f"from {low} to {high}"
        raise ValueError(f"{name} must be a whole number {limits}, got {value!r}")
    return int(value)


def check_shapes(X, targets, W, b) -> tuple[int, int]:
    """Return the shape of X, or raise ValueError if shapes do not fit together."""
    if X.ndim != 2 or X.size == 0:
        raise ValueError(
            f"X must have shape (m, n) with at least one row and one column, got {X.shape}; "
            "a single feature becomes one column with X[:, None]"
        )
    if targets.ndim == 0 or len(targets) != len(X):
        raise ValueError(
            f"X has {len(X)} rows but targets have shape {targets.shape}; "
            "give one target for each row of X"
        )
    if W.ndim not in (1, 2) or len(W) != X.shape[1]:
        raise ValueError(
            f"W must have shape ({X.shape[1]},) or ({X.shape[1]}, K) for X with "
            f"{X.shape[1]} columns, got {W.shape}"
        )
    if b.shape != W.shape[1:]:
        raise ValueError(
            f"b must have shape {W.shape[1:]} for W of shape {W.shape}, got {b.shape}; "
            "a model of one score has a scalar b"
        )
    return X.shape


def _block_rows(X, W, block_rows) -> int:
    m, n = X.shape
    if block_rows is not None:
        return min(m, check_count("block_rows", block_rows, 1))
    return min(m, _rows_in_cache(BLOCK_BYTES, n, W.size // n))


@lru_cache  # since it takes 5 % of a step of training with a hundred rows
def _rows_in_cache(size: int, n: int, K: int) -> int:
    """Return how many rows to take at a time, for a cache that holds a block of some bytes."""
    # The more scores, the more work is done with each number of X, and the less it matters how far
    # away it is; what matters then is that there are few calls to NumPy, for which threads queue.
    rows = size * max(1, min(4, K // 2)) // (8 * (n + K))
    # The scores stay near, unless there are so many that a product of few rows would be slow.
    rows = max(min(rows, size // (16 * K)), min(300, 3 * K // 10))
    small = _rows_of_a_small_product(n, K)
    if 0 < small < rows:
        rows -= rows % small
    return max(1, rows)


def _shards(m: int, block_rows: int, sum_bytes: int = 0) -> list[slice]:
    """Divide m rows among threads and checks of targets; alike for any number of threads.

    A shard's sum takes memory, as does that of a block while there are several in a shard.
    """
    most = min(SHARD_ROWS, m // 16) if sum_bytes < BLOCK_BYTES else 0
    return _divide(m, max(block_rows, most // block_rows * block_rows))


def _divide(m: int, rows: int) -> list[slice]:
    """Divide m rows into parts of some rows; the last may have fewer."""
    if rows >= m:
        return [slice(0, m)]
    return [slice(start, min(start + rows, m)) for start in range(0, m, rows)]


@np.errstate(all="ignore")
def _in_one_thread(walk, shards) -> Part:
    """Return the sum over shards."""
    total = walk(shards[0])
    for shard in shards[1:]:
        total = _plus(total, walk(shard))
    return total


def _in_threads(walker, shards, n_threads) -> Part:
    """Return the sum over shards, with one walker for each thread, and added in the same order.

    A thread helps itself to the next shard and adds up what is ready, so that none has to wake
    another, which takes longer than many a shard.
    """
    todo, ready, lock = deque(enumerate(shards)), {}, Lock()
    total: Any = None
    added = 0

    @np.errstate(all="ignore")
    def work():
        nonlocal total, added
        walk = walker()
        while True:
            try:
                number, shard = todo.popleft()
            except IndexError:  # none is left
                return
            ready[number] = walk(shard)
            with lock:
                while added in ready:
                    total = _plus(total, ready.pop(added)) if added else ready.pop(added)
                    added += 1

    with ThreadPoolExecutor(n_threads) as pool:
        threads = [pool.submit(work) for _ in range(min(n_threads, len(shards)))]
        try:
            for thread in as_completed(threads):
                thread.result()
        finally:  # after an error or an interrupt nobody need go on
            todo.clear()
    return total


def _plus(total: Part, part: Part) -> Part:
    """Return the sum of two sums, in the memory of the first."""
    value, dW, db = total
    dW += part[1]
    db += part[2]
    return value + part[0], dW, db


def _said_of_all_rows(error, loss, targets, W) -> ValueError:
    """Return a block's complaint as one of all rows: their shape, their range, the row's number."""
    try:
        loss.check(np.broadcast_to(0.5, (len(targets), *W.shape[1:])), targets)
    except ValueError as of_all_rows:
        return of_all_rows
    return error


class _Walker:
    """Walks through shards block by block, in memory that is used again for every block."""

    def __init__(self, loss, X, targets, W, b, w, block_rows, shard_rows):
        self.loss, self.X, self.targets, self.w, self.W, self.b = loss, X, targets, w, W, b
        self.block_rows, self.shard_rows = block_rows, shard_rows
        self.blocks = _divide(shard_rows, block_rows)
        self.kernel = loss._kernel(b.shape, shard_rows)
        self.scores = np.empty(block_rows * b.size if b.ndim else shard_rows)
        self.product: Any = None
        self.as_it_is = _blas_takes(X)

    def __call__(self, shard: slice) -> Part:
        """Return the sums over a shard."""
        x, y, w, kept = self.X[shard], self.targets[shard], None, None
        if self.w is not None:
            w = self.w[shard]
            if not w.all():
                kept = np.flatnonzero(w)  # here, since 0 times an infinite feature would be NaN
                y, w = y[kept], w[kept]
                if len(kept) == 0:
                    return 0.0, np.zeros(self.W.shape), np.zeros(self.b.shape)
        if self.kernel.start(y):
            part = self._sums(self.kernel, x, kept, w)
            if isfinite(part[0]) or type(self.kernel) is Kernel:
                return part
        plain = Kernel(self.loss, len(y))
        plain.start(y)
        return self._sums(plain, x, kept, w)

    def _sums(self, kernel, x, kept, w) -> Part:
        k = len(x if kept is None else kept)
        blocks = self.blocks if k == self.shard_rows else _divide(k, self.block_rows)
        as_it_is = kept is None and self.as_it_is
        block = x.__getitem__ if as_it_is else partial(_copied, x, kept)
        dW, db = self._gradient(kernel.gradient, blocks, block, w)
        losses = kernel.losses()
        # Not by a dot product with ones, which takes half the time, but whose last bits depend on
        # the processor.
        return float(np.add.reduce(losses) if w is None else losses @ w), dW, db

    def _gradient(self, of_scores, blocks, block, w) -> tuple[Any, Any]:
        raise NotImplementedError


def _copied(x, kept, rows) -> Float64Array:
    return np.ascontiguousarray(x[rows if kept is None else kept[rows]], dtype=np.float64)


class _OneScore(_Walker):
    """With W of shape (n,): two products of a matrix and a vector for each block."""

    def _gradient(self, of_scores, blocks, block, w):
        W, b, scores = self.W, self.b, self.scores
        dW: Any = None
        for rows in blocks:
            x = block(rows)
            s = x.dot(W, scores[rows])
            s += b
            of_scores(rows, s)
            if w is not None:
                s *= w[rows]
            if dW is None:
                dW = s.dot(x)
            else:
                self.product = s.dot(x, self.product)
                dW += self.product
        return dW, np.add.reduce(scores[: rows.stop])


class _ManyScores(_Walker):
    """With W of shape (n, K): two products of matrices for each block."""

    def __init__(self, *args):
        super().__init__(*args)
        self.WT = np.ascontiguousarray(self.W.T)
        self.rows = _rows_of_a_small_product(*self.W.shape)

    def _gradient(self, of_scores, blocks, block, w):
        K, b = len(self.WT), self.b[:, None]
        dWT: Any = None
        db = np.zeros(K)
        for rows in blocks:
            x = block(rows)
            s = self.scores[: K * len(x)].reshape(K, len(x))
            self._scores(x, s)
            s += b
            factor = _product(of_scores(rows, s), w, rows)
            if factor is not None:
                s *= factor
            db += np.add.reduce(s, axis=1)
            dWT = self._plus(dWT, s, x)
        return dWT.T, db

    def _scores(self, x, s):
        """Write the scores without the intercept, by small products as far as they go."""
        K, rows = len(s), self.rows
        whole = len(x) // rows * rows if rows else 0
        if whole:
            xs = x[:whole].reshape(-1, rows, x.shape[1])
            ss = s[:, :whole].reshape(K, -1, rows)
            np.matmul(self.WT, xs.transpose(0, 2, 1), out=ss.transpose(1, 0, 2))
        if whole < len(x):
            np.matmul(self.WT, x[whole:].T, out=s[:, whole:])

    def _plus(self, total, left, right):
        """Add a product of matrices to the total in place."""
        if total is None:
            return np.matmul(left, right)
        self.product = np.matmul(left, right, out=self.product)
        total += self.product
        return total


class _MoreScoresThanFeatures(_ManyScores):
    """With W of shape (n, K) where K > n: whatever can be done to X rather than to the scores, is.

    A column of ones in X stands for the intercept, and the gradient's factors go into X.
    """

    def __init__(self, *args):
        _Walker.__init__(self, *args)
        self.WT = np.vstack([self.W, self.b]).T
        self.x_and_1 = np.empty((self.block_rows, self.WT.shape[1]))

    def _gradient(self, of_scores, blocks, block, w):
        K = len(self.WT)
        total: Any = None
        for rows in blocks:
            x = block(rows)
            s = self.scores[: K * len(x)].reshape(K, len(x))
            x_and_1 = self.x_and_1[: len(x)]
            x_and_1[:, :-1], x_and_1[:, -1] = x, 1.0
            np.matmul(self.WT, x_and_1.T, out=s)
            factor = _product(of_scores(rows, s), w, rows)
            if factor is not None:
                x_and_1 *= factor[:, None]
            total = self._plus(total, x_and_1.T, s.T)
        return total[:-1], total[-1].copy()  # no view, which would hold all of the sum


def _rows_of_a_small_product(n, K):
    """Return how many rows of X to multiply at a time; 0 stands for all.

    OpenBLAS packs matrices before it multiplies them, which takes longer than the product if there
    are few scores. With AVX-512 it leaves that out of products with an inner dimension of 32 or
    more, 1,200 results or fewer, and 10^6 multiplications or fewer. Elsewhere many small products
    take as long as a large one.
    """
    return min(1200 // K, 10**6 // (n * K + 1)) if n >= 32 and K <= 16 else 0


def _product(factor, w, rows):
    """Return the factor of each row's gradient; None stands for 1."""
    if w is None:
        return factor
    return w[rows] if factor is None else factor * w[rows]


def _blas_takes(X: Array) -> bool:
    """Return whether rows of X can go to BLAS as they are; NumPy multiplies others slowly."""
    if X.dtype != FLOAT64:
        return False
    if X.flags.c_contiguous:
        return True
    across, along = X.strides
    one_row_after_another = along == 8 and across % 8 == 0 and across >= 8 * X.shape[1]
    return X.flags.aligned and (X.flags.f_contiguous or one_row_after_another)
