"""Sums of losses and gradients over rows of data in memory, in blocks that stay in cache.

A gradient is a sum over examples, so it can be taken a block of rows at a time: X is read once from
memory, and the scores of all m examples never exist together. Rows are divided in two ways:

- a *block* stays in a core's cache from the first product, X W, to the second, X' G;
- a *shard* is a number of blocks, and what a thread takes at a time.

The products are in ``_products.py``, and gradients by the scores in ``_kernels.py``. The plain
version of it all is ``in_plain_numpy`` in ``tests/cases.py``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache, partial
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from ._checks import (
    FLOAT64,
    Array,
    Float64Array,
    check_count,
    check_parameters,
    check_real,
    check_rows,
    check_weights,
)
from ._kernels import Kernel, kernel_for
from ._products import products_for, small_product_rows
from .losses import Loss

BLOCK_BYTES = 3 * 2**18
"""Size of a block of X and its scores, which a core's cache keeps between its two uses; with many
scores, blocks are up to four times as large. From 256 KB to 768 KB the times differ by a few per
cent, but the larger has fewer calls to NumPy."""

SHARD_ROWS = 8192
"""Most rows of a shard (a block may have more); some memory is kept for each."""


class Rows(Protocol):
    """Rows of data, wherever they lie, with their targets and weights."""

    X: Any
    targets: Any

    def __len__(self) -> int:
        """Return the number of rows."""

    def outputs(self, loss: Loss) -> tuple[int, ...]:
        """Return the shape of one example's scores, () or (K,), from the targets."""

    def take(self, rows: Any) -> Rows:
        """Return some of the rows, unweighted: a batch."""

    def persist(self) -> Rows:
        """Return the same rows, ready for many passes."""

    def sums(
        self, loss: Loss, W: Any, b: Any, block_rows: int | None = None, n_threads: int = 1
    ) -> Sums:
        """Return the sums over all rows; see `lossutils.linear.linear_value_and_grad`."""


@dataclass(slots=True)
class Sums:
    """Sums over some rows: of their losses, of the gradients by W and by b, and of the weights.

    The mean is the sum divided by ``weight``, whatever the loss counts there.
    """

    loss: float
    dW: Any
    db: Any
    weight: float = 0.0

    def __iadd__(self, other: Sums) -> Sums:
        """Add the sums over other rows in place."""
        self.loss += other.loss
        self.dW += other.dW
        self.db += other.db
        self.weight += other.weight
        return self

    def __add__(self, other: Sums) -> Sums:
        """Return the sums over both sets of rows."""
        return Sums(
            self.loss + other.loss,
            self.dW + other.dW,
            self.db + other.db,
            self.weight + other.weight,
        )


