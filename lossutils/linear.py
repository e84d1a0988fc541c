"""Loss and gradient of a linear model over rows of data, in blocks that stay in cache.

A gradient is a sum over examples, so it can be taken a block of rows at a time: X is read once, and
the scores of all m examples never exist together.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from .losses.base import Loss, check_weights
from .special import Array, to_float64

BLOCK_BYTES = 2**18
"""Size of a block of X and its scores: what stays in a core's cache between its two uses."""


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
    X : array_like, shape (m, n)
        Features; rows are examples. An ``np.memmap`` is read block by block.
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
        If shapes do not fit together, or ``loss`` does not take the targets.
    """
    X, targets = np.asanyarray(X), np.asarray(targets)
    (W, dtype), (b, _) = to_float64(W), to_float64(b)
    m = _check_shapes(X, targets, W, b)
    check_l2(l2)
    w = check_weights("linear_value_and_grad", sample_weight, m)

    value, dW, db = 0.0, np.zeros_like(W), np.zeros_like(b)
    for rows in _blocks(X, W, block_rows):
        x, y, weights = to_float64(X[rows])[0], targets[rows], None if w is None else w[rows]
        if weights is not None and not weights.all():
            kept = weights != 0  # here, since 0 times an infinite feature would be NaN
            x, y, weights = x[kept], y[kept], weights[kept]
            if len(x) == 0:
                continue
        block_value, grad = loss.value_and_grad(
            x @ W + b, y, sample_weight=weights, reduction="sum"
        )
        value += float(block_value)
        dW += x.T @ grad
        db += grad.sum(axis=0)

    total = float(m if w is None else w.sum())
    value = value / total + 0.5 * l2 * float(np.sum(W * W))
    dW, db = dW / total + l2 * W, db / total
    return value, dW.astype(dtype), float(db) if db.ndim == 0 else db.astype(dtype)


def check_l2(l2: float) -> None:
    """Raise ValueError unless the strength of a penalty is non-negative and finite."""
    if not 0 <= l2 < np.inf:
        raise ValueError(f"l2 must be non-negative and finite, got {l2!r}")


def check_count(name: str, value: float, low: int, high: float = np.inf) -> int:
    """Return a whole number from low to high, or raise ValueError."""
    if not (np.isfinite(value) and value == int(value) and low <= value <= high):
        limits = f"of at least {low}" if high == np.inf else f"from {low} to {high}"
        raise ValueError(f"{name} must be a whole number {limits}, got {value!r}")
    return int(value)


def _check_shapes(X, targets, W, b):
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
    return len(X)


def _blocks(X, W, block_rows) -> Iterator[slice]:
    if block_rows is None:
        block_rows = max(1, BLOCK_BYTES // (8 * (X.shape[1] + W[:1].size)))
    block_rows = check_count("block_rows", block_rows, 1)
    for start in range(0, len(X), block_rows):
        yield slice(start, start + block_rows)
