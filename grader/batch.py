"""A folder of submissions: found, graded side by side, each result written once and whole."""

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

BATCH = ".batch.json"  # what a folder of results belongs to


class BatchError(ValueError):
    """The command cannot be carried out as it was given; the message says why and what to do."""


@dataclass(frozen=True)
class Submission:
    """Whose it is, its file, and why there is none if there is not exactly one."""

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
        raise BatchError(f"{folder} is not a folder; expected is one with a notebook per student")
    found: dict[str, list[Submission]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("._") or path.name == "__MACOSX":
            continue  # what macOS puts into archives
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
    """File name for a student, whatever the name: without separators, control characters or dots.

    Names that differ give file names that differ.
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
        What the hidden inputs are drawn from.
    jobs : int, optional
        Submissions graded at a time; by default one for each processor.
    resume : bool, default False
        Go on with a folder of results. What was graded stays, unless its submission has changed or
        the grader had failed.
    unsafe : bool, default False
        Run students' code without a sandbox.
    scheduler : str, optional
        Address of a dask scheduler, whose workers grade; they must see the same folders.
    write_gradescope : bool, default False
        Write ``gradescope/<student>/results.json`` too.
    limits : Limits, optional
        What each submission may use.
    on_result : callable, optional
        Called with each new result, after it was written.

    Returns
    -------
    Counter
        How many of all submissions have each status.

    Raises
    ------
    AssignmentError, BatchError, NoSandbox
        If the command cannot be carried out; nothing was graded then.
    """
    submissions, out = Path(submissions), Path(out)
    if not unsafe and scheduler is None:
        try_sandbox()
    assignment = assignments.load(chapter)
    found = find(submissions, chapter)
    _claim(out, chapter, assignment.digest, seed, resume)

    finished = (
        {s.student: r for s in found if (r := _finished(out, s)) is not None} if resume else {}
    )
    count = Counter(result["status"] for result in finished.values())
    todo = [submission for submission in found if submission.student not in finished]
    readable = [submission for submission in todo if not submission.problem]
    refused = ((s, invalid(s.student, assignment, s.problem)) for s in todo if s.problem)
    task = partial(grade, chapter=chapter, seed=seed, limits=limits, unsafe=unsafe)
    stream = _on_dask(task, readable, scheduler) if scheduler else _here(task, readable, jobs)
    stream = itertools.chain(refused, stream)
    bar = tqdm(
        stream, total=len(found), initial=len(finished), desc=chapter, unit="notebook", disable=None
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


def _claim(out: Path, chapter: str, digest: str, seed: str, resume: bool) -> None:
    """Make the folder of results, or see that it belongs to the same run."""
    mine = {
        "chapter": chapter,
        "assignment": digest,
        "seed": hashlib.sha256(f"seed of {chapter}: {seed}".encode()).hexdigest(),
    }
    out.mkdir(parents=True, exist_ok=True)
    file = out / BATCH
    if file.exists():
        theirs = json.loads(file.read_text(encoding="utf-8"))
        if not resume:
            raise BatchError(
                f"{out} has results of {theirs.get('chapter')}; give --resume to go on with "
                "them, or another --out"
            )
        if changed := [name for name in mine if mine[name] != theirs.get(name)]:
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
    write_text(file, json.dumps(mine, indent=1))


def _finished(out: Path, submission: Submission) -> dict[str, Any] | None:
    """Result of a submission if it need not be graded again."""
    try:
        result = json.loads((out / f"{file_name(submission.student)}.json").read_text("utf-8"))
        content = notebook.read_bytes(submission.path)
    except (OSError, ValueError):
        return None
    unchanged = result["submission"] == hashlib.sha256(content).hexdigest()
    return result if unchanged and result["status"] != INFRASTRUCTURE else None


def write(out: Path, result: dict[str, Any], write_gradescope: bool = False) -> None:
    """Write a result; its JSON last, so that where there is one, all is there."""
    name = file_name(result["student"])
    write_text(out / "feedback" / f"{name}.md", feedback.markdown(result))
    if write_gradescope and result["status"] != INFRASTRUCTURE:
        content = json.dumps(feedback.gradescope(result), indent=1)
        write_text(out / "gradescope" / name / "results.json", content)
    write_text(out / f"{name}.json", json.dumps(result, indent=1))


def write_text(file: Path, text: str) -> None:
    """Write a file whole or not at all, even if the machine stops in the middle."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # The name of the thread, too: two may write for students whose names differ in their end.
    part = file.with_name(f".{os.getpid()}-{threading.get_ident()}.tmp")
    with open(part, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, file)


# ---- who grades --------------------------------------------------------------------------------

# Each submission with its result, or with the reason why it could not be graded.
Graded = Iterator[tuple[Submission, dict[str, Any] | str]]


def _here(task: Callable, todo: list[Submission], jobs: int | None) -> Graded:
    # Threads suffice: students' code runs in processes of its own. And threads end with the grader,
    # even if it is killed.
    pool = ThreadPoolExecutor(jobs or os.cpu_count() or 1)
    try:
        futures = {pool.submit(task, s.path, student=s.student): s for s in todo}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)


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
        # A result lives on its worker until it is fetched. What a dying worker takes with it is
        # graded again elsewhere, and the same.
        futures = {
            client.submit(task, str(s.path.resolve()), student=s.student, pure=False): s
            for s in todo
        }
        for future in distributed.as_completed(list(futures)):
            try:
                result = future.result()
            except Exception as error:  # whatever a worker raises, the others go on
                result = f"on its worker: {type(error).__name__}: {error}"
            yield futures.pop(future), result
