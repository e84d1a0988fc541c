"""Python in the page: every chapter gives what is printed, and a reader can change it."""

import pytest
from playwright.sync_api import expect

from tests.site.conftest import HAS_PYTHON, needs_python
from tools.run_here.parts import MANIFEST

pytestmark = needs_python
LONGEST = 90_000  # milliseconds, on a busy machine


@pytest.fixture
def opened(open_page):
    """Return a function that opens a chapter and presses its button."""

    def press(page="chapters/bce", screen="desktop", **options):
        tab = open_page(page, screen, **options)
        tab.set_default_timeout(LONGEST)
        tab.locator(".run-here-button").click()
        tab.locator("body.runs-here").wait_for()
        return tab

    return press


def type_over(tab, cell, source):
    """Replace the code of a cell."""
    if not cell.locator(".cm-content").count():
        cell.get_by_role("button", name="Edit").click()
    cell.locator(".cm-content").focus()
    tab.keyboard.press("Control+a")
    tab.keyboard.insert_text(source)


def first(tab):
    """The first cell whose code is in sight; above it a chapter only imports."""
    return tab.locator(".cell:not(.tag_hide-input):has(.cell-bar):visible").first


def status(tab):
    return tab.locator(".run-here-status")


def test_the_site_has_python():
    assert HAS_PYTHON, "make python has not run, or make book not after it"


def test_a_module_that_no_chapter_imports_is_loaded_when_it_is_needed(opened):
    tab = opened("chapters/mle")
    cell, asked = tab.locator(".scratch .cell"), []
    tab.on("request", lambda request: asked.append(request.url))
    cell.locator(".cm-content").focus()
    tab.keyboard.insert_text(
        "import scipy.io, tomllib\nprint(scipy.io.__name__, tomllib.loads('a=1'))"
    )
    tab.keyboard.press("Shift+Enter")
    expect(cell.locator(".cell_output pre")).to_have_text("scipy.io {'a': 1}\n", timeout=LONGEST)
    assert ["/rest-" in url for url in asked] == [True]
    type_over(tab, cell, "import no_such_module")
    tab.keyboard.press("Shift+Enter")
    expect(cell.locator(".cell_output pre")).to_contain_text("No module named 'no_such_module'")


def test_nothing_is_loaded_before_the_button_is_pressed(open_page):
    tab = open_page("chapters/scaling")
    tab.wait_for_load_state("networkidle")
    loaded = tab.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
    own = {url.rpartition("/")[2] for url in loaded if "_python/" in url or "run_here-" in url}
    assert own <= {"button.js", "answers.js", "answers.css", "elements.js", "outputs.js"}
    assert "button.js" in own


def test_the_cell_at_the_end_knows_what_the_chapter_defined(opened):
    tab = opened("chapters/mle")
    cell = tab.locator(".scratch .cell")
    cell.locator(".cm-content").focus()
    tab.keyboard.insert_text("print(np.arange(3), len(dir()) > 20)")
    tab.keyboard.press("Shift+Enter")
    expect(cell.locator(".cell_output pre")).to_have_text("[0 1 2] True\n", timeout=LONGEST)


def test_what_a_reader_runs_takes_the_place_of_what_is_printed(opened):
    tab = opened()
    cell = first(tab)
    type_over(tab, cell, "import numpy as np\nprint(np.arange(3) ** 2)")
    tab.keyboard.press("Shift+Enter")
    expect(cell.locator(".cell_output pre")).to_have_text("[0 1 4]\n", timeout=LONGEST)
    expect(cell.locator(".cm-content")).to_be_focused()
    type_over(tab, cell, "1 / 0")
    tab.keyboard.press("Shift+Enter")
    expect(cell.locator(".cell_output pre")).to_contain_text("    1 / 0\n", timeout=LONGEST)
    expect(cell.locator(".cell_output pre")).to_contain_text("ZeroDivisionError: division by zero")
    expect(status(tab)).to_contain_text("A cell ended with an error")
    type_over(tab, cell, "import torch")
    tab.keyboard.press("Shift+Enter")
    expect(cell.locator(".cell-note")).to_contain_text("PyTorch", timeout=LONGEST)


