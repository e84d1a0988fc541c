"""The same run at every point of a grid of losses, learning rates or seeds.

joblib runs the points, by default on one processor. Ask for more with ``n_jobs``, or choose the
cluster of the current ``distributed.Client``::

    with joblib.parallel_config(backend="dask"):
        outcomes = sweep(run, grid)

A sweep that was interrupted, or to which points were added, runs only the missing points if joblib
keeps the results of ``run`` in a folder, which all workers must see::

    outcomes = sweep(joblib.Memory("results", verbose=0).cache(run), grid)
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any, NamedTuple

from ._optional import optional_import


class Outcome(NamedTuple):
    """A point of the grid and the result of its run."""

    point: dict[str, Any]
    """The arguments of the run."""
    value: Any
    """What the run returned."""


class SweepError(RuntimeError):
    """Some points failed. The message says which, and why."""

    def __init__(self, message: str, outcomes: list[Outcome], failed: list[dict[str, Any]]):
        super().__init__(message)
        self.outcomes = outcomes
        """The outcomes of the other points, in the order of the grid."""
        self.failed = failed
        """The points that failed."""


def sweep(
    run: Callable[..., Any],
    grid: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    *,
    n_jobs: int | None = None,
    progress: bool = True,
) -> list[Outcome]:
    """Call a function at every point of a grid.

    Parameters
    ----------
    run : callable
        Called as ``run(**point)``. To run in other processes, it and its results must be picklable.
        Functions that are defined in a notebook are.
    grid : mapping, or iterable of mappings
        The values of each argument, or the points themselves. Every combination of values is a
        point, and the last argument changes fastest.
    n_jobs : int, optional
        How many points to run at a time, or -1 for one per processor. The default is the setting of
        ``joblib.parallel_config``, or 1.
    progress : bool, default True
        Show a progress bar.

    Returns
    -------
    list of Outcome
        Pairs (point, value) in the order of the grid.

    Raises
    ------
    ModuleNotFoundError
        If joblib is not installed.
    SweepError
        If points failed. It is raised after all other points have run.
    ValueError
        If the grid has no points, or an argument has no list of values.

    Examples
    --------
    >>> def power(base, exponent):
    ...     return base**exponent
    >>> for point, value in sweep(power, {"base": [2, 3], "exponent": [1, 2]}, progress=False):
    ...     print(point, value)
    {'base': 2, 'exponent': 1} 2
    {'base': 2, 'exponent': 2} 4
    {'base': 3, 'exponent': 1} 3
    {'base': 3, 'exponent': 2} 9
    """
    joblib = optional_import("joblib", "sweep")
    points = _points(grid)
    values: dict[int, Any] = {}
    failures: dict[int, str] = {}

    from tqdm.auto import tqdm

    with tqdm(total=len(points), unit="run", disable=not progress) as bar:
        # unordered, so that the bar does not wait for a slow point
        parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")
        tasks = (joblib.delayed(_attempt)(run, i, point) for i, point in enumerate(points))
        for i, value, failure in parallel(tasks):
            if failure is None:
                values[i] = value
            else:
                failures[i] = failure
                bar.set_postfix(failed=len(failures), refresh=False)
            bar.update()
    outcomes = [Outcome(points[i], values[i]) for i in sorted(values)]
    if failures:
        told = "\n".join(f"{points[i]}: {failures[i]}" for i in sorted(failures))
        raise SweepError(
            f"{len(failures)} of {len(points)} points failed; the others are in .outcomes\n{told}",
            outcomes,
            [points[i] for i in sorted(failures)],
        )
    return outcomes


def _points(grid) -> list[dict[str, Any]]:
    if isinstance(grid, Mapping):
        single = [name for name, values in grid.items() if isinstance(values, str)]
        if single or not all(isinstance(values, Iterable) for values in grid.values()):
            raise ValueError(
                f"each argument in the grid must have a list of values, got {dict(grid)!r}; "
                "give an argument that does not vary a list of one value"
            )
        points = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    else:
        points = [dict(point) for point in grid]
    if not points or not all(points):
        raise ValueError(f"the grid has no point, or a point without arguments: {grid!r}")
    return points


def _attempt(run, i, point) -> tuple[int, Any, str | None]:
    """Return the number of the point, its value, and the traceback if it failed."""
    try:
        return i, run(**point), None
    except Exception:  # the other points must run whatever happens
        return i, None, traceback.format_exc()
