"""Whether a batch shows that a loss breaks a law: what self-checks and the grader share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import laws
from ._compare import numbers
from .laws import LAWS, Subject
from .losses import BCEWithLogitsLoss

TOL = 1e-3
"""Largest difference that counts as rounding; some of the functions compute in float32."""

LARGEST = 1000
"""Larger scores would be rounded when a law adds to them."""


def shown(answer: Any, loss: Callable[..., Any], size: int, among: Sequence[int]) -> str | None:
    """Say how a batch shows that a loss breaks a law.

    Parameters
    ----------
    answer : object
        What a student returned: the number of a law in `LAWS`, counted from 1, then scores and
        targets of ``size`` examples, and for ``repetition`` whole numbers, too.
    loss : callable
        Takes scores and targets, and weights if it has any. Returns the mean loss, or a pair of
        the mean loss and its gradient.
    size : int
        The number of examples.
    among : sequence of int
        The laws that can be tried on this loss.

    Returns
    -------
    str or None
        The failing case with its numbers, or None if the law holds for this batch.

    Raises
    ------
    ValueError
        If the answer is no such batch; the message says why.
    """
    number, s, y, *more = _checked(answer, size, among)
    law = LAWS[number - 1]
    try:
        with np.errstate(all="ignore"):
            return _tried(law, loss, s, y, more)
    except (ArithmeticError, IndexError, TypeError, ValueError) as error:
        raise ValueError(f"the loss cannot be computed for this batch ({error})") from None


def _checked(answer, size, among):
    """Return number, scores, targets and more, or raise ValueError."""
    if not isinstance(answer, list | tuple) or len(answer) < 3:
        raise ValueError("return a tuple: the number of the law, scores, and targets")
    arrays: list[Any] = [numbers(part) for part in answer]
    if any(array is None for array in arrays):
        raise ValueError("the number of the law, scores and targets must be numbers")
    number, s, y, *more = arrays
    if number.ndim or number not in among:
        raise ValueError(f"the first entry must be one of the laws {', '.join(map(str, among))}")
    repetition = number == 1 + LAWS.index(laws.repetition)
    if len(more) != repetition:
        raise ValueError("only repetition needs a fourth entry: a whole number for each example")
    if any(array.ndim == 0 or len(array) != size for array in (s, y, *more)):
        raise ValueError(f"give {size} examples, one in each row")
    if not all((np.abs(array) <= LARGEST).all() for array in (s, y, *more)):
        raise ValueError(f"every number must lie between {-LARGEST:,} and {LARGEST:,}")
    if s.ndim == 2 and y.ndim == 1:
        # labels come as numbers of any kind, such as 2.0
        ignored = number == 1 + LAWS.index(laws.nothing)
        known = (y == np.floor(y)) & (y >= (-np.inf if ignored else 0)) & (y < s.shape[1])
        if not known.all():
            raise ValueError(f"a label must be a whole number from 0 to {s.shape[1] - 1}")
        y = y.astype(int)
    elif s.shape != y.shape or (y < 0).any() or (y > 1).any():
        raise ValueError("targets that are no labels must lie in [0, 1], one for each score")
    return int(number), s, y, *more


def _tried(law, loss, s, y, more):
    """Return the failing case, or None."""

    def called(s, y, w):
        result = loss(s, y) if w is None else loss(s, y, w)
        return result if isinstance(result, tuple) else (result, None)

    def value(s, y, w):
        found = float(called(s, y, w)[0])
        if np.isnan(found) and law is not laws.nothing:
            raise ValueError("it is NaN, which no law but 7 is about")
        return found

    def grad(s, y, w):
        return called(s, y, w)[1]

    subject = Subject(value, tol=TOL)
    if law is laws.repetition:
        counts = more[0].astype(int)
        if (counts != more[0]).any() or (counts < 0).any() or not counts.any():
            raise ValueError("the fourth entry must be whole numbers that are not all 0")
        return law(subject, s, y, counts).case or None
    if law is laws.nothing:
        if (y >= 0).any():
            raise ValueError("some labels count: ignore all of them")
        found = subject.value(s, y, None)
        told = f"no label counts, and the loss is {found:g}".replace("nan", "NaN")
        return told if found != 0 else None
    if law is laws.proper:
        return _cheaper(subject, s, y)
    if law is laws.tail:
        return _no_pull(Subject(value, grad), s, y)
    if law is laws.slope:
        subject = Subject(value, grad)
    return law(subject, s, y).case or None


def _cheaper(subject, p, y):
    """Compare a prediction with the truth: a proper loss is least at the truth."""
    if (p < 0).any() or (p > 1).any():
        raise ValueError("predictions must lie in [0, 1]")
    of_p, of_truth = subject.value(p, y, None), subject.value(y, y, None)
    if of_p < of_truth - TOL:
        return f"these predictions cost {of_p:.5g}, and the truth itself {of_truth:.5g}"
    return None


def _no_pull(subject, s, y):
    """Try each example alone: its gradient must be that of binary cross-entropy."""
    right = BCEWithLogitsLoss()
    cases = []
    for i in range(len(s)):
        z, label = s[i : i + 1], y[i : i + 1]
        exact, value = right.grad(z, label), float(right(z, label))
        cases.append(laws.tail(subject, z, label, exact, value).case)
    return cases[0] if all(cases) else None
