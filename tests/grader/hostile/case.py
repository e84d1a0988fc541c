"""A submission to the assignment ``mse`` and what it must get, made from the reference solution."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grader import assignment
from tests.grader.notebooks import Notebook, notebook

CHAPTER = "mse"
SOLUTIONS = dict(
    zip(
        assignment.load(CHAPTER).questions,
        assignment.solution_cells(assignment.load_master(CHAPTER)),
        strict=True,
    )
)
ALL = tuple(SOLUTIONS)
FIRST = ALL[0]
POINTS = assignment.load(CHAPTER).questions
TOKEN = "left-behind-8917"  # in the name of whatever a submission leaves behind
IMPORTS = "import os, sys, time, json, ctypes, socket, signal, threading\nimport numpy as np\n"


@dataclass(frozen=True)
class Case:
    """A submission, and what it must get.

    Attributes
    ----------
    content : bytes or callable
        The file, or a function that makes whatever is handed in at a path.
    lost : tuple of str
        Questions that get no points; all others must get all of theirs.
    status : str
        Status of the result.
    says : str
        Text that the teacher's result must contain.
    name : str, optional
        Name of the file, where it matters.
    """

    content: bytes | Callable[[Path], None]
    lost: tuple[str, ...] = ()
    status: str = "ok"
    says: str = ""
    name: str | None = None

    @property
    def earned(self) -> dict[str, int]:
        """Points of each question."""
        return {name: 0 if name in self.lost else POINTS[name] for name in ALL}


def solved(*, first: str | None = None, before: str = "", after: str = "") -> Notebook:
    """The reference solution; `first` replaces its first answer, other cells surround it."""
    sources = {**SOLUTIONS, FIRST: SOLUTIONS[FIRST] if first is None else first}
    cells = [IMPORTS, before, *sources.values(), after]
    return notebook(*(source for source in cells if source))


def saved(content: Notebook) -> bytes:
    """Content of a notebook's file."""
    return json.dumps(content).encode()


def answer(body: str, **options) -> Case:
    """A case whose function for the first question has this body, and is wrong."""
    lines = "\n".join("    " + line for line in body.strip("\n").split("\n"))
    source = f"def {FIRST}(scores, targets):\n{lines}"
    return Case(saved(solved(first=source)), **{"lost": (FIRST,), **options})


def cell(source: str, **options) -> Case:
    """A case whose first cell is this code; the solutions follow."""
    return Case(saved(solved(before=source)), **options)


def first_cell(source: str, **options) -> Case:
    """A case that runs this code in the cell of the first question, before its function."""
    source += "\n" + SOLUTIONS[FIRST]
    return Case(saved(solved(first=source)), **{"lost": (FIRST,), **options})


def refused(source: str, says: str = "Operation not permitted") -> Case:
    """A case whose code the sandbox must refuse in the first question's cell."""
    return first_cell(source, says=says)


def refused_call(call: str, says: str = "Operation not permitted") -> Case:
    """A case that calls a function of the C library, which must fail with this message."""
    return refused(
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        f"assert libc.{call} != -1, os.strerror(ctypes.get_errno())",
        says,
    )


def invalid(content: bytes | Callable[[Path], None], says: str) -> Case:
    """A case that cannot be read as a notebook."""
    return Case(content, lost=ALL, status="invalid", says=says)


def altered(**changes) -> bytes:
    """The reference solution with other top-level fields of its JSON."""
    return saved({**solved(), **changes})


HONEST = saved(solved())
