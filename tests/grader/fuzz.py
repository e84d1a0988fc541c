"""Random input for whatever reads what students send: notebooks, replies and code of cells.

The tests try a few hundred inputs for each reader. To try more, for ten minutes, run

    python -m tests.grader.fuzz --minutes 10
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from grader import WrongAnswer, compare, feedback, grading, notebook, wire
from grader.magics import plain_python
from grader.student import StudentError
from tests.grader.notebooks import notebook as make_notebook

# ---- inputs ------------------------------------------------------------------------------------

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([10**20, -(2**63), 2**64, "x" * 1001, "float64", "uint8", "\ud800", "python"])
)
KEYS = st.sampled_from(["value", "dtype", "shape", "entries", "error", "text", "line", "unusable"])
KEYS |= st.sampled_from(["cells", "cell_type", "source", "metadata", "kernelspec", "language"])
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)
# Like an array, but with errors.
ARRAYS = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from([*sorted(wire.DTYPES), "object", "U9", "float128"]) | ANYTHING,
        "shape": st.lists(st.integers(-1, 3) | LEAVES, max_size=5) | ANYTHING,
        "entries": st.lists(st.integers() | st.floats() | LEAVES, max_size=9) | ANYTHING,
    }
)
VALUES = st.recursive(
    LEAVES | ARRAYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def damaged(draw: Callable, contents: st.SearchStrategy[bytes]) -> bytes:
    """Draw content that is damaged in a few places, or not at all."""
    content = draw(contents)
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(content)))
        end = start + draw(st.integers(0, 9))
        content = content[:start] + draw(st.binary(max_size=9)) + content[end:]
    return content


def as_json(value: object) -> bytes:
    """JSON of a value."""
    return json.dumps(value).encode()


def bodies() -> st.SearchStrategy[bytes]:
    """Bodies of replies."""
    replies = st.fixed_dictionaries({"value": VALUES}) | st.dictionaries(KEYS, VALUES, max_size=4)
    return damaged(replies.map(as_json)) | st.binary(max_size=200)


@st.composite
def notebooks(draw: Callable) -> bytes:
    """Draw the content of a notebook with odd parts."""
    content = make_notebook("x = 1", "y = 2")
    first = content["cells"][0]
    for place in draw(st.lists(st.sampled_from([content, first, content["metadata"]]), max_size=3)):
        place[draw(st.sampled_from(sorted(place)))] = draw(ANYTHING)
    return draw(damaged(st.just(as_json(content))))


LINES = ("%time x = f(", "!ls \\", "x = !ls", "f?", "x = (", ")", "'''", "if x:", "    !ls")
LINES += (
    "%%time",
    "await f()",
    "y = 7",
    "% 4",
    "\\",
    "",
    "#",
    'f"{x!r}"',
    "x = %time \\",
    "\ud800",
)
SOURCES = st.text("xf=%!?\\\n\t ()[]{}\"'#;:,.1\r\x0c\0é", max_size=40) | st.lists(
    st.sampled_from(LINES), max_size=8
).map("\n".join)


# ---- readers -----------------------------------------------------------------------------------


def read_notebook(content: bytes) -> None:
    """A notebook has code cells, or an error says why not."""
    try:
        cells = notebook.code_cells(content)
    except notebook.NotebookError:
        return
    assert all(type(cell.source) is str and cell.number > 0 for cell in cells)


def read_reply(body: bytes) -> None:
    """A reply holds plain values, or is refused; texts in it can be shown to a student."""
    try:
        reply = wire.parse(body)
        for name in ("error", "unusable"):
            error = StudentError(wire.text(reply.get(name), 80), wire.text(reply.get("text"), 300))
            assert len(str(error)) < 400
            grading._explain(error).encode()
        decoded = wire.decode(reply.get("value"))
    except wire.WireError:
        return
    wire.decode(json.loads(json.dumps(wire.encode(decoded))))  # raises unless it is plain


EXPECTED = (1.0, np.zeros(3), np.zeros((2, 2)), (np.zeros(2), 1.0), (1.0, (2, 3)), "a", np.zeros(0))


def judge_reply(body: bytes) -> None:
    """A value that a student may return is right or wrong, whatever is expected."""
    try:
        value = wire.decode(wire.parse(body).get("value"))
    except wire.WireError:
        return
    for expected in EXPECTED:
        with suppress(WrongAnswer), np.errstate(all="ignore"):
            compare(value, expected, mistakes={"a mistake": np.ones(3)})


def remove_magics(source: str) -> None:
    """A cell keeps its lines."""
    plain = plain_python(source)
    assert plain == "" or plain.count("\n") == source.count("\n")


def write_feedback(text: str) -> None:
    """What students choose stands on one line of the feedback, inside code."""
    cell = {"cell": 1, "line": None, "message": "raised ValueError", "killed": False}
    result = {"student": text, "chapter": "mse", "status": "invalid", "score": 0, "max_score": 20}
    result |= {"detail": text, "cells": [cell], "more_cells": 0, "questions": []}
    lines = feedback.markdown(result).split("\n")
    assert len(lines) == 6
    assert lines[2].startswith("For `")
    assert lines[2].endswith("`.")
    assert lines[2].count("`") == 2


READERS: dict[Callable, st.SearchStrategy] = {
    read_notebook: notebooks(),
    read_reply: bodies(),
    judge_reply: bodies(),
    remove_magics: SOURCES,
    write_feedback: st.text(),
}


def main() -> None:
    """Try the readers in turn until the time is over; a failure ends this with its input."""
    parser = argparse.ArgumentParser(description="Try the readers of students' input at random.")
    parser.add_argument("--minutes", type=float, default=10.0)
    end = time.monotonic() + 60 * parser.parse_args().minutes
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", category=SyntaxWarning)  # about students' code
    tried = dict.fromkeys((reader.__name__ for reader in READERS), 0)
    for number in itertools.count(time.time_ns()):
        for reader, inputs in READERS.items():
            if time.monotonic() > end:
                print(", ".join(f"{name}: {count} inputs" for name, count in tried.items()))
                return
            tried[reader.__name__] += _try(reader, inputs, number)


def _try(reader: Callable, inputs: st.SearchStrategy, number: int) -> int:
    """Try a reader with a few hundred inputs, and return how many."""
    count = 0

    def once(value: Any) -> None:
        nonlocal count
        count += 1
        reader(value)

    options = settings(
        max_examples=500, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    seed(number)(options(given(inputs)(once)))()
    return count


if __name__ == "__main__":
    main()
