"""Finds the submissions in a folder, and what is wrong with them, such as another assignment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from . import assignment as assignments
from .names import file_name, visible
from .notebook import Cell

MAX_DEPTH = 20  # folders inside a student's folder; deeper ones are not looked at
MAX_FILES = 10_000  # in a student's folder
BY_SYSTEMS = {"__MACOSX", "Thumbs.db", "desktop.ini"}  # put into folders by operating systems


class BatchError(ValueError):
    """The command cannot be run as it was given; the message says why and what to do."""


@dataclass(frozen=True)
class Submission:
    """What a student handed in.

    Attributes
    ----------
    student : str
        Name of the student, as `file_name` writes it: no other submission has the same.
    path : Path
        The notebook, or whatever was handed in instead.
    problem : str
        Why it cannot be graded, if that lies with what was handed in.
    failure : str
        Why it could not be looked at, if that lies with this machine.
    """

    student: str
    path: Path
    problem: str = ""
    failure: str = ""


def find(folder: Path, chapter: str) -> list[Submission]:
    """Submissions in a folder, sorted by student; each file and each folder belongs to one.

    A notebook is either ``<student>.ipynb``, or in a folder ``<student>/`` alone, or there with
    others but the only one that is called ``<chapter>.ipynb``. Every other file is a submission
    with a problem, so that nobody is left out of the grades.

    Raises
    ------
    BatchError
        If the folder does not exist, cannot be read, or holds no submission.
    """
    found: dict[str, list[Submission]] = {}
    others: list[Path] = []
    for entry in _entries(folder):
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith("."):  # .ipynb_checkpoints, .git
                submission = _in_folder(path, chapter)
                found.setdefault(submission.student, []).append(submission)
        elif _is_notebook(entry.name):
            student = file_name(entry.name[: -len(".ipynb")])
            found.setdefault(student, []).append(Submission(student, path))
        elif not entry.name.startswith("."):
            others.append(path)
    if not found:
        names = f"; it holds {visible(others[0].name)}" if others else ""
        raise BatchError(
            f"{folder} holds no submission, such as <student>.ipynb or "
            f"<student>/{chapter}.ipynb{names}"
        )
    submissions = {student: _only(student, several, folder) for student, several in found.items()}
    for path in others:
        student = _free_name(path, submissions)
        kind = "a symbolic link" if path.is_symlink() else "not a notebook"
        problem = f"{visible(path.name)} is {kind}; hand in a file <student>.ipynb"
        submissions[student] = Submission(student, path, problem)
    return [submissions[student] for student in sorted(submissions)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Entries of the folder of submissions in order, without those that systems put there."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                (entry for entry in entries if not _by_system(entry.name)),
                key=lambda entry: entry.name,
            )
    except (FileNotFoundError, NotADirectoryError):
        raise BatchError(
            f"{folder} is not a folder; give one with a notebook for each student"
        ) from None
    except OSError as error:
        raise BatchError(f"the folder {folder} cannot be read: {error.strerror}") from None


def _by_system(name: str) -> bool:
    return name in BY_SYSTEMS or name.startswith("._")


def _is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb")


def _only(student: str, several: list[Submission], folder: Path) -> Submission:
    """The submission of a student, who may have handed in two under the same name."""
    if len(several) == 1:
        return several[0]
    names = ", ".join(visible(s.path.relative_to(folder).parts[0]) for s in several)
    problem = f"{len(several)} have this name: {names}; expected is one of them"
    return Submission(student, several[0].path, problem)


def _free_name(path: Path, taken: dict[str, Submission]) -> str:
    """Name for whoever handed in a file that is no notebook; a notebook's name goes first."""
    stem = path.stem[: -len(".ipynb")] if _is_notebook(path.stem) else path.stem
    whole = file_name(path.name)
    # The last of these is free, since no two files share a name, and "%~" is in none.
    return next(n for n in (file_name(stem), whole, f"{whole}%~") if n not in taken)


class TooMany(Exception):
    """A student's folder has more files than anybody hands in."""


def _in_folder(folder: Path, chapter: str) -> Submission:
    """The submission in a student's folder."""
    student, wanted = file_name(folder.name), f"{chapter}.ipynb"
    try:
        files = _files(folder)
    except OSError as error:
        failure = f"its folder {visible(str(error.filename))} cannot be read: {error.strerror}"
        return Submission(student, folder, failure=failure)
    except TooMany:
        return Submission(student, folder, f"its folder has more than {MAX_FILES} files")
    notebooks = [path for path in files if _is_notebook(path.name)]
    named = [path for path in notebooks if path.name.lower() == wanted]
    for choice in (notebooks, named):
        if len(choice) == 1:
            return Submission(student, choice[0])
    if notebooks:
        problem = (
            f"its folder has {len(notebooks)} notebooks, and {len(named)} of them are {wanted}"
        )
    else:
        others = ", ".join(sorted(visible(path.name) for path in files)[:3])
        problem = "its folder has 0 notebooks" + (f", but {others}" if others else "")
    return Submission(student, folder, f"{problem}; expected is one {wanted}")


def _files(folder: Path) -> list[Path]:
    """Files in a student's folder and below it; raises `TooMany` for a flood of them."""
    found: list[Path] = []
    todo, seen = [(folder, 0)], 0
    while todo:
        current, depth = todo.pop()
        with os.scandir(current) as entries:
            for entry in entries:
                seen += 1
                if seen > MAX_FILES:
                    raise TooMany
                if _by_system(entry.name):
                    continue
                if not entry.is_dir(follow_symlinks=False):
                    found.append(Path(entry.path))
                elif depth < MAX_DEPTH and not entry.name.startswith("."):
                    todo.append((Path(entry.path), depth + 1))
    return found


def other_assignment(cells: list[Cell], chapter: str, questions: dict[str, int]) -> str | None:
    """Name of the assignment that a notebook answers instead of this one; None if there is none.

    The notebook mentions no question of this assignment, and defines most of the other's.
    """
    code = "\n".join(cell.source for cell in cells)
    words, defined = set(re.findall(r"\w+", code)), set(re.findall(r"\bdef\s+(\w+)", code))
    if words & set(questions):
        return None
    for other in assignments.chapters():
        if other != chapter:
            solutions = "\n".join(assignments.solution_cells(assignments.load_master(other)))
            functions = set(re.findall(r"^def (\w+)", solutions, re.MULTILINE))
            if len(functions & defined) > len(functions) / 2:
                return other
    return None
