"""Faults to plant in a copy of a chapter: those that a suite of notebooks tends to let through."""

import re

import nbformat


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
    raise AssertionError(f"there is nothing to change: no cell has {pattern}")


# ---- faults that the rules must find in the file -------------------------------------------------


def strip_outputs(notebook):
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None


def remove_a_check(notebook):
    replace_once(code_cells(notebook), r"check_equal\(.*\)\n?", "")


def remove_alternative_text(notebook):
    del figure_cells(notebook)[0].metadata["mystnb"]


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


def write_a_tag_with_a_space(notebook):
    notebook.cells[1].source += "\n\n$$1 = 2 \\tag {unchecked}$$\n"


def check_nothing(notebook):
    replace_once(code_cells(notebook), r'(check_equal\("[\w-]+"),.*', r"\1, 1, 1)")


def misprint_a_sign(notebook):
    """Turn the last sign of the last equation with a name that has one."""
    for cell in reversed(notebook.cells):
        for tex in reversed(re.findall(r"\$\$[^$]*\\tag\{[^$]*\$\$", cell.source)):
            changed = re.sub(r"([+-])(?=[^+-]*\\tag)", lambda m: "+-"[m[0] == "+"], tex)
            if changed != tex and cell.cell_type == "markdown":
                cell.source = cell.source.replace(tex, changed)
                return re.search(r"\\tag\{(.*?)\}", tex)[1]
    raise AssertionError("there is nothing to change: no equation has a sign")


def use_myst(notebook, text):
    notebook.cells[1].source += f"\n\n{text}\n"


IN_FILE = {
    strip_outputs: "test_every_cell_was_run_in_order",
    remove_a_check: "test_every_tag_is_checked_and_every_check_is_tagged",
    remove_alternative_text: "test_every_figure_has_alternative_text",
    store_a_warning: "test_no_error_or_warning_is_stored",
    skip_a_cell: "test_nothing_switches_nbval_off",
    ignore_an_output: "test_nothing_switches_nbval_off",
    hide_a_warning: "test_nothing_switches_nbval_off",
    empty_alternative_text: "test_every_figure_has_alternative_text",
    write_a_tag_with_a_space: "test_tags_stand_in_the_text_in_one_spelling",
    check_nothing: "test_both_sides_of_a_check_are_not_the_same_expression",
}
"""Each fault, and the test of test_chapters.py that must fail."""

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
"""Spellings of MyST, for `use_myst`."""

# ---- faults that nbval must find when it runs the cells ------------------------------------------
# Each function returns the cell that it has changed.


def change_a_printed_digit(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            text = output.get("data", {}).get("text/markdown", "")
            if digit := re.search(r"\d(?=\D*$)", text):
                new = str((int(digit[0]) + 1) % 10)
                output.data["text/markdown"] = text[: digit.start()] + new + text[digit.end() :]
                return cell
    raise AssertionError("there is nothing to change: no cell prints a number in a sentence")


def scale_a_plotted_array(notebook):
    return replace_once(
        figure_cells(notebook), r"plots\.lines\(\s*(\w+),", r"plots.lines(1.001 * \1,"
    )


def flip_a_sign(notebook):
    return replace_once(code_cells(notebook), r'(check_equal\("[\w-]+", )(?=\w)', r"\1-1 * ")


IN_RUN = {
    change_a_printed_digit: "Cell outputs differ",
    scale_a_plotted_array: "Cell outputs differ",
    flip_a_sign: "does not hold",
}
"""Each fault, and what nbval must report of its cell."""
