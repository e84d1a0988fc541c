"""Self-checks of the exercises: they print what is wrong instead of raising."""

from __future__ import annotations

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
    try:
        a, b = np.asarray(answer, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    except (TypeError, ValueError):
        print(f"{name}: not yet. Your answer {answer!r} is not a number or an array of numbers.")
        return
    if a.shape != b.shape:
        print(f"{name}: not yet. Your answer has shape {a.shape}, expected is {b.shape}.")
        return
    error = np.abs(a - b) / np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
    error = np.where(np.isfinite(error), error, np.inf)
    if error.max() <= tol:
        print(f"{name}: right.")
        return
    worst = np.unravel_index(np.argmax(error), error.shape)
    where = f" at position {', '.join(map(str, worst))}" if worst else ""
    print(f"{name}: not yet. Yours is {a[worst]:.6g}{where}, expected is {b[worst]:.6g}.")
