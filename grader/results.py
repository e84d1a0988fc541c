"""The folder of results: who may write to it, what it holds, and how a file gets into it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import socket
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from . import feedback, notebook
from .grading import INFRASTRUCTURE
from .names import visible
from .submissions import BatchError, Submission

try:
    import fcntl
except ModuleNotFoundError:  # Windows, where only --unsafe runs
    fcntl = None  # type: ignore[assignment]

BATCH = ".batch.json"  # the assignment and the seed that made the results
LOCK = ".lock"
WITHDRAWN = "withdrawn"  # folder of the results of students who have handed in no longer
LEFTOVER = re.compile(r"\.\d+-\d+\.tmp")  # what `write_atomically` leaves behind if it is killed


@contextlib.contextmanager
def locked(out: Path) -> Iterator[None]:
    """Make the folder of results, and keep other runs out of it.

    The kernel takes the lock away from a process that dies, so a file that was left behind locks
    nothing.
    """
    if out.exists() and not out.is_dir():
        raise BatchError(f"{out} is a file; give a folder for the results")
    with _writing(out):
        out.mkdir(parents=True, exist_ok=True)
        file = _lock(out)
    with file:
        try:
            yield
        finally:
            # Only who has the lock removes the file, so this removes nobody else's.
            with contextlib.suppress(OSError):
                (out / LOCK).unlink()


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn an error of the file system into one that says what the teacher can do."""
    try:
        yield
    except OSError as error:
        raise BatchError(
            f"{path} cannot be written: {error.strerror or error}. Mend that, or choose another "
            "place; finished results are kept, and run --resume continues"
        ) from None


def _lock(out: Path) -> Any:
    """Lock the folder and return the open file, which holds the lock until it is closed."""
    while True:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(open(out / LOCK, "a+", encoding="utf-8"))
            try:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise BatchError(
                    f"{out} is in use by another run ({file.read().strip()}); wait until it ends, "
                    "or give another --out"
                ) from None
            # Another run may have ended and removed the file after this one opened it.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), os.stat(out / LOCK)):
                    file.truncate(0)
                    file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
                    file.flush()
                    stack.pop_all()
                    return file


def prepare(out: Path, settings: dict[str, str], resume: bool) -> None:
    """Begin a folder of results, or check that it was made with the same settings."""
    file = out / BATCH
    with _writing(out):
        begun, others = file.exists(), [p.name for p in out.iterdir() if not _is_ours(p.name)]
    if begun:
        earlier = _read_settings(file)
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
    elif others:
        raise BatchError(
            f"{out} was not made by this grader, and holds {visible(others[0])}; give another --out"
        )
    with _writing(out):
        for leftover in out.rglob(".*.tmp"):
            if LEFTOVER.fullmatch(leftover.name):
                leftover.unlink()
    write_atomically(file, json.dumps(settings, indent=1))


def _is_ours(name: str) -> bool:
    """Whether a run that died before its settings were written can have left this file."""
    return name == LOCK or LEFTOVER.fullmatch(name) is not None


def _read_settings(file: Path) -> dict[str, Any]:
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(settings, dict):
            raise ValueError("it is not an object of JSON")
    except (OSError, ValueError, RecursionError) as error:
        raise BatchError(
            f"{file} cannot be read, so it is not known how its results were made ({error}); give "
            "another --out, and grade again"
        ) from None
    return settings


def finished(out: Path, submission: Submission) -> dict[str, Any] | None:
    """Earlier result of a submission, or None if it must be graded again."""
    if submission.problem or submission.failure:
        return None
    try:
        result = json.loads((out / f"{submission.student}.json").read_text("utf-8"))
        content = notebook.read_bytes(submission.path)
        unchanged = result["submission"] == hashlib.sha256(content).hexdigest()
        return result if unchanged and result["status"] != INFRASTRUCTURE else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def withdraw(out: Path, students: Collection[str]) -> list[str]:
    """Move aside the results of everybody but these students; return who that was."""
    gone = [f.stem for f in sorted(out.glob("*.json")) if f.name != BATCH]
    gone = [student for student in gone if student not in students]
    with _writing(out):
        for student in gone:
            feedback_file, points = f"feedback/{student}.md", f"gradescope/{student}/results.json"
            # The result goes last: while it is there, the next run tries again.
            for name in (feedback_file, points, f"{student}.json"):
                if (out / name).exists():
                    (out / WITHDRAWN / name).parent.mkdir(parents=True, exist_ok=True)
                    os.replace(out / name, out / WITHDRAWN / name)
            with contextlib.suppress(OSError):
                (out / "gradescope" / student).rmdir()
    return gone


def write(out: Path, result: dict[str, Any], write_gradescope: bool = False) -> None:
    """Write the files of a result, its JSON last: if that exists, the others do too."""
    name = result["student"]
    write_atomically(out / "feedback" / f"{name}.md", feedback.markdown(result))
    if write_gradescope and result["status"] != INFRASTRUCTURE:
        content = json.dumps(feedback.gradescope(result), indent=1)
        write_atomically(out / "gradescope" / name / "results.json", content)
    write_atomically(out / f"{name}.json", json.dumps(result, indent=1))


def write_atomically(file: Path, text: str) -> None:
    """Replace a file atomically: a crash leaves the old file or the new one, never a part.

    Raises
    ------
    BatchError
        If it cannot be written, for instance since the disk is full.
    """
    # Process and thread are in the name, so that two writers never share a temporary file.
    part = file.with_name(f".{os.getpid()}-{threading.get_ident()}.tmp")
    with _writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(part, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as new:
                new.write(text)
                new.flush()
                os.fsync(new.fileno())
            os.replace(part, file)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
