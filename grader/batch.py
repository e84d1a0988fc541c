"""Grades a folder of submissions in parallel, and writes a result file for each."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import threading
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from . import assignment as assignments
from . import feedback, notebook
from .grading import INFRASTRUCTURE, failed, grade, invalid
from .sandbox import Limits
from .student import try_sandbox

BATCH = ".batch.json"  # in a folder of results: the assignment and the seed that made them


class BatchError(ValueError):
    """The command cannot be run as it was given; the message says why and what to do."""


@dataclass(frozen=True)
class Submission:
    """A student's notebook, or the problem if there is not exactly one."""

    student: str
    path: Path
    problem: str = ""


def find(folder: Path, chapter: str) -> list[Submission]:
    """Submissions in a folder, sorted by student.

    Each is either ``<student>.ipynb``, or a folder ``<student>/`` with one notebook in it, or with
    several of which one is called ``<chapter>.ipynb``.

    Raises
    ------
    BatchError
        If the folder does not exist or holds no submission.
    """
    if not folder.is_dir():
        raise BatchError(f"{folder} is not a folder; give one with a notebook for each student")
    found: dict[str, list[Submission]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("._") or path.name == "__MACOSX":
            continue  # macOS puts these into archives
        if path.is_dir() and not path.is_symlink():
            if path.name.startswith("."):
                continue  # .ipynb_checkpoints, .git
            submission = _in_folder(path, chapter)
        elif path.name.endswith(".ipynb"):
            submission = Submission(path.stem, path)
        else:
            continue
        found.setdefault(submission.student, []).append(submission)
    if not found:
        raise BatchError(
            f"{folder} holds no submission; expected are <student>.ipynb or "
            f"<student>/{chapter}.ipynb"
        )
    return [
        several[0]
        if len(several) == 1
        else Submission(student, several[0].path, "there is a file and a folder of this name")
        for student, several in sorted(found.items())
    ]


def _in_folder(folder: Path, chapter: str) -> Submission:
    notebooks = sorted(
        path for path in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts
    )
    named = [path for path in notebooks if path.name == f"{chapter}.ipynb"]
    for choice in (notebooks, named):
        if len(choice) == 1:
            return Submission(folder.name, choice[0])
    problem = f"its folder has {len(notebooks)} notebooks, and not one {chapter}.ipynb among them"
    return Submission(folder.name, folder, problem)


def file_name(student: str) -> str:
    """Safe file name for a student: no separator, no control character, no dot in front.

    Different students get different file names.
    """
    data = student.encode("utf-8", "surrogateescape")
    name = urllib.parse.quote_from_bytes(data, safe=" @+,=()'")
    if name[:1] in ("", "."):
        name = "%2E" + name[1:] if name else "%"
    if len(name) > 150:
        name = f"{name[:100]}%{hashlib.sha256(data).hexdigest()[:32]}"
    return name


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
        If grading cannot start; nothing has been graded then.
    """
    submissions, out = Path(submissions), Path(out)
    if not unsafe and scheduler is None:
        try_sandbox()
    assignment = assignments.load(chapter)
    found = find(submissions, chapter)
    _prepare(out, chapter, assignment.digest, seed, resume)

    finished = (
        {s.student: r for s in found if (r := _finished(out, s)) is not None} if resume else {}
    )
    count = Counter(result["status"] for result in finished.values())
    todo = [submission for submission in found if submission.student not in finished]
    to_grade = [submission for submission in todo if not submission.problem]
    refused = ((s, invalid(s.student, assignment, s.problem)) for s in todo if s.problem)
    task = partial(grade, chapter=chapter, seed=seed, limits=limits, unsafe=unsafe)
    graded = _on_dask(task, to_grade, scheduler) if scheduler else _locally(task, to_grade, jobs)
    bar = tqdm(
        itertools.chain(refused, graded),
        total=len(found),
        initial=len(finished),
        desc=chapter,
        unit="notebook",
        disable=None,
    )
    for submission, result in bar:
        if isinstance(result, str):
            result = failed(submission.student, assignment, result)
        elif result["assignment"] != assignment.digest:
            why = "the worker has another version of the assignment"
            result = failed(submission.student, assignment, why)
        write(out, result, write_gradescope)
        count[result["status"]] += 1
        bar.set_postfix(count)
        if on_result is not None:
            on_result(result)
    return count


def _prepare(out: Path, chapter: str, digest: str, seed: str, resume: bool) -> None:
    """Create the folder of results, or check that it was made with the same settings."""
    settings = {
        "chapter": chapter,
        "assignment": digest,
        "seed": hashlib.sha256(f"seed of {chapter}: {seed}".encode()).hexdigest(),
    }
    out.mkdir(parents=True, exist_ok=True)
    file = out / BATCH
    if file.exists():
        earlier = json.loads(file.read_text(encoding="utf-8"))
        if not resume:
            raise BatchError(
                f"{out} has results of {earlier.get('chapter')}; give --resume to continue with "
                "them, or another --out"
            )
        if changed := [name for name in settings if settings[name] != earlier.get(name)]:
            raise BatchError(
                f"{out} was graded with another {' and '.join(changed)}, so that its grades could "
                "not be compared; give another --out"
            )
    elif any(out.iterdir()):
        raise BatchError(
            f"{out} is not empty, and has no results of this grader; give another --out"
        )
    for leftover in out.rglob(".*.tmp"):
        leftover.unlink()
    write_atomically(file, json.dumps(settings, indent=1))


def _finished(out: Path, submission: Submission) -> dict[str, Any] | None:
    """Earlier result of a submission, or None if it must be graded again."""
    try:
        result = json.loads((out / f"{file_name(submission.student)}.json").read_text("utf-8"))
        content = notebook.read_bytes(submission.path)
    except (OSError, ValueError):
        return None
    unchanged = result.get("submission") == hashlib.sha256(content).hexdigest()
    return result if unchanged and result["status"] != INFRASTRUCTURE else None


def write(out: Path, result: dict[str, Any], write_gradescope: bool = False) -> None:
    """Write the files of a result, its JSON last: if that exists, the others do too."""
    name = file_name(result["student"])
    write_atomically(out / "feedback" / f"{name}.md", feedback.markdown(result))
    if write_gradescope and result["status"] != INFRASTRUCTURE:
        content = json.dumps(feedback.gradescope(result), indent=1)
        write_atomically(out / "gradescope" / name / "results.json", content)
    write_atomically(out / f"{name}.json", json.dumps(result, indent=1))


def write_atomically(file: Path, text: str) -> None:
    """Replace a file atomically: a crash leaves the old file or the new one, never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # Process and thread are in the name, so that two writers never share a temporary file.
    part = file.with_name(f".{os.getpid()}-{threading.get_ident()}.tmp")
    with open(part, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, file)


# ---- executors ---------------------------------------------------------------------------------

# Each submission with its result, or with the reason why it could not be graded.
Graded = Iterator[tuple[Submission, dict[str, Any] | str]]


def _locally(task: Callable, todo: list[Submission], jobs: int | None) -> Graded:
    # Threads are enough, since students' code runs in other processes; and they end with the
    # grader even if it is killed.
    pool = ThreadPoolExecutor(jobs or os.cpu_count() or 1)
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
