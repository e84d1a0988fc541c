"""Whether two results agree: the rule that self-checks and grader share, and its error."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ._checks import Float64Array

TOL = 1e-6
"""Largest relative error of an answer that counts as right."""

FLOOR = 1e-3
"""Errors of smaller values are relative to this, so that rounding errors agree with an exact 0."""


def relative_error(a: ArrayLike, b: ArrayLike, floor: float) -> Float64Array:
    """Return the difference of two arrays, relative to the largest of ``floor`` and both values.

    The error is 0 where both are NaN or the same infinity, and infinite where only one is.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    with np.errstate(all="ignore"):  # inf - inf, 0 / 0
        error = np.abs(a - b) / np.maximum(floor, np.maximum(np.abs(a), np.abs(b)))
    error = np.where(np.isnan(error), np.inf, error)
    return np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, error)


def numbers(value: object) -> Float64Array | None:
    """Return a number or array as float64, or None if it contains anything but real numbers."""
    try:
        if _has_text(value):  # one long text would make every entry of an array as long
            return None
        array = np.asarray(value)
    except Exception:  # an object of a student may raise anything
        return None
    return array.astype(np.float64) if array.dtype.kind in "biuf" else None


def _has_text(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_has_text, value))
    return isinstance(value, str | bytes)


def agrees(answer: object, expected: object, *, tol: float = TOL, floor: float = FLOOR) -> bool:
    """Return whether an answer is right.

    Parameters
    ----------
    answer : object
        The result of a student.
    expected : number, array, str, or tuple of these
        The right result. Shapes must be the same; a string may differ in case and outer spaces.
    tol, floor : float
        Largest error that counts as right, and the ``floor`` of `relative_error`.
    """
    if isinstance(expected, str):
        return isinstance(answer, str) and answer.strip().lower() == expected.strip().lower()
    if isinstance(expected, tuple):
        if not isinstance(answer, list | tuple) or len(answer) != len(expected):
            return False
        pairs = zip(answer, expected, strict=True)
        return all(agrees(a, e, tol=tol, floor=floor) for a, e in pairs)
    a, e = numbers(answer), numbers(expected)
    if a is None or e is None or a.shape != e.shape:
        return False
    return bool((relative_error(a, e, floor) <= tol).all())


def likely_mistake(
    answer: object,
    expected: object,
    mistakes: Mapping[str, object],
    *,
    tol: float = TOL,
    floor: float = FLOOR,
) -> str | None:
    """Return the name of the first mistake with the result ``answer``, if there is one.

    A mistake that gives the right result on these inputs is skipped.
    """
    for name, value in mistakes.items():
        if not agrees(value, expected, tol=tol, floor=floor) and agrees(
            answer, value, tol=tol, floor=floor
        ):
            return name
    return None