class RowsInMemory:
    """Rows of features in memory or in a memory map, with their targets and weights.

    Raises ValueError if their shapes do not fit together, or X is not made of real numbers.
    """

    def __init__(
        self, X: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        self.X, self.targets = np.asarray(X), np.asarray(targets)
        check_rows(self.X, self.targets)
        self.weights = check_weights("linear_value_and_grad", sample_weight, len(self.X))
        if self.X.dtype != FLOAT64:
            check_real(self.X.dtype)

    def __len__(self) -> int:
        return len(self.X)

    def outputs(self, loss: Loss) -> tuple[int, ...]:
        """Return the shape of one example's scores, () or (K,), from the targets."""
        return loss.score_shape(self.targets)[1:]

    def take(self, rows: Any) -> RowsInMemory:
        """Return some of the rows, unweighted."""
        return RowsInMemory(self.X[rows], self.targets[rows])

    def persist(self) -> RowsInMemory:
        """Return the same rows for many passes; they are in memory already."""
        return self

    def sums(
        self,
        loss: Loss,
        W: Float64Array,
        b: Float64Array,
        block_rows: int | None = None,
        n_threads: int = 1,
    ) -> Sums:
        """Return the sums over all rows; see `lossutils.linear.linear_value_and_grad`."""
        m, n = self.X.shape
        check_parameters(n, W, b)
        if block_rows is not None:
            block_rows = check_count("block_rows", block_rows, 1)
        if n_threads != 1:
            n_threads = check_count("n_threads", n_threads, 1)
        block_rows, shard_rows = _plan(m, n, b.size, block_rows, BLOCK_BYTES, SHARD_ROWS)
        shards = _divide(m, shard_rows)
        walker = partial(_Walker, self, loss, W, b, block_rows, shards[0].stop)
        try:
            if n_threads == 1:
                total = _sum_in_one_thread(walker(), shards)
            else:
                total = _sum_in_threads(walker, shards, n_threads)
        except ValueError as error:
            raise _error_for_whole_batch(error, loss, self.targets, (m, *b.shape)) from None
        total.weight = loss._divisor(self.targets, self.weights)
        return total


@lru_cache  # since working it out takes a tenth of a step of training with a hundred rows
def _plan(
    m: int, n: int, K: int, wanted: int | None, block_bytes: int, most_rows: int
) -> tuple[int, int]:
    """Return how many rows a block and a shard have: a shard is a number of whole blocks.

    Both are the same for any number of threads.
    """
    block_rows = min(m, wanted or _rows_in_cache(block_bytes, n, K))
    # Large sums take memory: then a shard is a single block.
    most = min(most_rows, m // 16) if 8 * n * K < block_bytes else 0
    return block_rows, max(block_rows, most // block_rows * block_rows)


def _rows_in_cache(size: int, n: int, K: int) -> int:
    """Return how many rows to take at a time, for a cache that holds a block of some bytes."""
    # With more scores, more work is done on each number of X, and it matters less how far away it
    # is. Then few calls to NumPy matter more, since threads queue for the interpreter at each.
    rows = size * max(1, min(4, K // 2)) // (8 * (n + K))
    # The scores should stay near, unless they are so many that a product of few rows is slow.
    rows = max(min(rows, size // (16 * K)), min(300, 3 * K // 10))
    small = small_product_rows(n, K)
    if 0 < small < rows:
        rows -= rows % small
    return max(1, rows)


def _divide(m: int, rows: int) -> list[slice]:
    """Divide m rows into parts of some rows; the last may have fewer."""
    if rows >= m:
        return [slice(0, m)]
    return [slice(start, min(start + rows, m)) for start in range(0, m, rows)]


@np.errstate(all="ignore")
def _sum_in_one_thread(walk: Callable[[slice], Sums], shards: list[slice]) -> Sums:
    total = walk(shards[0])
    for shard in shards[1:]:
        total += walk(shard)
    return total


def _sum_in_threads(walker: Callable[[], Any], shards: list[slice], n_threads: int) -> Sums:
    """Return the sums over shards, added in the order of the rows for any number of threads.

    Each thread pops the next shard and adds what is ready; waking another thread costs more than
    most shards.
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
                    if added:
                        total += ready.pop(added)
                    else:
                        total = ready.pop(added)
                    added += 1

    with ThreadPoolExecutor(n_threads) as pool:
        threads = [pool.submit(work) for _ in range(min(n_threads, len(shards)))]
        try:
            for thread in as_completed(threads):
                thread.result()
        finally:
            todo.clear()  # after an error or an interrupt: stop the other threads
    return total


def _error_for_whole_batch(error, loss, targets, shape) -> ValueError:
    """Return the error for all rows, with their shape, range and row number."""
    try:
        loss._check_shape(shape)
        loss._check_targets(shape, targets)
    except ValueError as of_all_rows:
        return of_all_rows
    return error


class _Walker:
    """Walks through shards block by block, in memory that is used again for every block."""

    def __init__(self, rows, loss, W, b, block_rows, shard_rows):
        self.rows, self.loss, self.W, self.b = rows, loss, W, b
        self.block_rows, self.shard_rows = block_rows, shard_rows
        self.blocks = _divide(shard_rows, block_rows)
        self.kernel = kernel_for(loss, b.shape, shard_rows)
        self.products = products_for(W, b, block_rows, shard_rows)
        self.blas_ready = _is_blas_ready(rows.X)

    def __call__(self, shard: slice) -> Sums:
        """Return the sums over a shard."""
        x, y, w, kept = self.rows.X[shard], self.rows.targets[shard], None, None
        if self.rows.weights is not None:
            w = self.rows.weights[shard]
            if not w.all():
                kept = np.flatnonzero(w)  # left out here: 0 times an infinite feature is NaN
                y, w = y[kept], w[kept]
                if len(kept) == 0:
                    return Sums(0.0, np.zeros(self.W.shape), np.zeros(self.b.shape))
        if self.kernel.begin(y):
            sums = self._sums(self.kernel, x, kept, w)
            if sums is not None:
                return sums
        by_rule = Kernel(self.loss, self.b.shape, len(y))
        by_rule.begin(y)
        return self._sums(by_rule, x, kept, w)

    def _sums(self, kernel, x, kept, w) -> Any:
        """Return the sums over a shard; None if the kernel does not support its numbers."""
        k = len(x if kept is None else kept)
        blocks = self.blocks if k == self.shard_rows else _divide(k, self.block_rows)
        contiguous = x.__getitem__
        if kept is not None or not self.blas_ready:
            contiguous = partial(_copied, x, kept)
        products = self.products
        for rows in blocks:
            block = contiguous(rows)
            s = products.scores(rows, block)
            factor = kernel.gradient(rows, s)
            if w is not None:
                factor = w[rows] if factor is None else factor * w[rows]
            products.add(rows, block, s, factor)
        loss, sums = kernel.total(w), products.sums()
        return None if loss is None else Sums(loss, *sums)


def _copied(x, kept, rows) -> Float64Array:
    return np.ascontiguousarray(x[rows if kept is None else kept[rows]], dtype=np.float64)


def _is_blas_ready(X: Array) -> bool:
    """Return whether BLAS can read rows of X without a copy; NumPy multiplies others slowly."""
    if X.dtype != FLOAT64:
        return False
    if X.flags.c_contiguous:
        return True
    across, along = X.strides
    rows_in_order = along == 8 and across % 8 == 0 and across >= 8 * X.shape[1]
    return X.flags.aligned and (X.flags.f_contiguous or rows_in_order)
