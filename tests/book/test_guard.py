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


def use_myst(notebook):
    notebook.cells[0].source += "\n\n:::{note}\nShown raw in Colab.\n:::\n"


def store_a_warning(notebook):
    warning = nbformat.v4.new_output("stream", name="stderr", text="UserWarning: look out\n")
    code_cells(notebook)[1].outputs.append(warning)


def skip_a_cell(notebook):
    code_cells(notebook)[1].metadata["tags"] = ["nbval-skip"]


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


def suite_on(folder: Path, *, run: bool) -> subprocess.CompletedProcess:
    """Run the rules on the chapters of a folder, and nbval too if asked."""
    notebooks = ["--nbval", str(folder)] if run else []
    # -x: one failure is enough, and saves the rest of the chapter
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, str(RULES), "--chapters", str(folder), *notebooks],
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
    ],
)
def test_a_fault_in_the_file_is_caught(fault, caught_by, chapter, tmp_path):
    copy_with(fault, chapter, tmp_path)
    result = suite_on(tmp_path, run=False)
    assert result.returncode == 1, result.stdout
    assert f"FAILED tests/book/test_chapters.py::{caught_by}" in result.stdout


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
