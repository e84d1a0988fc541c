"""The same run at every point of a grid of losses, learning rates or seeds; resumed if interrupted.

joblib runs the points, on one processor unless it is told otherwise: with ``n_jobs``, or from
outside, where the cluster of the current ``distributed.Client`` is one choice::

    with joblib.parallel_config(backend="dask"):
        outcomes = sweep(run, grid, cache="results")
"""

from __future__ import annotations

import inspect
import os
import textwrap
import traceback
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from ._optional import optional_import


class Outcome(NamedTuple):
    """A point of the grid, and what the run made of it."""

    point: dict[str, Any]
    """The arguments of the run."""
    value: Any
    """What it returned."""


class SweepError(RuntimeError):
    """Some points failed; the message says which, and why."""

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
    cache: str | Path | None = None,
    progress: bool = True,
) -> list[Outcome]:
    """Call a function at every point of a grid.

    Parameters
    ----------
    run : callable
        Called as ``run(**point)``. To run in other processes it must be picklable, as is what it
        returns; functions of a notebook are.
    grid : mapping, or iterable of mappings
        For each argument its values, of which every combination is a point, the last argument
        changing fastest; or the points themselves.
    n_jobs : int, optional
        Points at a time, -1 for one on each processor; by default what ``joblib.parallel_config``
        says, or 1.
    cache : str or Path, optional
        Folder that keeps each outcome, in a file of its own. A sweep that was interrupted, or to
        which points were added, runs only the points that are not there. An outcome belongs to the
        arguments and to the source of ``run``; what else ``run`` depends on, such as data and other
        functions, is not seen: pass it as an argument, or take another folder when it changes.
        Only the caller writes here, so the workers of a cluster need not see the folder. The files
        are pickles: do not open a folder of which you do not know who wrote it.
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
        If points failed, once all others have run and are kept.
    ValueError
        If the grid is empty or no grid, or ``run`` has no source that a cache could go by.

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
    files = [None] * len(points) if cache is None else _files(run, points, Path(cache), joblib)
    values = {i: value for i, file in enumerate(files) for value in _kept(file, joblib)}
    missing = [i for i in range(len(points)) if i not in values]
    failures: dict[int, str] = {}

    from tqdm.auto import tqdm

    with tqdm(total=len(points), initial=len(values), unit="run", disable=not progress) as bar:
        # As they come, so that what is done is kept, however long another point takes.
        parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")
        for i, value, failure in parallel(
            joblib.delayed(_attempt)(run, i, points[i]) for i in missing
        ):
            if failure is not None:
                failures[i] = failure
                bar.set_postfix(failed=len(failures), refresh=False)
            else:
                values[i] = value
                _keep(files[i], points[i], value, joblib)
            bar.update()
    outcomes = [Outcome(points[i], values[i]) for i in sorted(values)]
    if failures:
        told = "\n".join(f"{points[i]}: {failures[i]}" for i in sorted(failures))
        raise SweepError(
            f"{len(failures)} of {len(points)} points failed; the others are in .outcomes"
            + ("" if cache is None else f", and kept in {cache}")
            + f"\n{told}",
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
                "an argument that does not vary has a list of one"
            )
        points = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    else:
        points = [dict(point) for point in grid]
    if not points or not all(points):
        raise ValueError(f"the grid has no point, or one without arguments: {grid!r}")
    return points


def _attempt(run, i, point) -> tuple[int, Any, str | None]:
    """Return the number of the point, and its value or why there is none."""
    try:
        return i, run(**point), None
    except Exception:  # whatever it is, the other points go on
        return i, None, traceback.format_exc()


def _files(run, points, folder, joblib) -> list[Path]:
    """Return where each outcome is kept: a name made of all that it depends on."""
    try:
        source = textwrap.dedent(inspect.getsource(run))
        named = inspect.isfunction(run) and run.__name__ != "<lambda>"
    except (OSError, TypeError):
        named = False
    if not named:
        raise ValueError(
            f"a cache goes by the source of the function that runs, and {run!r} has none of its "
            "own; define it in a file or a notebook, with def"
        )
    if around := sorted(inspect.getclosurevars(run).nonlocals):
        raise ValueError(
            f"{run.__name__} uses {', '.join(around)} of the function around it, which a cache "
            "cannot see; make it an argument, with a list of one value in the grid"
        )
    folder.mkdir(parents=True, exist_ok=True)
    return [folder / f"{run.__name__}-{joblib.hash((source, point))}.pkl" for point in points]


def _kept(file: Path | None, joblib) -> list[Any]:
    """Return the value that a file keeps, in a list; an empty one if there is none."""
    try:
        return [] if file is None else [joblib.load(file)["value"]]
    except Exception:  # no such file, or one that cannot be read: the point runs again
        return []


def _keep(file: Path | None, point, value, joblib) -> None:
    """Write a value whole or not at all, even if the process is killed."""
    if file is not None:
        part = file.with_name(f".{file.name}-{os.getpid()}.tmp")
        joblib.dump({"point": point, "value": value}, part)
        os.replace(part, file)