def test_a_changed_cell_can_be_undone_and_is_kept_for_the_next_visit(opened):
    tab = opened()
    cell = first(tab)
    printed = cell.locator(".highlight pre").inner_text()
    type_over(tab, cell, "print('mine')")
    tab.keyboard.press("Shift+Enter")
    expect(cell.locator(".cell-note")).to_have_text("your version", timeout=LONGEST)
    expect(cell.locator(".cell_output pre")).to_have_text("mine\n")

    tab.reload()
    sizes = []
    tab.on("response", lambda answer: "_python/" in answer.url and sizes.append(answer.url))
    tab.locator(".run-here-button").click()
    tab.locator("body.runs-here").wait_for()
    assert [url.rpartition("/")[2] for url in sizes] == [MANIFEST], "downloaded twice"
    expect(cell.locator(".cm-content")).to_have_text("print('mine')")
    cell.get_by_role("button", name="Undo").click()
    assert cell.locator(".cm-content").inner_text().split() == printed.split()
    assert tab.evaluate("Object.keys(localStorage).filter(k => k.startsWith('cell:'))") == []


def test_stop_ends_an_endless_loop_and_keeps_what_was_computed(opened):
    tab = opened("chapters/mle")
    cell = first(tab)
    type_over(tab, cell, "kept = 7")
    tab.keyboard.press("Shift+Enter")
    expect(cell.locator(".cell-note")).to_have_text("done", timeout=LONGEST)
    # The chapter does not need mpmath, so it is loaded now.
    type_over(tab, cell, "import mpmath\nwhile True:\n    pass")
    tab.keyboard.press("Shift+Enter")
    expect(cell.locator(".cell-note")).to_have_text("running …")
    tab.get_by_role("button", name="Stop").click()
    expect(status(tab)).to_contain_text("Stopped", timeout=LONGEST)
    type_over(tab, cell, "import mpmath\nprint(kept, mpmath.mp.dps)")
    tab.keyboard.press("Shift+Enter")
    expect(cell.locator(".cell_output pre")).to_have_text("7 15\n", timeout=LONGEST)


def test_tab_indents_and_after_escape_leaves_the_editor(opened):
    tab = opened()
    cell = first(tab)
    editor = cell.locator(".cm-content")
    type_over(tab, cell, "1")
    tab.keyboard.press("Tab")
    expect(editor).to_be_focused()
    indented = editor.inner_text()
    assert indented != "1"
    tab.keyboard.press("Escape")
    tab.keyboard.press("Tab")
    expect(editor).not_to_be_focused()
    assert cell.evaluate("cell => cell.contains(document.activeElement)")
    assert editor.inner_text() == indented


def test_a_download_that_breaks_off_leaves_the_page_as_it_is(open_page):
    tab = open_page("chapters/mle")
    tab.route("**/_python/manifest.json", lambda route: route.fulfill(status=200, body="{"))
    tab.locator(".run-here-button").click()
    expect(status(tab)).to_contain_text("Python could not be loaded")
    expect(tab.locator(".run-here-button")).to_be_enabled()
    tab.unroute("**/_python/manifest.json")
    tab.set_default_timeout(LONGEST)
    tab.locator(".run-here-button").click()
    tab.locator("body.runs-here").wait_for()


def test_an_old_browser_is_told_which_ones_can(open_page, browser):
    tab = open_page("chapters/mle")
    tab.add_init_script("WebAssembly.validate = () => false")
    tab.reload()
    expect(tab.locator(".run-here")).to_contain_text("Chrome or Edge 137")
    expect(tab.locator(".run-here-button")).to_have_count(0)


def test_a_page_that_runs_is_accessible(opened):
    from tests.site.test_pages import violations

    for screen in ("phone", "desktop"):
        tab = opened("chapters/mle", screen)
        type_over(tab, first(tab), "print(1)")
        tab.keyboard.press("Shift+Enter")
        expect(first(tab).locator(".cell_output")).to_be_visible(timeout=LONGEST)
        parts = [[".run-here"], [".cell:has(.cm-editor)"], [".scratch"]]
        assert violations(tab, {"include": parts}) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= tab.viewport_size["width"]
