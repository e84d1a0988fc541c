"""The ticks of checked equations, and the hints beside them and beside links to equations."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import expect

from tests.site.toc import CHAPTERS, ROOT

PAGE = "chapters/bce"


def printed(page):
    """Return what the checks of a chapter print, by the name of the equation."""
    cells = nbformat.read(ROOT / f"{page}.ipynb", as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    text = "".join(output.get("text", "") for output in outputs)
    return {line.split()[0]: line for line in re.findall(r"^\S+ holds.*$", text, re.MULTILINE)}


@pytest.mark.parametrize("page", CHAPTERS)
def test_each_named_equation_has_a_tick_that_says_what_was_checked(site, page):
    article = BeautifulSoup((site / f"{page}.html").read_text("utf8"), "lxml").article
    said = printed(page)
    for formula in article.select("[id^=eq-]"):
        ticks = [element for element in formula.find_next_siblings() if "tick" in element["class"]]
        names = [tag.get_text().strip("()").replace("−", "-") for tag in formula.select(".tag")]
        assert [tick["aria-label"] for tick in ticks] == [said[name] for name in names]
        (check,) = article.select(ticks[0]["href"])
        assert said[names[0]] in check.get_text()
        if check.name == "details":  # it stands below the first of its equations
            first = check["id"].replace("check-", "eq-", 1)
            assert check.find_previous_sibling("div").select_one(f"#{first}")


@pytest.mark.parametrize("page", CHAPTERS)
def test_cells_that_only_print_checks_are_folded(site, page):
    article = BeautifulSoup((site / f"{page}.html").read_text("utf8"), "lxml").article
    for cell in article.select("div.cell:has(> .cell_output)"):
        text = cell.select_one(".cell_output").get_text().strip()
        only = bool(text) and all(re.fullmatch(r"\S+ holds.*", line) for line in text.splitlines())
        folded = cell.parent.name == "details" and "check" in cell.parent["class"]
        assert folded == (only and "tag_show-check" not in cell["class"]), cell


def test_a_tick_opens_and_closes_its_check(open_page):
    for screen in ("desktop", "phone"):
        tab = open_page(PAGE, screen)
        tick = tab.locator("a.tick[role=button]").first
        check = tab.locator(tick.get_attribute("href"))
        expect(check).to_be_hidden()
        expect(tick).to_have_attribute("aria-expanded", "false")
        tick.click()
        expect(check.locator(".cell_input")).to_be_visible()
        expect(tick).to_have_attribute("aria-expanded", "true")
        for key in ("Enter", " "):
            tick.press(key)
            expect(check).to_be_hidden()
            tick.press(key)
            expect(check).to_be_visible()


def test_the_address_of_a_check_opens_it(open_page):
    tab = open_page(PAGE)
    place = tab.locator("details.check").first.get_attribute("id")
    tab.goto(f"{tab.url}#{place}")
    expect(tab.locator(f"#{place}")).to_be_visible()


def test_without_scripts_the_checks_are_ordinary_folds(open_page):
    tab = open_page(PAGE, java_script_enabled=False)
    fold = tab.locator("details.check").first
    expect(fold.locator("summary")).to_be_visible()
    fold.locator("summary").click()
    expect(fold.locator(".cell_input")).to_be_visible()


def test_keyboard_and_mouse_show_what_a_check_found(open_page):
    tab = open_page(PAGE)
    hint, tick = tab.locator("#hint"), tab.locator("a.tick").first
    for begin, end in [
        (tick.hover, lambda: tab.mouse.move(0, 0)),
        (tick.focus, lambda: tab.keyboard.press("Escape")),
    ]:
        expect(hint).to_be_hidden()
        tab.keyboard.press("Tab")  # so that the focus is shown
        begin()
        expect(hint).to_have_text(tick.get_attribute("aria-label"))
        end()
        expect(hint).to_be_hidden()


@pytest.mark.parametrize("screen", ["desktop", "phone"])
@pytest.mark.parametrize("page", [PAGE, "appendix/claims"])
def test_the_name_of_an_equation_shows_it(open_page, page, screen):
    tab = open_page(page, screen)
    link = tab.locator(".bd-article a[href*='#eq-']:not(.headerlink)").first
    name = link.get_attribute("href").partition("#eq-")[2]
    tab.keyboard.press("Tab")
    link.focus()
    hint = tab.locator("#hint")
    expect(hint.locator(".katex-html .tag")).to_have_text(f"({name})")
    assert link.get_attribute("aria-describedby") == "hint"
    box = hint.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= tab.viewport_size["width"]
    tab.keyboard.press("Escape")
    expect(hint).to_be_hidden()
    assert link.get_attribute("aria-describedby") is None


def test_a_hint_stays_while_the_mouse_is_on_it(open_page):
    tab = open_page(PAGE)
    link = tab.locator(".bd-article a[href*='#eq-']:not(.headerlink)").first
    link.hover()
    hint = tab.locator("#hint")
    expect(hint).to_be_visible()
    hint.hover()
    tab.wait_for_timeout(400)
    expect(hint).to_be_visible()


def test_a_link_to_an_equation_leads_there(open_page):
    tab = open_page("appendix/claims")
    link = tab.locator(".bd-article a[href*='#eq-']").first
    target = link.get_attribute("href").removeprefix("../")
    link.click()
    tab.wait_for_url(f"**/{target}")
