"""Self-checks of exercises and assignments, which print what is wrong instead of raising.

They call right what the grader calls right, by the rule in ``lossutils/_compare.py``.
"""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._checks import Float64Array
from ._compare import FLOOR, TOL, agrees, likely_mistake, numbers, relative_error


def check_answer(
    name: str, answer: ArrayLike | None, expected: ArrayLike, *, tol: float = TOL
) -> None:
    """Print whether an answer agrees with the result of an independent computation.

    The first wrong answer to an exercise is called too high or too low. Only a second, different
    one is told what is expected, so that a guess does not give the answer away.

    Parameters
    ----------
    name : str
        Name of the exercise.
    answer : array_like or None
        The reader's number or array, or None before the reader has answered.
    expected : array_like
        The right result.
    tol : float, default 1e-6
        Largest error that counts as right, relative to the larger of the two values and 0.001.
    """
    if answer is None:
        print(f"{name}: waiting for your answer. Replace None and run the cell again.")
        return
    if agrees(answer, expected, tol=tol):
        print(f"{name}: right.")
    else:
        print(f"{name}: not yet. {_hint(name, answer, expected, tol)}")


_first_guesses: dict[str, Float64Array] = {}
"""The first wrong answer to each exercise that had the right shape."""


def _hint(name: str, answer: Any, expected: Any, tol: float) -> str:
    """Say how a wrong answer differs: exactly if the first wrong answer was another one."""
    a, e = numbers(answer), numbers(expected)
    if a is None or e is None or isinstance(expected, str | tuple):
        return _difference(answer, expected, tol)
    if a.shape != e.shape:
        return f"Yours has the wrong shape, {a.shape}."
    if not agrees(a, _first_guesses.setdefault(name, a), tol=tol):
        return _difference(answer, expected, tol)
    worst, where = _worst(a, e)
    if np.isnan(a[worst]):
        return f"Yours is nan{where}."
    return f"Yours is too {'high' if a[worst] > e[worst] else 'low'}{where}."


def check(
    function: Callable[..., Any],
    *args: ArrayLike,
    expected: Any,
    mistakes: Mapping[str, Any] | None = None,
) -> None:
    """Call a function of an assignment and print whether its result is right.

    Parameters
    ----------
    function : callable
        The student's function.
    *args : array_like
        Its arguments. A list becomes an array, as in the hidden tests.
    expected : number, array, str, or tuple of these
        The right result.
    mistakes : dict of str to what a typical mistake returns, optional
        The first mistake that gives the student's result is printed as the likely one.
    """
    inputs = [np.array(arg) if isinstance(arg, list | tuple) else arg for arg in args]
    name = getattr(function, "__name__", str(function))
    call = f"{name}({', '.join(map(_shown, inputs))})"
    given = copy.deepcopy(inputs)
    called, answer = _called(function, given, name, call)
    if not called:
        return
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(inputs, given, strict=True)):
        print(f"{call}: not yet. It changes its own input; compute a new array instead.")
        return
    if agrees(answer, expected):
        print(f"{call}: right.")
        return
    print(f"{call}: not yet.\n  expected  {_shown(expected)}\n  got       {_shown(answer)}")
    if mistake := likely_mistake(answer, expected, mistakes or {}):
        print(f"  likely    {mistake}")
    else:
        print(f"  that is   {_difference(answer, expected)}")


def check_evidence(
    evidence: Callable[[int], Any],
    loss: Callable[..., Any],
    *,
    among: Sequence[int],
    size: int = 6,
) -> None:
    """Call a function of an assignment for a batch that breaks a law, and print what it shows.

    Parameters
    ----------
    evidence : callable
        The student's function. It takes a number of examples, and returns the number of a law in
        `lossutils.laws.LAWS`, counted from 1, scores and targets; for ``repetition`` whole numbers,
        too.
    loss : callable
        The loss with a bug: takes scores and targets (and weights, if it has any), and returns
        the mean loss, or a pair of that and the gradient.
    among : sequence of int
        The laws that can be tried on it.
    size : int, default 6
        The number of examples.
    """
    from ._evidence import shown

    name = getattr(evidence, "__name__", str(evidence))
    call = f"{name}({size})"
    called, answer = _called(evidence, [size], name, call)
    if not called:
        return
    try:
        case = shown(answer, loss, size, among)
    except ValueError as error:
        print(f"{call}: not yet. It is no evidence: {error}.")
        return
    said = f"right. {case[0].upper()}{case[1:]}." if case else "not yet. Here this law holds."
    print(f"{call}: {said}")


def _called(
    function: Callable[..., Any], args: Sequence[Any], name: str, call: str
) -> tuple[bool, Any]:
    """Call a student's function; return whether it returned, and what, or say why it did not."""
    try:
        return True, function(*args)
    except NotImplementedError:
        print(f"{name}: waiting for your answer. Write it in place of `raise NotImplementedError`.")
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        print(f"{call}: not yet.\n  raised    {type(error).__name__}: {error}")
        print(f"  where     line {place.lineno}, in {place.name}: {place.line}")
    return False, None


def _difference(answer: Any, expected: Any, tol: float = TOL) -> str:
    """Say how a wrong answer differs from the right one."""
    if isinstance(expected, str):
        return f"Yours is {answer!r}, expected is {expected!r}."
    if isinstance(expected, tuple):
        if not isinstance(answer, list | tuple) or len(answer) != len(expected):
            return f"Yours is {_kind(answer)}, expected is a tuple of {len(expected)} results."
        pairs = enumerate(zip(answer, expected, strict=True), start=1)
        number, (a, e) = next((k, pair) for k, pair in pairs if not agrees(*pair, tol=tol))
        return f"Result {number} of {len(expected)}: {_difference(a, e, tol)}"
    if answer is None:
        return "Yours is None: is the return missing?"
    a, e = numbers(answer), np.asarray(expected, dtype=np.float64)
    if a is None:
        return f"Your answer {answer!r} is not a number or an array of numbers."
    if a.shape != e.shape:
        return f"Your answer has shape {a.shape}, expected is {e.shape}."
    worst, where = _worst(a, e)
    return f"Yours is {a[worst]:.6g}{where}, expected is {e[worst]:.6g}."


def _worst(a: Float64Array, e: Float64Array) -> tuple[tuple[np.intp, ...], str]:
    """Return the index of the largest error, and a phrase that says where that is."""
    error = relative_error(a, e, FLOOR)
    worst = np.unravel_index(np.argmax(error), error.shape)
    return worst, f" at position {', '.join(map(str, worst))}" if worst else ""


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}" + (f" of {len(value)}" if hasattr(value, "__len__") else "")


def _shown(value: Any) -> str:
    """Return a value on one line, as one would type it."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))})"
    if isinstance(value, np.ndarray) and value.size <= 24:
        return " ".join(np.array2string(value, precision=6, separator=", ").split())
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return repr(value)
