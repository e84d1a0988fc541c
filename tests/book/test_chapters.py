"""What nbval does not see: the rules of a chapter that can be read off its file.

nbval compares outputs, but only of cells that were run; it leaves out PNG figures, does not know
what a tag is, and honours marks that switch it off.
"""

import re
from itertools import pairwise
from statistics import median, quantiles

import nbformat
import pytest

TAG = re.compile(r"\\tag\{([^}]*)\}")
CHECK = re.compile(r"check_equal\(\s*\"([^\"]+)\"")
MYST = re.compile(r"^\s*(?::::*|```)\{|\{[a-z][a-z:-]*\}`|^\s*\([\w-]+\)=\s*$|^%%* ", re.MULTILINE)
ALLOWED = {"text/plain", "text/markdown", "text/html", "image/svg+xml"}
ANATOMY = ["Where it breaks", "What the sources say", "Exercises", "Summary", "Where to read more"]


@pytest.fixture
def notebook(chapter):
    return nbformat.read(chapter, as_version=4)


def cells(notebook, kind):
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def outputs(notebook):
    return [(cell, output) for cell in cells(notebook, "code") for output in cell.outputs]


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
        assert "NBVAL" not in cell.source
        assert not [tag for tag in cell.metadata.get("tags", []) if tag.startswith("nbval")]


def test_every_tag_is_checked_and_every_check_is_tagged(notebook):
    tags = TAG.findall(prose(notebook))
    checks = CHECK.findall("\n".join(cell.source for cell in cells(notebook, "code")))
    assert sorted(tags) == sorted(checks), "each tag has one check, in the same chapter"
    assert len(set(tags)) == len(tags), "a tag names one equation"
    assert tags


def test_every_check_has_passed(notebook):
    printed = "".join(output.get("text", "") for _, output in outputs(notebook))
    for tag in TAG.findall(prose(notebook)):
        assert re.search(rf"^{re.escape(tag)} holds", printed, re.MULTILINE), tag


def test_every_figure_has_alternative_text(notebook):
    for cell, output in outputs(notebook):
        if "image/svg+xml" in output.get("data", {}):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt) > 60, f"say what the figure shows, in the metadata of:\n{cell.source}"


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
