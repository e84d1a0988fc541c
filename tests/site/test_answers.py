"""Answer boxes below exercises, and assignments that are done on their page and handed in."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from _ext.run_here import exercises
from grader import assignment, grade
from grader.notebook import dump
from tests.grader.conftest import sandbox  # noqa: F401 (a fixture)
from tests.grader.notebooks import SEED, renamed_source
from tests.site.conftest import needs_python
from tests.site.test_pages import use, violations
from tests.site.test_run_here import LONGEST, status, type_over
from tests.site.toc import CHAPTERS, ROOT

PAGE = "chapters/mle"
ASSIGNMENT = "mle"
DOWNLOAD = "Download my notebook (.ipynb)"


def cells_of(file):
    return json.loads((ROOT / file).read_text("utf8"))["cells"]


@pytest.mark.parametrize("page", CHAPTERS)
def test_each_exercise_with_a_cell_gets_a_box(page):
    """A cell waits in one line, which the box replaces, and names its exercise once."""
    cells = cells_of(f"{page}.ipynb")
    found = exercises({"cells": cells})
    waiting = {i for i, cell in enumerate(cells) if "waiting for your answer" in str(cell)}
    assert found.keys() == waiting
    assert len(found) >= 3
    for place, name in found.items():
        source = "".join(cells[place]["source"])
        assert cells[place]["id"] == name
        assert source.count("\nanswer = ") + source.startswith("answer = ") == 1
        assert source.count('check_answer("Exercise ') == 1


@pytest.fixture
def box(open_page):
    """The box of a chapter's first exercise, before Python is loaded."""
    tab = open_page(PAGE)
    tab.set_default_timeout(LONGEST)
    tab.locator(".answer-box").first.wait_for()
    return tab.locator(".answer-box").first


def says(box, words):
    expect(box.locator("[role=status]")).to_contain_text(words, timeout=LONGEST)


def check(box, text, key="Enter"):
    """Write an answer and check it by a key."""
    field = box.get_by_role("textbox").first
    field.fill(text)
    field.press(key)


@needs_python
def test_an_answer_is_checked_by_keyboard(box):
    tab = box.page
    expect(box.get_by_label("Exercise 1: your answer")).to_have_value("")
    expect(tab.get_by_text("Where a box follows")).to_be_visible()
    expect(tab.get_by_text("Where a cell follows")).to_be_hidden()
    check(box, "")
    says(box, "Write your answer into the box first.")
    check(box, "1")
    says(box, "Check needs Python.")
    expect(box.get_by_role("button", name="Load it")).to_be_focused()
    tab.keyboard.press("Enter")
    says(box, "Not yet. Yours is too low.")
    expect(box.get_by_role("button", name="Check")).to_be_focused()
    check(box, "0.75**6 * 0.25**2 / 0.5**8")
    says(box, "Right.")
    check(box, "1 +", "Shift+Enter")
    says(box, "Python cannot read this: ")
    check(box, "1 / 0")
    says(box, "Python stopped with an error: division by zero (ZeroDivisionError).")
    # the chapter has not been run, only what this exercise needs
    assert len(tab.evaluate("runHere.verdicts().filter(cell => cell.verdict)")) <= 3


@needs_python
def test_an_answer_may_have_several_lines(box):
    tab = box.page
    field = box.get_by_role("textbox").first
    field.focus()
    for line in (
        "def ratio(p):",
        "    return (p / 0.5)**6 * ((1 - p) / 0.5)**2",
        "answer = ratio(3 / 4)",
    ):
        tab.keyboard.type(line)
        tab.keyboard.press("Enter")
    assert field.input_value().count("\n") == 3
    tab.keyboard.press("Shift+Enter")
    tab.keyboard.press("Enter")
    says(box, "Right.")
    check(box, "def ratio(p):\n    return p", "Shift+Enter")
    says(box, "The last line must be the answer itself")


@needs_python
def test_after_a_check_that_could_not_run_the_next_one_can(box):
    def broken_once(route):
        run, text = "run(source) {", route.fetch().text()
        assert run in text
        fault = 'if (!this.broke) { this.broke = true; throw new Error("broken"); }'
        route.fulfill(body=text.replace(run, f"{run} {fault}"), content_type="text/javascript")

    box.page.route("**/python.js", broken_once)
    check(box, "1")
    box.get_by_role("button", name="Load it").click()
    says(box, "The check could not run (broken).")
    expect(box.get_by_role("button", name="Load it")).to_be_hidden()
    check(box, "1")
    says(box, "Not yet. Yours is too low.")


