"""Sigmoid, softplus, log-sum-exp, softmax and their kin, stable for every score.

Naive formulas overflow (``exp(800)``), cancel (``1 - sigmoid(40)``) or take the logarithm of a
rounded zero. The functions here never exponentiate a positive number and never subtract two
nearly equal ones, so their results keep full *relative* accuracy even where they are tiny.

All of them compute in float64; a float32 input gives a float32 result, rounded once at the end
(NumPy's float32 ``exp`` alone is off by 1.6 eps, which would use up most of the error budget).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import Array, Float64Array, to_float64


def sigmoid(z: ArrayLike) -> Array:
    r"""Logistic sigmoid :math:`\sigma(z) = 1 / (1 + e^{-z})`, element by element.

    Parameters
    ----------
    z : array_like
        Logits of any shape; infinities give the limits 0 and 1.

    Returns
    -------
    ndarray
        Probabilities of the same shape, within 2 eps of the true value (proved
        for -708 ≤ z ≤ 708).
    """
    z, dtype = to_float64(z)
    e = np.exp(-np.abs(z))
    return (np.where(z >= 0, 1.0, e) / (1.0 + e)).astype(dtype)


def sigmoid_derivative(z: ArrayLike) -> Array:
    r"""Derivative :math:`\sigma'(z) = \sigma(z)\,\sigma(-z)`, at most 1/4 (at z = 0).

    Parameters
    ----------
    z : array_like
        Logits of any shape.

    Returns
    -------
    ndarray
        Slopes of the same shape; the product is formed without :math:`1 - \sigma`, so that the
        slope far out is tiny and right, not 0.
    """
    z, dtype = to_float64(z)
    e = np.exp(-np.abs(z))
    return (e / (1.0 + e) ** 2).astype(dtype)


def softplus(z: ArrayLike) -> Array:
    r"""Softplus :math:`\log(1 + e^z)`, the negative log of :math:`\sigma(-z)`.

    Parameters
    ----------
    z : array_like
        Logits of any shape.

    Returns
    -------
    ndarray
        Non-negative numbers of the same shape.
    """
    z, dtype = to_float64(z)
    return (np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))).astype(dtype)


class SoftmaxParts(NamedTuple):
    """Terms of every function of a softmax; see `softmax_parts`."""

    top: NDArray[np.intp]
    """(m, 1) index of each row's largest score."""
    gap: Float64Array
    """(m, K) largest score minus score, never negative."""
    e: Float64Array
    """(m, K) exp(-gap); exactly 1 at ``top``."""
    rest: Float64Array
    """(m, 1) sum of ``e`` over the columns other than ``top``."""

    @property
    def p(self) -> Float64Array:
        """(m, K) softmax."""
        return self.e / (1.0 + self.rest)

    @property
    def q(self) -> Float64Array:
        """(m, K) 1 - softmax, formed at ``top`` without the subtraction that would cancel."""
        q = 1.0 - self.p
        np.put_along_axis(q, self.top, self.rest / (1.0 + self.rest), axis=1)
        return q

    @property
    def neg_log_p(self) -> Float64Array:
        """(m, K) minus the log of the softmax: a sum of two terms that are never negative."""
        return self.gap + np.log1p(self.rest)


