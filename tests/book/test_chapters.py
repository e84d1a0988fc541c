"""What nbval does not see: the rules of a chapter that can be read off its file.

nbval compares outputs, but only of cells that were run; it leaves out PNG figures, does not know
what a tag is, and honours marks that switch it off.
"""

import ast
import re
import symtable
from functools import cache
from statistics import median, quantiles

import nbformat
import pytest
from nbformat import NotebookNode
from nbval import plugin as nbval

from _ext.checks import KEEP, names_checked

TAG = re.compile(r"\\tag\{([^}]*)\}")
MARGIN = r"^[>\s\-*+\d.]*"  # a list or a quotation may stand around it
MYST = re.compile(
    "|".join(
        [
            MARGIN + r"(?:`{3,}|~{3,}|:{3,})\s*\{",  # directive
            MARGIN + r":{3,}",  # fence of colons
            r"\{[\w:+-]+\}`",  # role
            MARGIN + r"\([^)\s]+\)=",  # target
            r"^\+\+\+",  # block break
            r"^%",  # comment
            r"\$\$[ \t]*\([\w-]+\)",  # label of a formula
            r"^: ",  # definition list
            MARGIN + r"\{[#.]",  # attributes
            r"(?<!!)\[\]\(",  # link that takes its text from the target
        ]
    ),
    re.MULTILINE,
)
HUSH = re.compile(r"\b(simply|obviously)\b", re.IGNORECASE)
TAGS = {"remove-input", "hide-input", KEEP}
ALLOWED = {"text/plain", "text/markdown", "text/html", "image/svg+xml"}
ANATOMY = ["Where it breaks", "What the sources say", "Exercises", "Summary", "Where to read more"]


@pytest.fixture
def notebook(chapter):
    return without_installation(read(chapter))


@cache
def read(path):
    return nbformat.read(path, as_version=4)


def without_installation(notebook):
    """Drop the first cell, which only installs the package where it is missing."""
    assert "find_spec" in notebook.cells[0].source
    return NotebookNode(notebook, cells=notebook.cells[1:])


def cells(notebook, kind):
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def outputs(notebook):
    return [(cell, output) for cell in cells(notebook, "code") for output in cell.outputs]


def speaks(cell):
    """Say whether a cell is words; one that prints a sentence is."""
    return cell.cell_type == "markdown" or any(
        "text/markdown" in output.get("data", {}) for output in cell.outputs
    )


def checks(notebook):
    """Return the calls of check_equal in all cells: tag, left side, right side, options."""
    found = []
    for cell in cells(notebook, "code"):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check_equal":
                tag, left, right = node.args
                found.append((ast.literal_eval(tag), ast.dump(left), ast.dump(right)))
    return found


def prose(notebook):
    return "\n".join(cell.source for cell in cells(notebook, "markdown"))


def lines(cell):
    return len([line for line in cell.source.splitlines() if line.strip()])


def test_every_cell_was_run_in_order(notebook):
    counts = [cell.execution_count for cell in cells(notebook, "code")]
    assert counts == list(range(2, len(counts) + 2)), "run: make refresh"


def test_no_error_or_warning_is_stored(notebook):
    for cell, output in outputs(notebook):
        assert output.output_type != "error", cell.source
        assert output.get("name") != "stderr", output.text


def test_outputs_are_of_kinds_that_nbval_compares(notebook):
    for cell, output in outputs(notebook):
        assert set(output.get("data", {})) <= ALLOWED, cell.source


def test_nothing_switches_nbval_off(notebook):
    for cell in cells(notebook, "code"):
        for mark in nbval.comment_markers:
            assert mark.lower() not in cell.source.lower()
        assert tags(cell) <= TAGS
        assert not re.search(r"^\s*[%!]", cell.source, re.MULTILINE), "magics can hide output"


def test_every_tag_is_checked_and_every_check_is_tagged(notebook):
    tags = TAG.findall(prose(notebook))
    assert sorted(tags) == sorted(tag for tag, *_ in checks(notebook))
    assert len(set(tags)) == len(tags), "a tag names one equation"
    assert tags


def test_tags_stand_in_the_text_in_one_spelling(notebook):
    assert prose(notebook).count(r"\tag") == len(TAG.findall(prose(notebook)))
    for cell in cells(notebook, "code"):
        assert "\\tag" not in cell.source + str(cell.outputs)


def test_both_sides_of_a_check_are_not_the_same_expression(notebook):
    for tag, left, right in checks(notebook):
        assert left != right, tag


def test_every_check_has_passed(notebook):
    printed = "".join(output.get("text", "") for _, output in outputs(notebook))
    for tag in TAG.findall(prose(notebook)):
        assert re.search(rf"^{re.escape(tag)} holds", printed, re.MULTILINE), tag


def test_every_figure_has_alternative_text(notebook):
    told = set()
    for cell, output in outputs(notebook):
        if "image/svg+xml" in output.get("data", {}):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "").strip()
            assert len(alt) > 60, f"say what the figure shows, in the metadata of:\n{cell.source}"
            assert alt not in told, "each figure shows something else"
            told.add(alt)


