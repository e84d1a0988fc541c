"""The guard guarded: a fault planted in a copy of a chapter must make the tests fail.

The faults are those that a suite of notebooks tends to let through. pytest runs on the copies as
it does in `make test` on the chapters. Faults that show in the file are looked for in one run,
since starting pytest is what takes the time; those that show when cells are run, each in its own.
"""

import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import nbformat
import pytest

from tools.facts import ROOT

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
            return cell
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


def use_myst(notebook, text):
    notebook.cells[1].source += f"\n\n{text}\n"


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
    notebook.cells[1].source += "\n\n$$1 = 2 \\tag {unchecked}$$\n"


def check_nothing(notebook):
    replace_once(code_cells(notebook), r'(check_equal\("[\w-]+"),.*', r"\1, 1, 1)")


# Faults that show when the cells are run. Each returns the cell that nbval must report.


def change_a_printed_digit(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            text = output.get("data", {}).get("text/markdown", "")
            if digit := re.search(r"\d(?=\D*$)", text):
                new = str((int(digit[0]) + 1) % 10)
                output.data["text/markdown"] = text[: digit.start()] + new + text[digit.end() :]
                return cell
    raise AssertionError("no printed number to spoil")


def scale_a_plotted_array(notebook):
    return replace_once(figure_cells(notebook), r"plots\.lines\((\w+),", r"plots.lines(1.001 * \1,")


def flip_a_sign(notebook):
    return replace_once(code_cells(notebook), r'(check_equal\("[\w-]+", )(?=\w)', r"\1-1 * ")


def suite_on(folder: Path, *options: str) -> subprocess.CompletedProcess:
    """Run the rules on the notebooks of a folder, with more options of pytest."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, str(RULES), "--chapters", str(folder), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def copy_with(fault, chapter, copy):
    notebook = nbformat.read(chapter, as_version=4)
    fault(notebook)
    nbformat.write(notebook, copy)


def chapters(config):
    return sorted(config.getoption("--chapters").glob("*.ipynb"))


def unchanged(notebook):
    pass


IN_FILE = {
    strip_outputs: "test_every_cell_was_run_in_order",
    remove_a_check: "test_every_tag_is_checked_and_every_check_is_tagged",
    remove_alternative_text: "test_every_figure_has_alternative_text",
    store_a_warning: "test_no_error_or_warning_is_stored",
    skip_a_cell: "test_nothing_switches_nbval_off",
    ignore_an_output: "test_nothing_switches_nbval_off",
    hide_a_warning: "test_nothing_switches_nbval_off",
    empty_alternative_text: "test_every_figure_has_alternative_text",
    tag_out_of_sight: "test_tags_stand_in_the_text_in_one_spelling",
    check_nothing: "test_both_sides_of_a_check_are_not_the_same_expression",
}


@pytest.fixture(scope="module")
def failed(tmp_path_factory, request):
    """Run the rules once on a copy for each fault; return the failures, as "rule[copy]"."""
    folder = tmp_path_factory.mktemp("copies")
    for chapter in chapters(request.config):
        for fault in (unchanged, *IN_FILE):
            copy_with(fault, chapter, folder / f"{chapter.stem}-{fault.__name__}.ipynb")
        for i, text in enumerate(MYST):
            fault = partial(use_myst, text=text)
            copy_with(fault, chapter, folder / f"{chapter.stem}-myst{i}.ipynb")
    report = suite_on(folder).stdout
    return set(re.findall(r"^FAILED \S+::(\S+\])", report, re.MULTILINE))


@pytest.mark.parametrize(("fault", "rule"), IN_FILE.items())
def test_a_fault_in_the_file_is_caught(fault, rule, chapter, failed):
    assert f"{rule}[{chapter.stem}-{fault.__name__}]" in failed


@pytest.mark.parametrize("i", range(len(MYST)))
def test_myst_is_caught_in_any_spelling(i, chapter, failed):
    assert f"test_markdown_is_plain[{chapter.stem}-myst{i}]" in failed, MYST[i]


def test_an_unchanged_copy_passes_the_rules(chapter, failed):
    assert not [failure for failure in failed if f"[{chapter.stem}-unchanged]" in failure]


def lightest(config):
    return min(chapters(config), key=lambda path: path.stat().st_size)


def test_an_unchanged_copy_passes_the_whole_suite(tmp_path, request):
    chapter = lightest(request.config)
    copy_with(unchanged, chapter, tmp_path / chapter.name)
    result = suite_on(tmp_path, "--nbval", str(tmp_path))
    assert result.returncode == 0, result.stdout


IN_RUN = {
    change_a_printed_digit: "Cell outputs differ",
    scale_a_plotted_array: "Cell outputs differ",
    flip_a_sign: "does not hold",
}


def test_faults_in_the_run_are_caught(chapter, tmp_path):
    """All are planted in one copy, which ends at the last, since running is what takes the time."""
    notebook = nbformat.read(chapter, as_version=4)
    spoilt = {fault: code_cells(notebook).index(fault(notebook)) for fault in IN_RUN}
    assert len(set(spoilt.values())) == len(spoilt)
    end = notebook.cells.index(code_cells(notebook)[max(spoilt.values())])
    notebook.cells = notebook.cells[: end + 1]
    nbformat.write(notebook, tmp_path / chapter.name)

    report = suite_on(tmp_path, "--nbval", str(tmp_path)).stdout
    # nbval counts code cells from 0 and gives each a section of the report
    sections = re.split(r"^_+ .*::Cell (\d+) _+$", report, flags=re.MULTILINE)
    reasons = dict(zip(map(int, sections[1::2]), sections[2::2], strict=True))
    for fault, at in spoilt.items():
        assert IN_RUN[fault] in reasons.get(at, ""), f"{fault.__name__} in cell {at}:\n{report}"
