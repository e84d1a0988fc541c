"""What a chapter concludes from an experiment, and the changes that the conclusion must survive.

`conclude` prints a statement only if it holds. `vary` marks the numbers that an experiment depends
on but its conclusion should not: steps, learning rates, seeds, splits. ``make robust`` runs every
chapter again with each of them changed, and lists which conclusions still hold.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ._checks import Float64Array

PERTURBATION = "LOSSUTILS_PERTURBATION"
"""Environment variable with the name of the perturbation that `vary` makes; usually not set."""
RECORD = "LOSSUTILS_RECORD"
"""Environment variable with a file to which `conclude` appends verdicts instead of raising."""
SHIFT = 1000
"""Added to seeds. No chapter uses seeds so large, so the draws are new."""


def finer(rates: ArrayLike) -> Float64Array:
    """Return a grid of rates with the geometric mean of each two neighbours added."""
    grid = np.sort(np.asarray(rates, dtype=np.float64))
    return np.sort(np.concatenate([grid, np.sqrt(grid[1:] * grid[:-1])]))


def wider(rates: ArrayLike) -> Float64Array:
    """Return a grid of rates with half as many added at each end, in the ratio of the last two."""
    grid = np.sort(np.asarray(rates, dtype=np.float64))
    powers = np.arange(1, (len(grid) + 1) // 2 + 1)
    below = grid[0] * (grid[0] / grid[1]) ** powers[::-1]
    above = grid[-1] * (grid[-1] / grid[-2]) ** powers
    return np.concatenate([below, grid, above])


class Perturbation(NamedTuple):
    """A change to all the numbers of one kind in a chapter."""

    kind: str
    """What it changes: "steps", "rates", "seeds" or "split"."""
    change: Callable[[Any], Any]
    """Takes the author's value, returns the changed one."""


PERTURBATIONS = {
    "half the steps": Perturbation("steps", lambda n: max(1, n // 2)),
    "twice the steps": Perturbation("steps", lambda n: 2 * n),
    "ten times the steps": Perturbation("steps", lambda n: 10 * n),
    "rates twice as fine": Perturbation("rates", finer),
    "rates twice as wide": Perturbation("rates", wider),
    "other seeds": Perturbation("seeds", lambda seeds: [seed + SHIFT for seed in seeds]),
    "another split": Perturbation("split", lambda seed: seed + SHIFT),
}
KINDS = tuple(dict.fromkeys(perturbation.kind for perturbation in PERTURBATIONS.values()))


def perturbed() -> bool:
    """Whether ``make robust`` runs this program, with something changed."""
    return PERTURBATION in os.environ


def vary(kind: str, value: Any) -> Any:
    """Return a value; under ``make robust``, return it changed.

    Parameters
    ----------
    kind : {"steps", "rates", "seeds", "split"}
        What the number is.
    value : int, array_like or iterable of int
        A number of steps, a grid of at least two positive learning rates, the seeds of repeated
        runs, or the seed of a single split or draw.

    Returns
    -------
    int, ndarray or list of int
        The same value. Rates become a sorted array, and seeds a list.

    Raises
    ------
    ValueError
        If there is no such kind, or the value is not one of that kind.

    Examples
    --------
    >>> vary("steps", 300)
    300
    >>> vary("seeds", range(3))
    [0, 1, 2]
    """
    value = _checked(kind, value)
    if not (name := os.environ.get(PERTURBATION)):
        return value
    if name not in PERTURBATIONS:
        raise ValueError(
            f"{PERTURBATION} must name one of {', '.join(PERTURBATIONS)}; it is {name!r}"
        )
    perturbation = PERTURBATIONS[name]
    return perturbation.change(value) if perturbation.kind == kind else value


def _checked(kind: str, value: Any) -> Any:
    if kind == "rates":
        grid = np.sort(np.asarray(value, dtype=np.float64))
        if grid.ndim != 1 or len(grid) < 2 or not (grid[0] > 0 and np.isfinite(grid).all()):
            raise ValueError(f"rates must be at least two positive numbers, got {value!r}")
        return grid
    if kind == "seeds":
        return [int(seed) for seed in value]
    if kind in ("steps", "split"):
        if int(value) != value or value < 0:
            raise ValueError(f"{kind} must be a whole number, 0 or more, got {value!r}")
        return int(value)
    raise ValueError(f"{kind!r} cannot be varied; give one of {', '.join(KINDS)}")


def conclude(
    statement: str,
    holds: bool | np.bool_,
    *,
    numbers: Mapping[str, object] | None = None,
    given: Iterable[str] = (),
) -> str:
    """Return a statement about an experiment if it holds; raise an error if it does not.

    Parameters
    ----------
    statement : str
        What the reader is told. It contains no result, since it also names the verdict in the table
        of ``make robust``; print results beside it.
    holds : bool
        The condition, computed from the results.
    numbers : dict of str to anything, optional
        The results that the condition rests on, for the message of the error.
    given : iterable of {"steps", "rates", "seeds", "split"}, optional
        What the statement itself restricts, such as "steps" for "after 100 steps": if another
        number of steps makes it false, that is no objection.

    Returns
    -------
    str
        The statement.

    Raises
    ------
    AssertionError
        If it does not hold.
    ValueError
        If ``holds`` is not a single boolean, or ``given`` names something that cannot be varied.

    Examples
    --------
    >>> error = {"BCE": 0.08, "MSE": 0.12}
    >>> conclude("Cross-entropy is ahead.", error["BCE"] < error["MSE"], numbers=error)
    'Cross-entropy is ahead.'
    """
    if not isinstance(holds, bool | np.bool_):
        raise ValueError(
            f"{statement!r} needs a condition that is True or False, got {holds!r}; "
            "combine several with all(...)"
        )
    if unknown := set(given) - set(KINDS):
        raise ValueError(f"given must be some of {', '.join(KINDS)}, got {sorted(unknown)}")
    if record := os.environ.get(RECORD):
        verdict = {"statement": statement, "holds": bool(holds), "given": sorted(given)}
        with Path(record).open("a", encoding="utf8") as file:
            file.write(json.dumps(verdict) + "\n")
    elif not holds:
        because = "".join(f"\n  {name}: {value}" for name, value in (numbers or {}).items())
        raise AssertionError(f"this does not hold: {statement!r}{because}")
    return statement