def test_pictures_come_from_figures_and_explorers_alone(notebook):
    assert not re.search(r"!\[|<img|<svg", prose(notebook))
    for cell, output in outputs(notebook):
        page = output.get("data", {}).get("text/html", "")
        if re.search(r"<img|<svg", page):
            assert page.startswith('<figure class="explorer"'), cell.source


def test_explorers_are_there_and_light(notebook):
    places = explorers(notebook)
    assert places
    for place in places:
        for output in notebook.cells[place].outputs:
            assert len(output.get("data", {}).get("text/html", "")) < 300_000


def explorers(notebook):
    """Return the places of the cells that show an explorer."""
    return [
        place
        for place, cell in enumerate(notebook.cells)
        if any('class="explorer"' in str(output) for output in cell.get("outputs", []))
    ]


def test_an_explorer_stands_between_a_prediction_and_what_to_look_for(notebook):
    for place in explorers(notebook):
        before = "\n".join(c.source for c in notebook.cells[:place] if c.cell_type == "markdown")
        section = re.split(r"^#+ ", before, flags=re.MULTILINE)[-1]
        assert "> **Predict.**" in section, section
        after = notebook.cells[place + 1]
        assert speaks(after), after.source
        assert not after.source.startswith("#"), after.source


def test_an_explorer_still_draws_the_same_after_the_last_cell(notebook):
    """In a live kernel it draws when the slider moves; by then no later cell may use its names."""
    places = explorers(notebook)
    for place in places:
        code = [c.source if c.cell_type == "code" else "" for c in notebook.cells]
        origin = {name: cell for cell in code[: place + 1] for name in assigned(cell)}
        to_do = needed(origin["draw"]) | needed(origin["describe"])
        used = set()
        while to_do:
            used |= to_do
            cells = {origin[name] for name in to_do if name in origin}
            to_do = set().union(*map(needed, cells)) - used
        assert not used & set().union(*map(assigned, code[place + 1 :])), code[place]


def assigned(code):
    """Return the names that a cell gives a value."""
    symbols = symtable.symtable(code, "cell", "exec").get_symbols()
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}


def needed(code):
    """Return the names of the notebook that a cell's functions look up when they are called."""
    functions, found = [symtable.symtable(code, "cell", "exec")], set()
    for table in functions:
        functions += table.get_children()
        if table.get_type() == "function":
            found |= {s.get_name() for s in table.get_symbols() if s.is_global()}
    return found


def test_markdown_is_plain(notebook):
    text = prose(notebook)
    found = MYST.search(text)
    assert not found, f"MyST syntax shows raw in Colab: {found[0]!r}"
    assert r"\(" not in text
    assert r"\[" not in text
    assert not HUSH.search(text), "what is simple to you may not be to the reader"


def test_anatomy(notebook):
    text = prose(notebook)
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [heading for heading in headings if heading in ANATOMY] == ANATOMY
    assert text.startswith("# ")
    assert "**The question.**" in text
    assert "> **Predict.**" in text
    exercises = text.split("## Exercises")[1].split("## Summary")[0]
    summaries = re.findall(r"<details>\s*<summary>(.+?)</summary>", exercises)
    answers = [fold for fold in summaries if fold.startswith("Answer")]
    assert answers == [f"Answer to {number}" for number in range(1, len(answers) + 1)]
    assert 6 <= len(answers) <= 8
    assert all(fold.startswith(("Answer to ", "Hint for ")) for fold in summaries)
    summary = text.split("## Summary")[1].split("## ")[0]
    assert 1 <= len([line for line in summary.splitlines() if line.strip()]) <= 7


def tags(cell):
    return set(cell.metadata.get("tags", []))


def folds(cell):
    """Say whether the site folds a cell into the tick of an equation: it prints only checks."""
    streams = all(output.output_type == "stream" for output in cell.outputs)
    printed = "".join(output.get("text", "") for output in cell.outputs)
    return streams and bool(names_checked(printed)) and KEEP not in tags(cell)


def shows_code(cell):
    """Say whether the page shows a cell's code without a click."""
    return not {"remove-input", "hide-input"} & tags(cell) and not folds(cell)


def shows_output(cell):
    """Say whether the page shows what a cell printed or drew."""
    return bool(cell.outputs) and not folds(cell)


def test_rhythm(notebook):
    """Only code that the page shows counts: the rest is one click away, or prints sentences."""
    lengths = [lines(cell) for cell in cells(notebook, "code") if shows_code(cell)]
    assert median(lengths) <= 5
    assert quantiles(lengths, n=10)[-1] < 12
    assert len(prose(notebook).split()) >= 10 * sum(lengths)


def test_what_a_cell_shows_is_read(notebook):
    """Between two outputs, and after a figure, there are words; code alone may follow code."""
    waiting = None
    for cell in notebook.cells:
        if speaks(cell):
            waiting = None
        elif shows_output(cell):
            assert not waiting, f"{waiting}\n---\n{cell.source}"
            waiting = cell.source
    assert not waiting


def test_at_most_three_pieces_of_code_in_a_row(notebook):
    row = 0
    for cell in notebook.cells:
        row = 0 if speaks(cell) else row + shows_code(cell)
        assert row <= 3, cell.source


def test_metadata_is_stable(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info"}, "run: make refresh"
    assert "version" not in notebook.metadata.language_info
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"mystnb", "tags"}
        assert set(cell.metadata.get("mystnb", {})) <= {"image"}
