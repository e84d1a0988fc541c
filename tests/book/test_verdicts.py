"""The conclusions of the chapters are guarded, tried, and listed in the appendix."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from tests.book.test_chapters import cells, read, without_installation
from tools.book import robust


def concluded(chapter):
    """Return the calls of conclude in a chapter."""
    return [
        node
        for cell in cells(without_installation(read(chapter)), "code")
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "conclude"
    ]


def test_a_statement_is_a_sentence_without_results(chapter):
    for call in concluded(chapter):
        statement = ast.literal_eval(call.args[0])  # a literal: it is the name of its verdict
        assert statement[-1] in ".?!", statement
        assert statement[0].isupper() or not statement[0].isalpha(), statement


def test_a_condition_can_fail(chapter):
    for call in concluded(chapter):
        names = {n.id for n in ast.walk(call.args[1]) if isinstance(n, ast.Name)}
        assert names, f"a condition without a result: {ast.unparse(call)}"


def test_every_conclusion_was_tried_and_none_flips(chapter):
    """The table of the appendix has the statements of the chapter as they are now."""
    told = robust.sections(robust.PAGE.read_text("utf8")).get(chapter.stem, "")
    listed = re.findall(r"^\| (.+?)(?: \| [^|]+)+\|$", told, re.MULTILINE)[1:]
    statements = {robust.in_a_table(ast.literal_eval(c.args[0])) for c in concluded(chapter)}
    assert set(listed) == statements, f"run: make robust PAGES={chapter.stem}"
    assert robust.FLIPS not in told


# ---- sentences that conclude without a condition ------------------------------------------------

REVIEWED = Path(__file__).with_name("reviewed_sentences.txt")
"""Sentences beside an experiment that may stand without a condition: they say what was done, what
follows from an equation, or what a source says. Each line is a chapter, a colon, the sentence."""

EXPERIMENT_CALLS = re.compile(r"\b(vary|fit_linear\w*|gradient_descent|tune_lr|best_lr|sweep)\(")
TELLING = re.compile(
    r"""\b(?: better | worse | best | worst | ahead | behind | faster | slower | sooner | later
    | level | hardly | barely | nearly | wins? | loses? | beats? | most | none | never | always
    | every | all | more | less | fewer | further | half | twice | third | quarter | equally
    | (?: larg | small | high | low | wid | near | far | clos | sharp )er
    | the\ same | gives?\ up | resists? )\b | \d""",
    re.VERBOSE | re.IGNORECASE,
)
NO_PROSE = re.compile(
    r"\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|`[^`]*`|<details>.*?</details>", re.DOTALL
)


def bare_claims(notebook):
    """Return sentences that seem to interpret an experiment, in the words below its results."""
    found, experiment, shown = [], False, False
    for cell in notebook.cells:
        if cell.cell_type == "code":
            experiment |= bool(EXPERIMENT_CALLS.search(cell.source))
            shown = any("data" in output for output in cell.outputs)
            continue
        below, *rest = re.split(r"^#+ ", cell.source, flags=re.MULTILINE)
        if experiment and shown:
            plain = NO_PROSE.sub(" ", below)
            sentences = re.split(r"(?<=[.!?:;])\s+|\n\n", plain)
            found += [" ".join(s.split()) for s in sentences if TELLING.search(s)]
        experiment, shown = experiment and not rest, False
    return found


def test_sentences_below_results_are_concluded_or_reviewed(chapter):
    notebook = without_installation(read(chapter))
    reviewed = REVIEWED.read_text("utf8").splitlines()
    ours = {line.partition(": ")[2] for line in reviewed if line.startswith(f"{chapter.stem}: ")}
    found = set(bare_claims(notebook))
    remedy = f"let conclude print it; if it concludes nothing, add it to {REVIEWED.name}"
    assert not found - ours, remedy
    assert not ours - found, f"delete it from {REVIEWED.name}"


def test_a_bare_claim_is_found():
    cells = [
        nbformat.v4.new_code_cell("fit_linear()", outputs=[nbformat.v4.new_output("display_data")]),
        nbformat.v4.new_markdown_cell("Here is a line. MSE is ahead.\n\n# Another section"),
    ]
    assert bare_claims(nbformat.from_dict({"cells": cells})) == ["MSE is ahead."]


# ---- the program that tries them -----------------------------------------------------------------

EXPERIMENT = """
from lossutils.verdicts import conclude, vary
steps, seeds = vary("steps", 4), vary("seeds", range(3))
print(conclude("It is small.", steps < 8))
print(conclude("After 4 steps it is small.", steps < 8, given=["steps"]))
print(conclude("It is positive.", steps > 0))
"""


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Return a function that makes a chapter with this code the only one."""

    def make(code):
        notebook = nbformat.v4.new_notebook()
        notebook.cells = [
            nbformat.v4.new_markdown_cell("# A chapter"),
            nbformat.v4.new_code_cell(code),
        ]
        nbformat.write(notebook, tmp_path / "made_up.ipynb")
        monkeypatch.setattr(robust, "chapters_with_verdicts", lambda: [tmp_path / "made_up.ipynb"])
        return tmp_path / "page.md"

    return make


def test_the_table_tells_what_flips(made_up, capsys):
    page = made_up(EXPERIMENT)
    assert robust.main(["--page", str(page), "--jobs", "1"]) == 1
    assert "1 conclusions flip" in capsys.readouterr().out
    rows = [line for line in page.read_text("utf8").splitlines() if line.startswith("| ")]
    none, flips, stated, holds = robust.UNTOUCHED, robust.FLIPS, robust.STATED, robust.HOLDS
    assert [row.strip("| ").split(" | ") for row in rows[1:]] == [
        ["It is small.", holds, flips, flips, none, none, holds, none],
        ["After 4 steps it is small.", holds, stated, stated, none, none, holds, none],
        ["It is positive.", holds, holds, holds, none, none, holds, none],
    ]


def test_an_experiment_that_fails_leaves_the_page_unchanged(made_up, capsys):
    page = made_up(EXPERIMENT + "assert steps < 8, 'too many steps'")
    page.write_text("as before", "utf8")
    assert robust.main(["--page", str(page), "--jobs", "1"]) == 1
    assert "too many steps" in capsys.readouterr().err
    assert page.read_text("utf8") == "as before"


def test_a_chapter_without_verdicts_is_refused(made_up, capsys):
    made_up(EXPERIMENT)
    with pytest.raises(SystemExit):
        robust.main(["mle"])
    assert "no verdicts in mle; there are made_up" in capsys.readouterr().err
