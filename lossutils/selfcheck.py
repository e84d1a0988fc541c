"""Self-checks of exercises and assignments: they print what is wrong instead of raising."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def check_answer(
    name: str, answer: ArrayLike | None, expected: ArrayLike, *, tol: float = 1e-6
) -> None:
    """Compare an answer with what an independent computation gives, and print the outcome.

    Parameters
    ----------
    name : str
        The exercise.
    answer : array_like or None
        The reader's number or array; None if there is none yet.
    expected : array_like
        The same, computed another way.
    tol : float, default 1e-6
        Largest difference that counts as right, relative to the larger of 1 and the two values.
    """
    if answer is None:
        print(f"{name}: waiting for your answer. Replace None and run the cell again.")
        return
    difference = _difference(answer, expected, tol)
    print(f"{name}: {'right.' if difference is None else f'not yet. {difference}'}")


def check(
    function: Callable[..., Any],
    *args: ArrayLike,
    expected: Any,
    mistakes: Mapping[str, Any] | None = None,
    tol: float = 1e-6,
) -> None:
    """Call a function of an assignment, and print how its result compares with the right one.

    Parameters
    ----------
    function : callable
        The student's function.
    *args : array_like
        What to call it with; a list becomes an array, as in the hidden tests.
    expected : number, array, str, or tuple of these
        The right result.
    mistakes : dict of str to what a typical mistake returns, optional
        The text of the first that fits the result is printed as the likely mistake.
    tol : float, default 1e-6
        Largest difference that counts as right, relative to the larger of 1 and the two values.
    """
    inputs = [np.array(arg) if isinstance(arg, list | tuple) else arg for arg in args]
    name = getattr(function, "__name__", str(function))
    call = f"{name}({', '.join(map(_shown, inputs))})"
    given = copy.deepcopy(inputs)
    try:
        answer = function(*given)
    except NotImplementedError:
        print(f"{name}: waiting for your answer. Write it in place of `raise NotImplementedError`.")
        return
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        print(f"{call}: not yet.\n  raised    {type(error).__name__}: {error}")
        print(f"  where     line {place.lineno}, in {place.name}: {place.line}")
        return
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(inputs, given, strict=True)):
        print(f"{call}: not yet. It changes its own input; compute a new array instead.")
        return
    difference = _difference(answer, expected, tol)
    if difference is None:
        print(f"{call}: right.")
        return
    print(f"{call}: not yet.\n  expected  {_shown(expected)}\n  got       {_shown(answer)}")
    for mistake, value in (mistakes or {}).items():
        if _difference(value, expected, tol) and _difference(answer, value, tol) is None:
            print(f"  likely    {mistake}")
            return
    print(f"  that is   {difference}")


def _difference(answer: Any, expected: Any, tol: float) -> str | None:
    """How an answer differs from what is expected, in words; None if it does not."""
    if isinstance(expected, str):
        same = isinstance(answer, str) and answer.strip().lower() == expected.lower()
        return None if same else f"Yours is {answer!r}, expected is {expected!r}."
    if isinstance(expected, tuple):
        if not isinstance(answer, list | tuple) or len(answer) != len(expected):
            return f"Yours is {_kind(answer)}, expected is a tuple of {len(expected)} results."
        for number, (a, e) in enumerate(zip(answer, expected, strict=True), start=1):
            if difference := _difference(a, e, tol):
                return f"Result {number} of {len(expected)}: {difference}"
        return None
    if answer is None:
        return "Yours is None: is the return missing?"
    try:
        a, e = np.asarray(answer, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    except (TypeError, ValueError):
        return f"Your answer {answer!r} is not a number or an array of numbers."
    if a.shape != e.shape:
        return f"Your answer has shape {a.shape}, expected is {e.shape}."
    if not a.size:
        return None
    with np.errstate(invalid="ignore"):  # inf - inf
        error = np.abs(a - e) / np.maximum(1.0, np.maximum(np.abs(a), np.abs(e)))
    same = (a == e) | (np.isnan(a) & np.isnan(e))
    error = np.where(same, 0.0, np.where(np.isfinite(error), error, np.inf))
    if error.max() <= tol:
        return None
    worst = np.unravel_index(np.argmax(error), error.shape)
    where = f" at position {', '.join(map(str, worst))}" if worst else ""
    return f"Yours is {a[worst]:.6g}{where}, expected is {e[worst]:.6g}."


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}" + (f" of {len(value)}" if hasattr(value, "__len__") else "")


def _shown(value: Any) -> str:
    """Value on one line, as one would type it."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))})"
    if isinstance(value, np.ndarray) and value.size <= 24:
        return " ".join(np.array2string(value, precision=6, separator=", ").split())
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return repr(value)