def softmax_parts(s: Float64Array, temperature: float = 1.0) -> SoftmaxParts:
    """Split a softmax over rows into parts from which it, its complement and its log follow.

    Parameters
    ----------
    s : ndarray of float64, shape (m, K)
        Scores.
    temperature : float, default 1.0
        Positive number by which all scores are divided.

    Returns
    -------
    SoftmaxParts
        A row with one infinite score gives the limit; with two equal infinities, or a NaN, it is
        NaN.
    """
    top = np.argmax(s, axis=1, keepdims=True)
    largest = np.take_along_axis(s, top, axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        gap, error = exact_difference(largest, s)
        if temperature != 1.0:
            gap, error = exact_quotient(gap, error, temperature)
        # Without `error`, half an ulp of a gap of 700 would be 250 eps of its exponential.
        e = np.exp(-gap) * (1.0 - error)
    known = np.where(np.isnan(largest), np.nan, 1.0)
    np.put_along_axis(gap, top, known - 1.0, axis=1)  # also where the largest score is infinite
    np.put_along_axis(e, top, 0.0, axis=1)
    rest = e.sum(axis=1, keepdims=True)
    np.put_along_axis(e, top, known, axis=1)
    return SoftmaxParts(top, gap, e, rest)


def all_but(column: NDArray[np.intp], width: int) -> NDArray[np.bool_]:
    """Return a mask (m, width) of all columns but one in each row.

    Parameters
    ----------
    column : ndarray of int, shape (m, 1)
        The column to leave out of each row. ``values[mask].reshape(m, width - 1)`` is the rest.
    width : int
        Number of columns.
    """
    return np.arange(width) != column


def exact_difference(a: Float64Array, b: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Subtract two arrays and say what rounding lost.

    Parameters
    ----------
    a, b : ndarray of float64
        Arrays that broadcast against each other.

    Returns
    -------
    difference : ndarray
        ``a - b``, rounded.
    error : ndarray
        The exact ``a - b`` minus ``difference`` (0 where the difference is not finite).

    Notes
    -----
    Knuth's TwoSum: D. E. Knuth, *The Art of Computer Programming*, vol. 2, section 4.2.2,
    theorem B.
    """
    difference = a - b
    minus_b = difference - a
    error = (a - (difference - minus_b)) - (b + minus_b)
    return difference, np.where(np.isfinite(difference), error, 0.0)


def exact_product(
    a: Float64Array, error: Float64Array, factor: float
) -> tuple[Float64Array, Float64Array]:
    """Multiply numbers by a factor and say what rounding lost.

    Parameters
    ----------
    a, error : ndarray of float64
        Numbers a + error, of which ``error`` is tiny, as `exact_difference` returns them.
    factor : float
        What to multiply by.

    Returns
    -------
    product : ndarray
        ``a * factor``, rounded.
    error : ndarray
        The exact product minus ``product``, to the last few of its own digits (0 where a number is
        not finite or larger than 1e292).

    Notes
    -----
    Dekker's product: T. J. Dekker, "A floating-point technique for extending the available
    precision", Numerische Mathematik 18 (1971).
    """
    product = a * factor
    a_high, a_low = _halves(a)
    f_high, f_low = _halves(np.float64(factor))
    lost = a_low * f_low - (((product - a_high * f_high) - a_low * f_high) - a_high * f_low)
    return product, np.where(np.isfinite(lost), lost, 0.0) + error * factor


def exact_quotient(
    a: Float64Array, error: Float64Array, divisor: float
) -> tuple[Float64Array, Float64Array]:
    """Divide numbers a + error by a number and say what rounding lost; see `exact_product`."""
    quotient = a / divisor
    product, lost = exact_product(quotient, np.zeros_like(quotient), divisor)
    rest = (a - product) - lost
    return quotient, (np.where(np.isfinite(rest), rest, 0.0) + error) / divisor


def _halves(a):
    """Split numbers into two of 26 bits each, whose products are exact."""
    c = 134217729.0 * a  # 2**27 + 1
    high = c - (c - a)
    return high, a - high


def logsumexp(s: ArrayLike, axis: int = -1) -> Array:
    r"""Log-sum-exp :math:`\log \sum_k e^{s_k}`, which neither overflows nor underflows.

    Parameters
    ----------
    s : array_like
        Scores with at least one axis.
    axis : int, default -1
        Axis to sum over, which must not be empty.

    Returns
    -------
    ndarray
        The shape of ``s`` without ``axis``.
    """
    rows, restore, dtype = _as_rows(s, axis)
    largest = rows.max(axis=1)
    value = largest + np.log1p(softmax_parts(rows).rest[:, 0])
    value = np.where(np.isinf(largest), largest, value)
    return restore(value[:, None])[..., 0].astype(dtype)


def softmax(s: ArrayLike, axis: int = -1) -> Array:
    r"""Softmax :math:`p_j = e^{s_j} / \sum_k e^{s_k}`.

    Parameters
    ----------
    s : array_like
        Scores with at least one axis.
    axis : int, default -1
        Axis of the classes, which must not be empty.

    Returns
    -------
    ndarray
        Probabilities of the same shape that sum to 1 along ``axis``.
    """
    rows, restore, dtype = _as_rows(s, axis)
    return np.moveaxis(restore(softmax_parts(rows).p), -1, axis).astype(dtype)


def log_softmax(s: ArrayLike, axis: int = -1) -> Array:
    r"""Log-softmax :math:`\log p_j = s_j - \log \sum_k e^{s_k}`.

    Parameters
    ----------
    s : array_like
        Scores with at least one axis.
    axis : int, default -1
        Axis of the classes, which must not be empty.

    Returns
    -------
    ndarray
        Non-positive numbers of the same shape.
    """
    rows, restore, dtype = _as_rows(s, axis)
    return np.moveaxis(restore(-softmax_parts(rows).neg_log_p), -1, axis).astype(dtype)


def _as_rows(s, axis):
    """Bring ``axis`` last and flatten the others: rows of scores, and the way back."""
    s, dtype = to_float64(s)
    if not -s.ndim <= axis < s.ndim or s.shape[axis] == 0:
        raise ValueError(
            f"expected scores with at least one entry along axis {axis}, got shape {s.shape}"
        )
    moved = np.moveaxis(s, axis, -1)
    rows = moved.reshape(-1, moved.shape[-1])
    return rows, lambda r: r.reshape(*moved.shape[:-1], r.shape[1]), dtype