@needs_python
def test_the_cell_behind_a_box_can_be_changed(box):
    tab = box.page
    tab.locator(".run-here-button").click()
    tab.locator("body.runs-here").wait_for()
    expect(box.locator(".cell")).to_be_hidden()
    box.get_by_text("The cell behind this box").click()
    expect(box.locator(".cell pre").first).to_contain_text("answer = None")
    changed = "from lossutils.selfcheck import check_answer\nanswer = None\n"
    type_over(tab, box.locator(".cell"), f'{changed}check_answer("Exercise 1", answer, 33)')
    check(box, "33")
    says(box, "Right.")
    check(box, "[0 for _ in iter(int, 1)]")  # endless
    box.get_by_role("button", name="Stop").click()
    says(box, "Stopped.")
    check(box, "33")
    says(box, "Right.")


@needs_python
def test_an_answer_is_kept_for_the_next_visit(box):
    tab = box.page
    field = box.get_by_role("textbox")
    field.fill("1 + 2")
    tab.reload()
    expect(field).to_have_value("1 + 2")
    box.get_by_role("button", name="Undo").click()
    expect(field).to_have_value("")
    expect(field).to_be_focused()
    assert not tab.evaluate("Object.keys(localStorage).some(key => key.startsWith('answer:'))")
    tab.reload()
    expect(field).to_have_value("")


@needs_python
def test_paper_shows_the_cell_and_not_the_box(box):
    tab = box.page
    tab.emulate_media(media="print")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(box.locator(".cell .cell_input")).to_be_visible()
    expect(tab.get_by_text("Where a cell follows")).to_be_visible()
    for part in (box.locator("label"), box.get_by_role("textbox"), box.locator("summary")):
        expect(part).to_be_hidden()
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    tab.emulate_media(media="screen")
    expect(box.locator(".cell .cell_input")).to_be_hidden()


def test_without_scripts_there_is_the_cell(open_page):
    tab = open_page(PAGE, java_script_enabled=False)
    expect(tab.locator(".answer-box")).to_have_count(0)
    expect(tab.get_by_text("Where a cell follows")).to_be_visible()
    expect(tab.locator("#exercises .cell_input").first).to_be_visible()


@needs_python
def test_boxes_are_accessible(open_page):
    for screen in ("phone", "desktop"):
        tab = open_page(PAGE, screen)
        tab.set_default_timeout(LONGEST)
        first, second = tab.locator(".answer-box").nth(0), tab.locator(".answer-box").nth(1)
        first.wait_for()
        check(first, "1")
        first.get_by_role("button", name="Load it").click()
        says(first, "Not yet.")
        check(second, "1 / 0")
        says(second, "Python stopped")
        check(tab.locator(".answer-box").nth(2), "-1 + 2 * 3 / (")
        for theme in ("light", "dark"):
            use(tab, theme)
            assert violations(tab, {"include": [[".answer-box"]]}) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= tab.viewport_size["width"]


# ---- assignments -----------------------------------------------------------------------------


@pytest.fixture
def opened(open_page):
    """Return a function that opens the page of an assignment and loads Python by keyboard."""

    def press(screen="desktop"):
        tab = open_page(f"assignments/{ASSIGNMENT}/{ASSIGNMENT}", screen, accept_downloads=True)
        tab.set_default_timeout(LONGEST)
        tab.locator(".run-here-button").press("Enter")
        tab.locator("body.runs-here").wait_for()
        expect(tab.locator(".run-here-button")).to_be_focused()
        return tab

    return press


def download(tab):
    """Press the button at the end of the page, and return the file."""
    with tab.expect_download() as found:
        tab.locator(".hand-in").get_by_role("button", name=DOWNLOAD).press("Enter")
    assert found.value.suggested_filename == f"{ASSIGNMENT}.ipynb"
    return Path(found.value.path())


