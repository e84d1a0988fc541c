"""The two products of a linear model, X W and X' G, for one block of rows after the other.

There are three ways, each the fastest for some shapes. The two special ones state how much of the
time of a whole gradient they save, compared with plain products of whole blocks. That was measured
side by side in one process with one thread and AVX-512.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import Float64Array


class OneScore:
    """W of shape (n,): two products of a matrix and a vector."""

    def __init__(self, W: Float64Array, b: Float64Array, block_rows: int, shard_rows: int) -> None:
        self.W, self.b = W, b
        self.scratch = np.empty(shard_rows)
        self.dW: Any = None
        self.product: Any = None

    def scores(self, rows: slice, x: Float64Array) -> Float64Array:
        """Return the scores of a block in memory that `add` reads again."""
        s = x.dot(self.W, self.scratch[rows])
        s += self.b
        return s

    def add(self, rows: slice, x: Float64Array, s: Float64Array, factor: Any) -> None:
        """Add the gradient of a block, from its gradient by the scores and factors of its rows."""
        if factor is not None:
            s *= factor
        if self.dW is None:
            self.dW = s.dot(x)
        else:
            self.product = s.dot(x, self.product)
            self.dW += self.product
        self.rows = rows.stop

    def sums(self) -> tuple[Any, Any]:
        """Return the sums of the shard's gradients by W and by b, and be ready for the next."""
        dW, self.dW = self.dW, None
        return dW, np.add.reduce(self.scratch[: self.rows])


class ManyScores:
    """W of shape (n, K): two products of matrices.

    X W is taken a few rows at a time where OpenBLAS need not pack so small a product; see
    `small_product_rows`. That saves 18 % at n = 2,000 and K = 10, and 8 % at n = 200.
    """

    def __init__(self, W: Float64Array, b: Float64Array, block_rows: int, shard_rows: int) -> None:
        self.WT, self.b = np.ascontiguousarray(W.T), b[:, None]
        self.scratch = np.empty(block_rows * W.shape[1])
        self.small = small_product_rows(*W.shape)
        self.dWT: Any = None
        self.db: Any = None
        self.product: Any = None

    def scores(self, rows: slice, x: Float64Array) -> Float64Array:
        """Return the scores of a block, shape (K, rows), in memory that the next block overwrites.

        They are contiguous, as a kernel needs them.
        """
        K, m, small = len(self.WT), len(x), self.small
        s = self.scratch[: K * m].reshape(K, m)
        whole = m // small * small if small else 0
        if whole:
            xs = x[:whole].reshape(-1, small, x.shape[1])
            ss = s[:, :whole].reshape(K, -1, small)
            np.matmul(self.WT, xs.transpose(0, 2, 1), out=ss.transpose(1, 0, 2))
        if whole < m:
            np.matmul(self.WT, x[whole:].T, out=s[:, whole:])
        s += self.b
        return s

    def add(self, rows: slice, x: Float64Array, s: Float64Array, factor: Any) -> None:
        """Add the gradient of a block, from its gradient by the scores and factors of its rows."""
        if factor is not None:
            s *= factor
        db = np.add.reduce(s, axis=1)
        self.db = (0.0 if self.db is None else self.db) + db
        self.dWT = self.add_product(self.dWT, s, x)

    def add_product(self, total: Any, left: Float64Array, right: Float64Array) -> Float64Array:
        """Add a product of matrices to the total in place."""
        if total is None:
            return np.matmul(left, right)
        self.product = np.matmul(left, right, out=self.product)
        total += self.product
        return total

    def sums(self) -> tuple[Any, Any]:
        """Return the sums of the shard's gradients by W and by b, and be ready for the next."""
        dWT, db, self.dWT, self.db = self.dWT, self.db, None, None
        return dWT.T, db


class MoreScoresThanFeatures(ManyScores):
    """W of shape (n, K) with K > n: work on X, which is smaller than the scores.

    A column of ones in X stands for the intercept, and the factors of the gradient multiply X.
    That saves 10 % at n = 20 and K = 100, and 6 % at n = 200 and K = 1,000.
    """

    def __init__(self, W: Float64Array, b: Float64Array, block_rows: int, shard_rows: int) -> None:
        self.WT = np.vstack([W, b]).T
        self.scratch = np.empty(block_rows * W.shape[1])
        self.x_and_1 = np.empty((block_rows, self.WT.shape[1]))
        self.total: Any = None
        self.product = None

    def scores(self, rows: slice, x: Float64Array) -> Float64Array:
        """Return the scores of a block; see `ManyScores`."""
        K, m = len(self.WT), len(x)
        x_and_1 = self.x_and_1[:m]
        x_and_1[:, :-1], x_and_1[:, -1] = x, 1.0
        return np.matmul(self.WT, x_and_1.T, out=self.scratch[: K * m].reshape(K, m))

    def add(self, rows: slice, x: Float64Array, s: Float64Array, factor: Any) -> None:
        """Add the gradient of a block; see `ManyScores`."""
        x_and_1 = self.x_and_1[: len(x)]
        if factor is not None:
            x_and_1 *= factor[:, None]
        self.total = self.add_product(self.total, x_and_1.T, s.T)

    def sums(self) -> tuple[Any, Any]:
        """Return the sums of the shard's gradients by W and by b, and be ready for the next."""
        total, self.total = self.total, None
        return total[:-1], total[-1].copy()  # a view would keep all of the total alive


Products = OneScore | ManyScores


def products_for(W: Float64Array, b: Float64Array, block_rows: int, shard_rows: int) -> Products:
    """Return the way to multiply that suits the shape of W."""
    kind: Any = OneScore
    if W.ndim == 2:
        kind = MoreScoresThanFeatures if W.shape[1] > W.shape[0] else ManyScores
    return kind(W, b, block_rows, shard_rows)


def small_product_rows(n: int, K: int) -> int:
    """Return how many rows of X to multiply at a time; 0 stands for all.

    OpenBLAS packs matrices before it multiplies them, which takes longer than the product if there
    are few scores. With AVX-512 it leaves that out of products with an inner dimension of 32 or
    more, 1,200 results or fewer, and 10^6 multiplications or fewer. Elsewhere many small products
    take as long as a large one.
    """
    return min(1200 // K, 10**6 // (n * K + 1)) if n >= 32 and K <= 16 else 0
