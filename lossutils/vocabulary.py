"""Cross-entropy over a vocabulary: a block of classes at a time, the logits never held together.

With K in the tens of thousands the logits, m by K, outgrow everything else. ``_engine.py`` works
through blocks of rows; this module works through blocks of classes, twice. The first pass
keeps for each row the largest score so far and the sum of the exponentials below it (the online
log-sum-exp; see online-lse in the chapter *A gradient is a sum*). The second pass computes the
scores of each block again, now that their normaliser is known, and turns them into that block's
gradient.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from ._checks import Array, Float64Array, check_count, to_float64
from ._engine import BLOCK_BYTES


def cross_entropy_by_classes(
    X: ArrayLike,
    labels: ArrayLike,
    W: ArrayLike,
    b: ArrayLike,
    *,
    block_classes: int | None = None,
) -> tuple[float, Array, Array]:
    r"""Mean cross-entropy of a linear model and its gradient, in memory for one block of classes.

    .. math:: L = \frac{1}{m} \sum_i \Bigl( \log \sum_{k=1}^{K} e^{s_{ik}} - s_{i, y_i} \Bigr),
              \qquad s = XW + b

    The same as ``linear_value_and_grad`` with ``CrossEntropyLoss()``, for three products of
    matrices in place of two. Losses are accurate to rounding of the scores; only
    ``CrossEntropyLoss`` keeps the digits of a far smaller one, such as 1e-20.

    Parameters
    ----------
    X : array_like, shape (m, n)
        Features; rows are examples.
    labels : array_like of int, shape (m,)
        The right class of each row, from 0 to K - 1.
    W : array_like, shape (n, K)
        Weights.
    b : array_like, shape (K,)
        Intercepts.
    block_classes : int, optional
        Classes in a block; by default as many as fit in cache for m rows. The result does not
        depend on it beyond rounding.

    Returns
    -------
    value : float
        The mean loss.
    dW : ndarray, shape (n, K)
        Derivative with respect to the weights.
    db : ndarray, shape (K,)
        Derivative with respect to the intercepts.

    Raises
    ------
    ValueError
        If shapes do not fit together, or a label is not a whole number from 0 to K - 1.
    """
    (X, _), (W, dtype), (b, _) = to_float64(X), to_float64(W), to_float64(b)
    labels = np.asarray(labels)
    _check(X, labels, W, b)
    m, K = len(X), W.shape[1]
    if block_classes is None:
        block_classes = max(1, BLOCK_BYTES // (8 * m))
    width = min(K, check_count("block_classes", block_classes, 1))
    memory, rows = np.empty(width * m), np.arange(m)

    def blocks() -> Iterator[tuple[slice, Float64Array, Array, Array]]:
        """Yield classes, their scores, and the rows whose label is among them, with its place."""
        for start in range(0, K, width):
            k = slice(start, min(start + width, K))
            # Class after class, since NumPy reduces along a long last axis of rows slowly.
            s = np.matmul(W[:, k].T, X.T, out=memory[: (k.stop - start) * m].reshape(-1, m))
            s += b[k, None]
            here = rows[(labels >= start) & (labels < k.stop)]
            yield k, s, here, labels[here] - start

    # The lowest number and not -inf, which would be NaN after a block whose scores are all -inf.
    lowest = np.finfo(np.float64).min
    largest, total, right = np.full(m, lowest), np.zeros(m), np.empty(m)
    for _, s, here, place in blocks():
        right[here] = s[place, here]
        new = np.maximum(largest, s.max(axis=0))
        total *= np.exp(largest - new)
        s -= new
        total += np.exp(s, out=s).sum(axis=0)
        largest = new
    log_total = np.log(total)
    value = float(np.mean((largest - right) + log_total))

    normaliser = largest + log_total
    dW, db = np.empty(W.shape), np.empty(K)
    for k, s, here, place in blocks():
        s -= normaliser
        p = np.exp(s, out=s)
        p[place, here] -= 1.0
        p /= m
        dW[:, k] = (p @ X).T
        db[k] = p.sum(axis=1)
    return value, dW.astype(dtype, copy=False), db.astype(dtype, copy=False)


def _check(X, labels, W, b):
    if X.ndim != 2 or X.size == 0 or W.ndim != 2 or W.size == 0 or len(W) != X.shape[1]:
        raise ValueError(
            f"X must have shape (m, n) and W (n, K), none of them 0; got {X.shape} and {W.shape}"
        )
    if b.shape != W.shape[1:]:
        raise ValueError(f"b must have shape {W.shape[1:]} for W of shape {W.shape}, got {b.shape}")
    if labels.shape != X.shape[:1]:
        raise ValueError(
            f"X has {len(X)} rows but labels have shape {labels.shape}; give one for each row"
        )
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= W.shape[1]:
        raise ValueError(
            f"labels must be whole numbers from 0 to {W.shape[1] - 1}, got {labels.dtype} "
            f"from {labels.min()} to {labels.max()}"
        )
