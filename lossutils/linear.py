"""Loss and gradient of a linear model, from sums over its rows.

``_engine.py`` computes the sums over rows in memory, block by block and thread by thread;
`lossutils.chunks` computes them over rows in dask arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._checks import FLOAT64, Array, check_l2, to_float64
from ._engine import Rows, RowsInMemory
from ._optional import is_dask
from .chunks import RowsInChunks
from .losses import Loss


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
        part by part, those of rows with weight 0 not at all.
    """
    rows = rows_of(X, targets, sample_weight)
    return rows_value_and_grad(rows, loss, W, b, l2, block_rows, n_threads)


def rows_of(X: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None = None) -> Rows:
    """Wrap data so that sums over its rows are computed where they lie: in memory, or in chunks."""
    kind = RowsInChunks if is_dask(X, targets, sample_weight) else RowsInMemory
    return kind(X, targets, sample_weight)


def rows_value_and_grad(
    rows: Rows,
    loss: Loss,
    W: ArrayLike,
    b: ArrayLike,
    l2: float = 0.0,
    block_rows: int | None = None,
    n_threads: int = 1,
) -> tuple[float, Array, float | Array]:
    """Do what `linear_value_and_grad` does, for rows that were checked before."""
    (W, dtype), (b, _) = to_float64(W), to_float64(b)
    check_l2(l2)
    # The gradient of a mean is the mean of the gradients: a sum over rows, taken anywhere in any
    # number of parts. In place, since the sums may be as large as W.
    sums = rows.sums(loss, W, b, block_rows, n_threads)
    total = loss._nonzero(sums.weight)
    value, dW, db = sums.loss / total, sums.dW, sums.db
    dW /= total
    db /= total
    if l2:
        value += 0.5 * l2 * float(np.sum(W * W))
        dW += l2 * W
    if dtype != FLOAT64:
        dW, db = dW.astype(dtype), db.astype(dtype)
    return value, dW, float(db) if W.ndim == 1 else db
