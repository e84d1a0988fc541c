"""Reads students' notebooks, which may be hostile, and removes solutions from the teacher's."""

from __future__ import annotations

import itertools
import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_BYTES = 20 << 20  # size of a submission; with a few pictures it has about one megabyte
MAX_VALUES = 500_000  # in its JSON; a value of three bytes may need eighty in memory
MAX_SOURCE = 1 << 19  # characters in all its code cells
# A string, which need not end, or what stands before any other value of JSON.
VALUE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{,:]', re.DOTALL)
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = ("# YOUR CODE HERE", "raise NotImplementedError")


class NotebookError(ValueError):
    """The file is not a notebook that can be graded; the message says why."""


@dataclass(frozen=True)
class Cell:
    """A code cell: its number among all cells, counted from 1, and its source."""

    number: int
    source: str


# ---- submissions -------------------------------------------------------------------------------


def read_bytes(path: Path) -> bytes:
    """Content of a submission.

    Raises
    ------
    NotebookError
        If it is a link, a pipe or a file too large.
    OSError
        If it cannot be read, for which a student is not to blame.
    """
    _check_regular(path.lstat())
    # A link may lead anywhere. Without O_NONBLOCK, opening a named pipe waits for a writer; one
    # may have been put in the file's place just now.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
        status = os.fstat(file.fileno())
        _check_regular(status)
        if status.st_size > MAX_BYTES:
            raise NotebookError(
                f"it has {status.st_size / 1e6:.0f} MB, at most {MAX_BYTES >> 20} MB are read; "
                "clear its outputs and hand it in again"
            )
        return file.read(MAX_BYTES + 1)


def _check_regular(status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise NotebookError("it is a symbolic link, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise NotebookError("it is not a regular file")


def code_cells(content: bytes) -> list[Cell]:
    """Code cells of a notebook; raises `NotebookError` if the content is not a notebook."""
    if not content.strip():
        raise NotebookError("it is empty")
    if _has_many_values(content):
        raise NotebookError(
            f"it has more than {MAX_VALUES:,} values; clear its outputs and hand it in again"
        )
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotebookError("it is not UTF-8 text; save it from Jupyter or Colab") from None
    except (ValueError, RecursionError):
        raise NotebookError("it is not JSON: cut off, or not saved from Jupyter or Colab") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise NotebookError("it has no list of cells; notebooks older than format 4 are not read")
    language = _language(notebook.get("metadata"))
    if language not in (None, "python"):
        raise NotebookError(f"it is written in {language}; it must be in Python")
    found = []
    for number, cell in enumerate(cells, start=1):
        if cell.get("cell_type") == "code":
            source = cell.get("source", "")
            if isinstance(source, list) and all(isinstance(line, str) for line in source):
                source = "".join(source)
            if not isinstance(source, str):
                raise NotebookError(f"the source of cell {number} is not text")
            found.append(Cell(number, source))
    if sum(len(cell.source) for cell in found) > MAX_SOURCE:
        raise NotebookError(f"it has more than {MAX_SOURCE} characters of code")
    return found


def _has_many_values(content: bytes) -> bool:
    """Return whether parsing the JSON would make so many objects that they fill the memory."""
    if sum(map(content.count, b"[{,:")) < MAX_VALUES:
        return False
    marks = (match for match in VALUE.finditer(content) if content[match.start()] != ord('"'))
    return next(itertools.islice(marks, MAX_VALUES, None), None) is not None


def _language(metadata: object) -> str | None:
    """Programming language in a notebook's metadata, in lower case; None if it states none."""
    for part in ("language_info", "kernelspec"):
        entry = metadata.get(part) if isinstance(metadata, dict) else None
        if isinstance(entry, dict):
            name = entry.get("name" if part == "language_info" else "language")
            if isinstance(name, str) and name:
                return name[:40].lower()
    return None


# ---- students' copies --------------------------------------------------------------------------


def without_solutions(master: dict[str, Any]) -> dict[str, Any]:
    """Copy of a master notebook with each solution replaced by ``raise NotImplementedError``.

    Raises
    ------
    NotebookError
        If there is no solution, if its markers do not pair, or if a cell has outputs.
    """
    student = json.loads(json.dumps(master))
    marked = 0
    for number, cell in enumerate(student["cells"], start=1):
        source = "".join(cell["source"])
        if BEGIN in source or END in source:
            if cell["cell_type"] != "code":
                raise NotebookError(f"cell {number} has a solution's marker, but is not code")
            cell["source"] = _without_solution(source, number).splitlines(keepends=True)
            marked += 1
        if cell["cell_type"] == "code" and (cell["outputs"] or cell["execution_count"]):
            raise NotebookError(f"cell {number} has outputs, which may give the solution away")
    if not marked:
        raise NotebookError(f"no cell has the markers {BEGIN!r} and {END!r}")
    return student


def _without_solution(source: str, number: int) -> str:
    kept, inside = [], False
    for line in source.split("\n"):
        word = line.strip()
        if word in (BEGIN, END):
            if (word == BEGIN) == inside:
                raise NotebookError(f"the markers of the solution in cell {number} do not pair")
            inside = word == BEGIN
            if inside:
                indent = line[: len(line) - len(line.lstrip())]
                kept += [indent + text for text in STUB]
        elif BEGIN in line or END in line:
            raise NotebookError(f"in cell {number} a marker shares its line with code")
        elif not inside:
            kept.append(line)
    if inside:
        raise NotebookError(f"the markers of the solution in cell {number} do not pair")
    return "\n".join(kept)


def dump(notebook: dict[str, Any]) -> str:
    """Notebook as text, formatted as Jupyter formats it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