def solutions():
    """Return the reference's source of each cell that a student writes, by the cell's place."""
    return {
        place: "".join(cell["source"])
        for place, cell in enumerate(assignment.load_master(ASSIGNMENT)["cells"])
        if "### BEGIN SOLUTION" in "".join(cell["source"])
    }


def written(sources):
    """Return the students' notebook with some cells filled in, as JupyterLab would save it."""
    notebook = json.loads(published().read_text("utf8"))
    for place, source in sources.items():
        notebook["cells"][place]["source"] = source.splitlines(keepends=True)
    return dump(notebook)


def published():
    return assignment.ASSIGNMENTS / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"


def points(file, name, tmp_path):
    """Return what a file earns, if it is handed in under a name."""
    copy = tmp_path / f"{name}.ipynb"
    copy.write_bytes(file if isinstance(file, bytes) else file.read_bytes())
    result = grade(copy, ASSIGNMENT, seed=SEED)
    assert (result["status"], result["cells"]) == ("ok", [])
    return result["score"], result["questions"]


@needs_python
@pytest.mark.usefixtures("sandbox")
def test_an_assignment_is_done_on_its_page_and_graded_as_if_written_elsewhere(opened, tmp_path):
    tab = opened()
    assert download(tab).read_bytes() == published().read_bytes()
    expect(tab.locator(".hand-in [role=status]")).to_contain_text("6 functions are not written yet")

    right = solutions()
    for place, source in right.items():
        type_over(tab, tab.locator(f".code-cell-{place}"), source)
    tab.locator(".run-here-button").press("Enter")
    expect(status(tab)).to_have_text(
        "Checks: 7 right, 0 not yet, 0 waiting for your function.", timeout=LONGEST
    )
    type_over(tab, tab.locator(".scratch .cell"), "print('a trial')")
    file = download(tab)
    expect(tab.locator(".hand-in [role=status]")).to_have_text(
        f"{ASSIGNMENT}.ipynb is among your downloads."
    )
    assert file.read_text("utf8") == written(right)
    assert points(file, "right", tmp_path)[0] == 20

    module = assignment.ASSIGNMENTS / ASSIGNMENT / "wrong_answers.py"
    wrong = next(f for f in vars(assignment.load_module(module)).values() if hasattr(f, "told"))
    place = next(i for i, source in right.items() if f"def {wrong.question}(" in source)
    sources = right | {place: renamed_source(wrong, module, wrong.question)}
    tab.reload()
    expect(status(tab)).to_contain_text("keeps your changes of last time")
    tab.locator(".run-here-button").click()
    tab.locator("body.runs-here").wait_for()
    type_over(tab, tab.locator(f".code-cell-{place}"), sources[place])
    tab.locator(".run-here-button").press("Enter")
    expect(status(tab)).to_contain_text("Checks:", timeout=LONGEST)
    score, questions = points(download(tab), "wrong", tmp_path)
    assert (score, questions) == points(written(sources).encode(), "wrong", tmp_path)
    lost = [each["question"] for each in questions if each["score"] < each["max_score"]]
    assert lost == [wrong.question]
    assert score < 20


@needs_python
def test_a_function_that_is_not_written_says_so(opened):
    tab = opened()
    checked = tab.locator(".tag_hide-input").first
    checked.get_by_role("button", name="Run").press("Enter")
    expect(checked.locator(".cell_output")).to_contain_text("waiting for your answer")
    cell = tab.locator(".scratch .cell")
    type_over(tab, cell, "coin_log_likelihood(0.5, [1])")
    tab.keyboard.press("Shift+Enter")
    expect(cell.locator(".cell-note")).to_contain_text("a function is not written yet")


@needs_python
def test_the_page_of_an_assignment_is_accessible_when_it_runs(opened):
    for screen in ("phone", "desktop"):
        tab = opened(screen)
        tab.locator(".tag_hide-input").first.get_by_role("button", name="Edit").click()
        tab.locator(".run-here-button").click()
        expect(status(tab)).to_contain_text("Checks: 0 right", timeout=LONGEST)
        download(tab)
        for theme in ("light", "dark"):
            use(tab, theme)
            parts = [[".run-here"], [".cell:has(.cell-bar)"], [".scratch"], [".hand-in"]]
            assert violations(tab, {"include": parts}) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= tab.viewport_size["width"]
