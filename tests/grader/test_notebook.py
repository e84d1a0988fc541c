"""Reading notebooks, removing magics, and removing solutions."""

import json

import pytest

from grader.magics import plain_python
from grader.notebook import NotebookError, code_cells, without_solutions
from tests.grader.notebooks import notebook


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("x = 1", "x = 1"),
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("if x:\n    !ls\ny = 2", "if x:\n    pass\ny = 2"),
        ("files = !ls\nhome = %env HOME", "files = []\nhome = []"),
        ("x.files[0] = !ls -l", "x.files[0] = []"),
        ("x = %time f(3)\n  %time y = 2", "x = f(3)\n  y = 2"),
        ("%time x = (1 +\n 2)", "x = (1 +\n 2)"),
        ("%time !ls\n%time", "pass\npass"),
        ("!pip install \\\n  numpy \\\n  scipy\nx = 1", "pass\n\n\nx = 1"),
        ("x = !ls \\\n -l\ny = 1", "x = []\n\ny = 1"),
        ("!ls \\", "pass"),
        ("!echo it's (\nx = 1", "pass\nx = 1"),
        ("await f()\n!ls", "await f()\npass"),
        ("np.mean?\n?np\nnp.mean??\nx[0].f? \nnp.*mean?", "pass\npass\npass\npass\npass"),
        ("%%time\nx = 1", "pass\nx = 1"),
        ("%%bash\nrm -rf /", ""),
        ("  %%html\n<b>", ""),
        ("x = (7\n% 4)", "x = (7\n% 4)"),  # an operator, not a magic
        ("!ls\nx = (7\n% 4)", "pass\nx = (7\n% 4)"),
        ("%x\n" * 60, "pass\n" * 50 + "%x\n" * 10),
        ("x = 1\n" * 3 + "(", "x = 1\n" * 3 + "("),
        ('"""\n%d\n"""', '"""\n%d\n"""'),
        ("def (:", "def (:"),
        ("", ""),
    ],
)
def test_magics_are_removed(source, plain):
    assert plain_python(source) == plain


def test_a_long_line_is_read_at_once():
    for source in (" " * 200_000, "x " * 100_000, " " * 100_000 + "=" + " " * 100_000):
        assert plain_python(f"({source}\n!").endswith("\n!")


@pytest.mark.parametrize("unit", [b"{},", b"[0],", b'"",'])
def test_a_notebook_of_very_many_values_is_refused_before_it_is_parsed(unit, monkeypatch):
    monkeypatch.setattr(json, "loads", lambda text: pytest.fail("it was parsed"))
    with pytest.raises(NotebookError, match="more than 500,000 values; clear its outputs"):
        code_cells(b'{"cells": [' + unit * (1 << 20) + b"0]}")


@pytest.mark.parametrize("text", ["[{,:" * 10, "\\" * 9 + '"[', "é[", '"'])
def test_marks_in_texts_are_no_values(text):
    """A large output of JavaScript, for instance, is one value."""
    book = notebook("x = 1")
    book["cells"][0]["outputs"] = [text * 400_000]
    assert [cell.source for cell in code_cells(json.dumps(book).encode())] == ["x = 1"]


def test_quotes_that_do_not_end_take_no_long_time():
    with pytest.raises(NotebookError, match="it is not JSON"):
        code_cells(b'"' + b'\\"' * 5_000_000)


def test_cells_keep_their_numbers():
    book = notebook("x = 1", "y = 2")
    book["cells"].insert(1, {"cell_type": "markdown", "source": "text"})
    book["cells"].append({"cell_type": "raw"})
    cells = code_cells(json.dumps(book).encode())
    assert [(cell.number, cell.source) for cell in cells] == [(1, "x = 1"), (3, "y = 2")]


SOLUTION = """def f(x):
    y = 2
    ### BEGIN SOLUTION
    secret = x
    return secret
    ### END SOLUTION


def g():
    ### BEGIN SOLUTION
    return 1
    ### END SOLUTION"""


def test_solutions_are_removed():
    book = notebook("x = 1", SOLUTION)
    student = without_solutions(book)
    assert "".join(student["cells"][1]["source"]) == (
        "def f(x):\n    y = 2\n    # YOUR CODE HERE\n    raise NotImplementedError\n\n\n"
        "def g():\n    # YOUR CODE HERE\n    raise NotImplementedError"
    )
    assert student["cells"][0] == book["cells"][0]
    assert "secret" in book["cells"][1]["source"], "the master itself has changed"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = 1", "no cell has the markers"),
        ("### BEGIN SOLUTION\nx = 1", "cell 1 do not pair"),
        ("x = 1\n### END SOLUTION", "cell 1 do not pair"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", "cell 1 do not pair"),
        ("x = 1  ### BEGIN SOLUTION\n### END SOLUTION", "shares its line"),
    ],
)
def test_markers_that_do_not_pair(source, says):
    with pytest.raises(NotebookError, match=says):
        without_solutions(notebook(source))


def test_markers_in_text():
    book = notebook(SOLUTION)
    book["cells"].append({"cell_type": "markdown", "source": "### BEGIN SOLUTION"})
    with pytest.raises(NotebookError, match="cell 2 has a solution's marker, but is not code"):
        without_solutions(book)


def test_outputs_in_the_master():
    book = notebook(SOLUTION)
    book["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "secret"}]
    with pytest.raises(NotebookError, match="cell 1 has outputs"):
        without_solutions(book)
