"""What nbval does not see: the rules of a chapter that can be read off its file.

nbval compares outputs, but only of cells that were run; it leaves out PNG figures, does not know
what a tag is, and honours marks that switch it off.
"""

import ast
import re
from itertools import pairwise
from statistics import median, quantiles

import nbformat
import pytest
from nbval import plugin as nbval

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
TAGS = {"remove-input", "hide-input"}
ALLOWED = {"text/plain", "text/markdown", "text/html", "image/svg+xml"}
ANATOMY = ["Where it breaks", "What the sources say", "Exercises", "Summary", "Where to read more"]


@pytest.fixture
def notebook(chapter):
    return nbformat.read(chapter, as_version=4)


def cells(notebook, kind):
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def outputs(notebook):
    return [(cell, output) for cell in cells(notebook, "code") for output in cell.outputs]


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
    assert counts == list(range(1, len(counts) + 1)), "run: make refresh"


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
        assert set(cell.metadata.get("tags", [])) <= TAGS
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
    pages = [output.get("data", {}).get("text/html", "") for _, output in outputs(notebook)]
    explorers = [page for page in pages if 'class="explorer"' in page]
    assert explorers
    assert max(map(len, explorers)) < 300_000


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
    assert 3 <= text.count("<details>") <= 5
    summary = text.split("## Summary")[1].split("## ")[0]
    assert 1 <= len([line for line in summary.splitlines() if line.strip()]) <= 7


def test_rhythm(notebook):
    code, words = cells(notebook, "code"), len(prose(notebook).split())
    lengths = [lines(cell) for cell in code]
    assert median(lengths) <= 5
    assert quantiles(lengths, n=10)[-1] < 12
    assert words >= 10 * sum(lengths)


def test_no_two_cells_in_a_row_without_a_word(notebook):
    """A cell that prints a sentence counts as words."""

    def speaks(cell):
        return cell.cell_type == "markdown" or any(
            "text/markdown" in output.get("data", {}) for output in cell.outputs
        )

    for before, after in pairwise(notebook.cells):
        assert speaks(before) or speaks(after), f"{before.source}\n---\n{after.source}"


def test_metadata_is_stable(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info"}, "run: make refresh"
    assert "version" not in notebook.metadata.language_info
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"mystnb", "tags"}
        assert set(cell.metadata.get("mystnb", {})) <= {"image"}
