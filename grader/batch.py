"""Grades a folder of submissions in parallel, and writes a result file for each."""

from __future__ import annotations

import hashlib
import itertools
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from . import assignment as assignments
from . import results
from .assignment import Assignment
from .grading import failed, grade, invalid
from .sandbox import Limits
from .student import stop_on, try_sandbox
from .submissions import BatchError, Submission, find


def run(
    chapter: str,
    submissions: str | Path,
    out: str | Path,
    *,
    seed: str,
    jobs: int | None = None,
    resume: bool = False,
    unsafe: bool = False,
    scheduler: str | None = None,
    write_gradescope: bool = False,
    limits: Limits | None = None,
    on_result: Callable[[dict[str, Any]], None] | None = None,
) -> Counter[str]:
    """Grade a folder of submissions into a folder of results.

    Parameters
    ----------
    chapter : str
        Name of the assignment.
    submissions, out : str or Path
        Folder of the notebooks, as `find` reads it, and folder of the results.
    seed : str
        The secret that the hidden inputs are drawn from.
    jobs : int, optional
        Number of submissions graded at the same time; by default one for each processor.
    resume : bool, default False
        Continue with a folder of results. A submission is graded again only if it has changed or
        if the grader had failed on it.
    unsafe : bool, default False
        Run students' code without a sandbox.
    scheduler : str, optional
        Address of a dask scheduler whose workers grade; they must see the same folders.
    write_gradescope : bool, default False
        Also write ``gradescope/<student>/results.json``.
    limits : Limits, optional
        Time and memory for each submission.
    on_result : callable, optional
        Called with each new result after it is written.

    Returns
    -------
    Counter
        Number of submissions with each status, earlier results included.

    Raises
    ------
    AssignmentError, BatchError, NoSandbox
        If grading cannot start, or if a result cannot be written; finished ones are kept.
    """
    submissions, out = Path(submissions), Path(out)
    if not unsafe and scheduler is None:
        try_sandbox()
    assignment = assignments.load(chapter)
    found = find(submissions, chapter)
    if submissions.resolve() in out.resolve().parents:
        raise BatchError(
            f"{out} lies in {submissions}, so the next run would take it for a student; give "
            "another --out"
        )
    settings = {
        "chapter": chapter,
        "assignment": assignment.digest,
        "seed": hashlib.sha256(f"seed of {chapter}: {seed}".encode()).hexdigest(),
    }
    task = partial(grade, chapter=chapter, seed=seed, limits=limits, unsafe=unsafe)
    count: Counter[str] = Counter()
    with results.locked(out):
        results.prepare(out, settings, resume)
        if gone := results.withdraw(out, {submission.student for submission in found}):
            _say(f"no longer handed in, so moved to {out / results.WITHDRAWN}: {_few(gone)}")
        if problems := [s.student for s in found if s.problem]:
            _say(f"no notebook that can be graded, so without points: {_few(problems)}")
        todo = []
        for submission in found:
            if resume and (earlier := results.finished(out, submission)) is not None:
                count[earlier["status"]] += 1
            else:
                todo.append(submission)
        to_grade = [s for s in todo if not s.problem and not s.failure]
        graded = (
            _on_dask(task, to_grade, scheduler) if scheduler else _locally(task, to_grade, jobs)
        )
        bar = tqdm(
            itertools.chain(_not_graded(todo, assignment), graded),
            total=len(found),
            initial=count.total(),
            desc=chapter,
            unit="notebook",
            disable=None,
        )
        with closing(graded):  # whatever ends this early also ends what is still being graded
            for submission, result in bar:
                if isinstance(result, str):
                    result = failed(submission.student, assignment, result)
                elif result["assignment"] != assignment.digest:
                    why = "the worker has another version of the assignment"
                    result = failed(submission.student, assignment, why)
                results.write(out, result, write_gradescope)
                count[result["status"]] += 1
                bar.set_postfix(count)
                if on_result is not None:
                    on_result(result)
    return count


def _not_graded(todo: list[Submission], assignment: Assignment) -> Graded:
    """Results of what is no notebook, or could not be read."""
    for submission in todo:
        if submission.failure:
            yield submission, submission.failure
        elif submission.problem:
            yield submission, invalid(submission.student, assignment, submission.problem)


def _say(text: str) -> None:
    print(f"grader: {text}", file=sys.stderr)


def _few(students: list[str]) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(students) - 10} more" if len(students) > 10 else ""
    return ", ".join(students[:10]) + more


# ---- executors ---------------------------------------------------------------------------------

# Each submission with its result, or with the reason why it could not be graded.
Graded = Generator[tuple[Submission, dict[str, Any] | str], None, None]


def _locally(task: Callable, todo: list[Submission], jobs: int | None) -> Graded:
    # Threads are enough, since students' code runs in other processes; and they end with the
    # grader even if it is killed.
    stop = threading.Event()
    pool = ThreadPoolExecutor(jobs or os.cpu_count() or 1, initializer=stop_on, initargs=(stop,))
    late = []
    try:
        futures = {pool.submit(task, s.path, student=s.student): s for s in todo}
        for future in as_completed(futures):
            submission, result = futures[future], future.result()
            if result["late"]:
                late.append(submission)
            else:
                yield submission, result
    finally:
        stop.set()  # if the teacher interrupts, nobody waits for an endless loop to reach its limit
        pool.shutdown(cancel_futures=True)
    # The others may have kept the processors from them, so these are graded once more, alone.
    for submission in late:
        yield submission, task(submission.path, student=submission.student)


def _on_dask(task: Callable, todo: list[Submission], scheduler: str) -> Graded:
    try:
        import distributed
    except ModuleNotFoundError:
        raise BatchError(
            "--executor dask needs the package distributed: python -m pip install distributed"
        ) from None
    try:
        client = distributed.Client(scheduler, timeout="20s")
    except (OSError, ValueError) as error:
        raise BatchError(f"no dask scheduler answers at {scheduler}: {error}") from None
    with client:
        # A result stays on its worker until it is fetched. If the worker dies, another one grades
        # the submission again, with the same result.
        futures = {
            client.submit(task, str(s.path.resolve()), student=s.student, pure=False): s
            for s in todo
        }
        late = []
        for future in distributed.as_completed(list(futures)):
            submission, result = futures.pop(future), _fetch(future)
            if isinstance(result, dict) and result.get("late"):
                late.append(submission)
            else:
                yield submission, result
        for s in late:  # as _locally does
            future = client.submit(task, str(s.path.resolve()), student=s.student, pure=False)
            yield s, _fetch(future)


def _fetch(future: Any) -> dict[str, Any] | str:
    """Result of a task on a worker, or why there is none: one failure must not stop the others."""
    try:
        return future.result()
    except Exception as error:
        return f"on its worker: {type(error).__name__}: {error}"
