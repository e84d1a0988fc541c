"""Checks of arguments, and the types of arrays, for the whole package.

Each check returns what it has checked, or raises a ValueError that says what came, what was
expected and how to mend it.
"""

from __future__ import annotations

from math import isfinite
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]
Float64Array = NDArray[np.float64]
FLOAT64 = np.dtype(np.float64)


def to_float64(x: ArrayLike) -> tuple[Float64Array, np.dtype]:
    """Return ``x`` as a float64 array, and the precision in which to return results.

    Parameters
    ----------
    x : array_like
        Real numbers of any shape.

    Returns
    -------
    array : ndarray of float64
        The same numbers; no copy if ``x`` is a float64 array already.
    dtype : numpy.dtype
        float32 if ``x`` is float32, else float64 (integers and booleans become float64).

    Raises
    ------
    ValueError
        If ``x`` does not consist of real numbers.
    """
    array = np.asarray(x)
    if array.dtype == FLOAT64:  # the usual case: a fifth of the time of what follows
        return array, FLOAT64
    check_real(array.dtype)
    single = array.dtype.kind == "f" and array.dtype.itemsize == 4
    return array.astype(np.float64, copy=False), np.dtype(np.float32 if single else np.float64)


def named_float64(owner: str, name: str, x: ArrayLike) -> tuple[Float64Array, np.dtype]:
    """Do what `to_float64` does; an error names the argument and the loss that it belongs to."""
    try:
        return to_float64(x)
    except ValueError as error:
        raise ValueError(f"{owner}: {name}: {error}") from None


def check_real(dtype: np.dtype) -> None:
    """Raise unless a dtype is one of real numbers."""
    if dtype.kind not in "fiub":
        raise ValueError(
            f"expected real numbers, got an array of dtype {dtype}; "
            "convert it with np.asarray(x, dtype=float)"
        )


def check_count(name: str, value: Any, low: int, high: float = np.inf) -> int:
    """Return a whole number from low to high."""
    known = isinstance(value, Real) and isfinite(value)
    if not (known and value == int(value) and low <= value <= high):
        limits = f"of at least {low}" if high == np.inf else f"from {low} to {high}"
        raise ValueError(f"{name} must be a whole number {limits}, got {value!r}")
    return int(value)


def check_positive(name: str, value: float) -> None:
    """Raise unless a number is positive and finite."""
    if not 0 < value < np.inf:
        raise ValueError(f"{name} must be a positive, finite number, got {value!r}")


def check_l2(l2: float) -> None:
    """Raise unless the strength of a penalty is non-negative and finite."""
    if not 0 <= l2 < np.inf:
        raise ValueError(f"l2 must be non-negative and finite, got {l2!r}")


def check_rows(X, targets) -> None:
    """Raise unless X is a table with at least one row, and there is one target for each row."""
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


def check_parameters(n: int, W, b) -> None:
    """Raise unless W and b are the parameters of a linear model of n features."""
    if W.ndim not in (1, 2) or len(W) != n:
        raise ValueError(
            f"W must have shape ({n},) or ({n}, K) for X with {n} columns, got {W.shape}"
        )
    if b.shape != W.shape[1:]:
        raise ValueError(
            f"b must have shape {W.shape[1:]} for W of shape {W.shape}, got {b.shape}; "
            "a model of one score has a scalar b"
        )


def check_weights(name: str, sample_weight: ArrayLike | None, m: int) -> Float64Array | None:
    """Return the weights of m examples as float64, or None if there are none.

    A NaN passes, so that it shows in the result.
    """
    if sample_weight is None:
        return None
    w, _ = named_float64(name, "sample_weight", sample_weight)
    check_weight_shape(name, w.shape, m)
    with np.errstate(over="ignore"):
        finite = not np.isinf(w.sum())
    if (w < 0).any() or not w.any() or not finite:
        raise weights_error(name, np.nanmin(w), np.nanmax(w))
    return w


def weights_error(name: str, lowest: float, highest: float) -> ValueError:
    """Return the error for weights that are negative, infinite or all zero."""
    return ValueError(
        f"{name}: sample_weight must be non-negative, finite and not all zero, "
        f"got weights from {lowest:g} to {highest:g}; a weight of 0 leaves an example out"
    )


def check_weight_shape(name: str, shape: tuple[int, ...], m: int) -> None:
    """Raise unless weights have the shape (m,)."""
    if shape != (m,):
        raise ValueError(
            f"{name}: sample_weight must have shape {(m,)}, one weight for each example, "
            f"got {shape}"
        )
