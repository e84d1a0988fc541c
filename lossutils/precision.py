"""Number formats, and how many digits of a result are right.

NumPy has float64, float32 and float16. The fourth format, bfloat16, is the upper half of a float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import Array

NO_NUMBER = -1
"""What `right_digits` returns for NaN or infinity where the format has a number."""


@dataclass(frozen=True)
class FloatFormat:
    """A binary floating-point format of IEEE 754, by its significant bits and largest exponent."""

    name: str
    bits: int
    """Binary digits of a number, including the leading 1."""
    max_exponent: int
    """Exponent of the largest numbers."""

    @property
    def eps(self) -> float:
        """Gap between 1 and the next number. Rounding has at most half of it as relative error."""
        return 2.0 ** (1 - self.bits)

    @property
    def largest(self) -> float:
        """Largest finite number."""
        return (2.0 - self.eps) * 2.0**self.max_exponent

    @property
    def smallest_normal(self) -> float:
        """Smallest positive number with full precision."""
        return 2.0 ** (1 - self.max_exponent)

    @property
    def smallest(self) -> float:
        """Smallest positive number, which is subnormal and has a single binary digit."""
        return self.smallest_normal * self.eps

    @property
    def digits(self) -> int:
        """Decimal digits that are right after a few roundings, with an error of up to 8 eps."""
        return int(-np.log10(8 * self.eps))


FORMATS = {
    form.name: form
    for form in (
        FloatFormat("float64", bits=53, max_exponent=1023),
        FloatFormat("float32", bits=24, max_exponent=127),
        FloatFormat("bfloat16", bits=8, max_exponent=127),
        FloatFormat("float16", bits=11, max_exponent=15),
    )
}
"""The four formats by name."""


def round_to(x: ArrayLike, name: str) -> Array:
    """Round numbers to the nearest number of a format, and ties to even.

    Parameters
    ----------
    x : array_like
        Numbers of any shape.
    name : str
        A name in `FORMATS`.

    Returns
    -------
    ndarray, shape of ``x``
        Numbers of that dtype. For bfloat16, which NumPy lacks, they are float32 with 8 significant
        bits, and float64 is rounded twice, first to float32, as in PyTorch.

    Raises
    ------
    ValueError
        If there is no such format.
    """
    if name not in FORMATS:
        raise ValueError(f"no format {name!r} is known; known are {', '.join(FORMATS)}")
    with np.errstate(over="ignore"):
        if name != "bfloat16":
            return np.asarray(x).astype(name)
        single = np.asarray(x, dtype=np.float32)
    # ml_dtypes has bfloat16, but five lines are less than one more package for every reader
    word = single.view(np.uint32)
    last = (word >> np.uint32(16)) & np.uint32(1)  # the last bit that remains
    rounded = (word + np.uint32(0x7FFF) + last) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(single), single, rounded.view(np.float32))


def right_digits(values: ArrayLike, exact: Sequence[Any]) -> NDArray[np.int_]:
    """Count the decimal digits of results that are right.

    Parameters
    ----------
    values : array_like, shape (n,)
        Results in float64, float32 or float16.
    exact : sequence of n numbers
        True values, such as mpmath's, which need not fit into the format.

    Returns
    -------
    ndarray of int, shape (n,)
        Minus the base-10 logarithm of the relative error, rounded down, from 0 to the digits of the
        format (`FloatFormat.digits`). If the true value is too small for a normal number, an error
        of up to 4 times the smallest number counts as right; if it is too large, infinity does.
        `NO_NUMBER` where the result is NaN or wrongly infinite.

    Raises
    ------
    ValueError
        If the results are in another format, or there are more or fewer than true values.
    """
    values = np.asarray(values)
    if values.dtype.name not in FORMATS:
        raise ValueError(
            f"expected results in float64, float32 or float16, got dtype {values.dtype}; "
            "convert them with np.asarray(values, dtype=float)"
        )
    if values.shape != (len(exact),):
        raise ValueError(
            f"expected one true value for each result, got {len(exact)} for shape {values.shape}"
        )
    form = FORMATS[values.dtype.name]

    def count(value: float, true: Any) -> int:
        if not np.isfinite(value):
            right = abs(true) > form.largest and (true > 0) == (value > 0) and value == value
            return form.digits if right else NO_NUMBER
        error = abs(value - true)
        if abs(true) < form.smallest_normal:
            return form.digits if error <= 4 * form.smallest else 0
        if error * 10**form.digits <= abs(true):
            return form.digits
        return next(d for d in range(form.digits) if error * 10 ** (d + 1) > abs(true))

    pairs = zip(values.tolist(), exact, strict=True)
    return np.array([count(value, true) for value, true in pairs], dtype=int)


def worst_digits(
    formulas: Mapping[str, Callable[[Array], ArrayLike]],
    exact: Mapping[str, Callable[[float], Any]],
    edges: ArrayLike,
    *,
    dtype: str = "float64",
    points: int = 8,
) -> NDArray[np.int_]:
    """Find the fewest right digits of each formula in each interval of scores.

    Parameters
    ----------
    formulas : mapping of str to callable
        Each takes an array of scores and returns one result for each.
    exact : mapping of str to callable
        For each name a function that takes one Python float and returns the true result.
    edges : array_like, shape (b + 1,)
        Ends of b intervals, in rising order.
    dtype : str
        Format of the scores: float64, float32 or float16.
    points : int
        Number of scores in each interval, including its ends.

    Returns
    -------
    ndarray of int, shape (formulas, b)
        As `right_digits` counts, the minimum over the interval.

    Raises
    ------
    ValueError
        If a formula has no exact counterpart, or does not return one result per score.
    """
    if missing := set(formulas) - set(exact):
        raise ValueError(f"no exact value is given for {', '.join(sorted(missing))}")
    edges = np.asarray(edges, dtype=np.float64)
    scores = np.linspace(edges[:-1], edges[1:], points, axis=1).astype(dtype)
    rows = []
    for name, formula in formulas.items():
        with np.errstate(all="ignore"):
            values = np.asarray(formula(scores.ravel()))
        true = [exact[name](score) for score in scores.ravel().tolist()]
        rows.append(right_digits(values, true).reshape(scores.shape).min(axis=1))
    return np.array(rows)
