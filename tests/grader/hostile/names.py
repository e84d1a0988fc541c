"""Submissions that are odd by their names, or by what was handed in instead of a notebook."""

import json

from grader import assignment
from tests.grader.hostile.case import ALL, HONEST, Case, invalid, saved
from tests.grader.notebooks import save


def named(name: str, content: bytes, says: str) -> Case:
    """A file under a name of its own that is not graded."""
    return Case(content, ALL, "invalid", says, name=name)


def two_notebooks(path):
    for name in ("first", "second"):
        save(json.loads(HONEST), path / f"{name}.ipynb")


NO_NOTEBOOK = "is not a notebook; hand in a file <student>.ipynb"
LONG = "Константин Константинопольский " * 4  # in UTF-8, longer than names of results may be

CASES: dict[str, Case] = {
    "ending in capitals": Case(HONEST, name="ending in capitals.IPYNB"),
    "text ending": named("text ending.ipynb.txt", HONEST, f"text ending.ipynb.txt {NO_NOTEBOOK}"),
    "archive": named("archive.zip", b"PK\3\4", f"archive.zip {NO_NOTEBOOK}"),
    "program": named("program.py", b"print(20)", f"program.py {NO_NOTEBOOK}"),
    "no ending": named("no ending", HONEST, NO_NOTEBOOK),
    "honest.pdf": named("honest.pdf", b"%PDF", NO_NOTEBOOK),  # honest has a notebook too
    "link to a folder": Case(
        lambda path: path.symlink_to("/etc"), ALL, "invalid", "a symbolic link", "link to a folder"
    ),
    "link to nothing": Case(
        lambda path: path.symlink_to("nothing"),
        ALL,
        "invalid",
        "a symbolic link",
        "link to nothing",
    ),
    "folder of two notebooks": Case(
        two_notebooks, ALL, "invalid", "2 notebooks, and 0 of them", "folder of two notebooks"
    ),
    "wrong assignment": invalid(
        saved(assignment.load_master("bce")), "it answers the assignment bce instead of mse"
    ),
    LONG + "1": Case(HONEST),
    LONG + "2": Case(HONEST),
    "%D0%94": Case(HONEST),
    "=HYPERLINK(1);=1\t=1": Case(HONEST),
    "\uff1d1+1": Case(HONEST),
    "\x1b[2J\u202eecilA": Case(HONEST),
    "\u202e": Case(HONEST),
}
