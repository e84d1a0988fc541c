"""Submissions that fail by mistake: code that raises, wrong results, unreadable files."""

import json

from tests.grader.hostile.case import (
    ALL,
    FIRST,
    Case,
    altered,
    answer,
    first_cell,
    invalid,
    saved,
    solved,
)
from tests.grader.notebooks import code


def failing(number: int, *more: str, fails: str = "1 / 0") -> bytes:
    """The reference solution after many cells that fail, and more cells."""
    content = solved()
    content["cells"][1:1] = code(*[fails] * number, *more)
    return saved(content)


NEST = "[" * 100_000 + "]" * 100_000

CASES: dict[str, Case] = {
    "exception in a cell": first_cell("1 / 0", says="ZeroDivisionError"),
    "syntax error": first_cell("def (:", says="SyntaxError"),
    "null byte": first_cell("\0", says="null bytes"),
    "exit in a cell": first_cell("sys.exit()", says="SystemExit"),
    "interrupt in a cell": first_cell("raise KeyboardInterrupt", says="KeyboardInterrupt"),
    "exception in a cell that awaits": first_cell(
        "import asyncio\nawait asyncio.sleep(0)\n1 / 0", says='"line": 3'
    ),
    "await in a function that is not async": first_cell(
        "def f():\n    await 3", says="SyntaxError"
    ),
    "many failing cells": Case(failing(3000), says='"more_cells": 2950'),
    "many failing cells before one that is stopped": Case(
        failing(60, "os._exit(0)"), status="killed", says="its process ended"
    ),
    "many failing cells, with long texts": Case(
        failing(200, fails="raise ValueError('x' * 10**6)"), says='"more_cells": 150'
    ),
    "missing cell": Case(saved(solved(first="")), lost=(FIRST,), says="no such function"),
    "duplicated stub": Case(
        saved(solved(after=f"def {FIRST}(s, y):\n    raise NotImplementedError")),
        lost=(FIRST,),
        says="has not been answered",
    ),
    "not a function": Case(saved(solved(first=f"{FIRST} = 3")), lost=(FIRST,)),
    "wrong signature": Case(
        saved(solved(first=f"def {FIRST}(): return 1")), lost=(FIRST,), says="raised TypeError"
    ),
    "exception in a call": answer("return scores.missing", says="raised AttributeError"),
    "exit in a call": answer("sys.exit()", says="raised SystemExit"),
    "endless recursion": answer(f"return {FIRST}(scores, targets)", says="raised RecursionError"),
    "exception that cannot be shown": answer(
        "class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd",
        says="an exception of its own kind",
    ),
    "returns nothing": answer("pass", says="returned None"),
    "returns a text": answer("return 'x' * 5000", says="more than 1000"),
    "returns a dict": answer("return {1: 2}", says="a dict"),
    "returns objects": answer("return np.array([None])", says="dtype object"),
    "returns a huge integer": answer("return 10 ** 4000", says="unusable"),
    "returns not a number": answer("return np.nan", says="not a number where"),
    "returns a vector": answer("return scores", says="a vector, expected is a single number"),
    "lossutils in a cell": first_cell(
        "from lossutils.losses import MSELoss", says="in NumPy alone"
    ),
    "lossutils itself": first_cell("import lossutils; lossutils.losses", says="in NumPy alone"),
    "empty file": invalid(b"", "it is empty"),
    "truncated file": invalid(saved(solved())[:-100], "it is not JSON"),
    "UTF-16 file": invalid(json.dumps(solved()).encode("utf-16"), "it is not UTF-8"),
    "not UTF-8": invalid(b'{"cells": ["\xff"]}', "it is not UTF-8"),
    "nested JSON": invalid(NEST.encode(), "it is not JSON"),
    "no notebook": invalid(b"[1, 2]", "no list of cells"),
    "very many values": invalid(
        altered(metadata={"x": [[]] * 600_000}), "more than 500,000 values; clear its outputs"
    ),
    "a language with a long name": invalid(
        altered(metadata={"kernelspec": {"language": "İ" * 10**6}}), "it is written in"
    ),
    "old format": invalid(altered(cells=None, worksheets=[]), "older than format 4"),
    "cells of another kind": invalid(altered(cells=[1]), "no list of cells"),
    "source of another kind": invalid(
        altered(cells=[{"cell_type": "code", "source": [1]}]), "source of cell 1 is not text"
    ),
    "another kernel": invalid(
        altered(metadata={"kernelspec": {"language": "R", "name": "ir"}}), "it is written in r;"
    ),
    "huge file": invalid(saved(solved()) + b" " * (21 << 20), "at most 20 MB"),
    "huge code": invalid(saved(solved(after="#" * 600_000)), "characters of code"),
    "symbolic link": invalid(lambda path: path.symlink_to("honest.ipynb"), "symbolic link"),
    "link to a secret": invalid(lambda path: path.symlink_to("/etc/passwd"), "symbolic link"),
    "folder without a notebook": Case(
        lambda path: path.mkdir(), ALL, "invalid", "0 notebooks", name="folder without a notebook"
    ),
}
