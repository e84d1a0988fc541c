"""The guard guarded: a fault planted in a copy of a chapter must make the tests fail.

The faults are those that a suite of notebooks tends to let through. Each test runs pytest on the
copy as `make test` does on the chapters.
"""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
RULES = Path(__file__).with_name("test_chapters.py")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def figure_cells(notebook):
    return [
        cell
        for cell in code_cells(notebook)
        if any("image/svg+xml" in output.get("data", {}) for output in cell.outputs)
    ]


def replace_once(cells, pattern, replacement):
    """Change the source of the first cell that has the pattern."""
    for cell in cells:
        changed = re.sub(pattern, replacement, cell.source, count=1)
        if changed != cell.source:
            cell.source = changed
            return
    raise AssertionError(f"nothing to spoil: no cell has {pattern}")


# Faults that show in the file.


def strip_outputs(notebook):
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None


def remove_a_check(notebook):
    replace_once(code_cells(notebook), r"check_equal\(.*\)\n?", "")


def remove_alternative_text(notebook):
    del figure_cells(notebook)[0].metadata["mystnb"]


MYST = [
    ":::{note}\nx\n:::",
    ":::note\nx\n:::",
    "~~~{note}\nx\n~~~",
    "``` {note}\nx\n```",
    "`````{note}\nx\n`````",
    "- ```{note}\n  x\n  ```",
    "> ::: {note}\n> x\n> :::",
    "{ref}`x`",
    "{Abbr}`x (y)`",
    "{my_role}`x`",
    "(a.b:c)=\n## X",
    "+++",
    "% a comment",
    "$$q = 1$$ (label)",
    "word\n: what it means",
    "{#here}\n## X",
    "[](bce.ipynb)",
]


def use_myst(notebook, text=MYST[0]):
    notebook.cells[0].source += f"\n\n{text}\n"


def store_a_warning(notebook):
    warning = nbformat.v4.new_output("stream", name="stderr", text="UserWarning: look out\n")
    code_cells(notebook)[1].outputs.append(warning)


def skip_a_cell(notebook):
    code_cells(notebook)[1].metadata["tags"] = ["nbval-skip"]


def ignore_an_output(notebook):
    code_cells(notebook)[1].source += "\n# PYTEST_VALIDATE_IGNORE_OUTPUT"


def hide_a_warning(notebook):
    code_cells(notebook)[1].source = "%%capture\n" + code_cells(notebook)[1].source


def empty_alternative_text(notebook):
    figure_cells(notebook)[0].metadata["mystnb"]["image"]["alt"] = " " * 80


def tag_out_of_sight(notebook):
    notebook.cells[0].source += "\n\n$$1 = 2 \\tag {unchecked}$$\n"


def check_nothing(notebook):
    replace_once(code_cells(notebook), r'(check_equal\("[\w-]+"),.*', r"\1, 1, 1)")


# Faults that show when the cells are run.


def change_a_printed_digit(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            text = output.get("data", {}).get("text/markdown", "")
            if digit := re.search(r"\d(?=\D*$)", text):
                new = str((int(digit[0]) + 1) % 10)
                output.data["text/markdown"] = text[: digit.start()] + new + text[digit.end() :]
                return
    raise AssertionError("no printed number to spoil")


def scale_a_plotted_array(notebook):
    replace_once(figure_cells(notebook), r"plots\.lines\((\w+),", r"plots.lines(1.001 * \1,")


def flip_a_sign(notebook):
    replace_once(code_cells(notebook), r'(check_equal\("[\w-]+", )(?=\w)', r"\1-1 * ")


def suite_on(folder: Path, *, run: bool, stop: bool = True) -> subprocess.CompletedProcess:
    """Run the rules on the chapters of a folder, and nbval too if asked; stop at a failure."""
    options = ["--nbval", str(folder)] if run else []
    options += ["-x"] if stop else []
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, str(RULES), "--chapters", str(folder), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def copy_with(fault, chapter, folder):
    notebook = nbformat.read(chapter, as_version=4)
    fault(notebook)
    nbformat.write(notebook, folder / chapter.name)


def test_an_unchanged_copy_passes(tmp_path, request):
    first = min(request.config.getoption("--chapters").glob("*.ipynb"))
    copy_with(lambda notebook: None, first, tmp_path)
    result = suite_on(tmp_path, run=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("fault", "caught_by"),
    [
        (strip_outputs, "test_every_cell_was_run_in_order"),
        (remove_a_check, "test_every_tag_is_checked"),
        (remove_alternative_text, "test_every_figure_has_alternative_text"),
        (use_myst, "test_markdown_is_plain"),
        (store_a_warning, "test_no_error_or_warning_is_stored"),
        (skip_a_cell, "test_nothing_switches_nbval_off"),
        (ignore_an_output, "test_nothing_switches_nbval_off"),
        (hide_a_warning, "test_nothing_switches_nbval_off"),
        (empty_alternative_text, "test_every_figure_has_alternative_text"),
        (tag_out_of_sight, "test_tags_stand_in_the_text"),
        (check_nothing, "test_both_sides_of_a_check"),
    ],
)
def test_a_fault_in_the_file_is_caught(fault, caught_by, chapter, tmp_path):
    copy_with(fault, chapter, tmp_path)
    result = suite_on(tmp_path, run=False)
    assert result.returncode == 1, result.stdout
    assert f"FAILED tests/book/test_chapters.py::{caught_by}" in result.stdout


def test_myst_in_any_spelling_is_caught(tmp_path, request):
    """One copy for each spelling, all in one run, since starting pytest is what takes the time."""
    first = min(request.config.getoption("--chapters").glob("*.ipynb"))
    for i, text in enumerate(MYST):
        copy = nbformat.read(first, as_version=4)
        use_myst(copy, text)
        nbformat.write(copy, tmp_path / f"copy_{i}.ipynb")
    result = suite_on(tmp_path, run=False, stop=False)
    missed = [
        text
        for i, text in enumerate(MYST)
        if f"test_markdown_is_plain[copy_{i}]" not in result.stdout.partition("short test")[2]
    ]
    assert not missed


@pytest.mark.parametrize(
    ("fault", "caught_by"),
    [
        (change_a_printed_digit, "Cell outputs differ"),
        (scale_a_plotted_array, "Cell outputs differ"),
        (flip_a_sign, "does not hold"),
    ],
)
def test_a_fault_in_the_run_is_caught(fault, caught_by, chapter, tmp_path):
    copy_with(fault, chapter, tmp_path)
    result = suite_on(tmp_path, run=True)
    assert result.returncode == 1, result.stdout
    assert caught_by in result.stdout
