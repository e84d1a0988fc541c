"""The pages in a real browser: nothing fails, nothing overflows, sliders move by keyboard."""

import os
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import sync_playwright

from tests.site.toc import toc_pages

CANDIDATES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
BROWSER = next(filter(None, map(shutil.which, CANDIDATES)), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENS = {"phone": (360, 740), "desktop": (1280, 900)}

pytestmark = pytest.mark.skipif(
    BROWSER is None and "CI" not in os.environ,
    reason="no Chromium or Chrome is installed; install one to test the site in a browser",
)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(site):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, address):
    """Open a page, and complain at the end about anything that went wrong in it."""
    contexts, complaints = [], []

    def opened(page, screen="desktop", **options):
        width, height = SCREENS[screen]
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on(
            "console",
            lambda message: (
                message.type in ("error", "warning") and complaints.append(message.text)
            ),
        )
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        if options.get("java_script_enabled", True):  # else the browser cancels what it preloads
            tab.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        tab.on(
            "request",
            lambda request: (
                request.url.startswith((address, "data:"))
                or complaints.append(f"leaves the site: {request.url}")
            ),
        )
        tab.goto(f"{address}/{page}.html", wait_until="load")
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


# A large page takes seconds to open, so all that is looked at in one view is one test. Themes
# differ in colours and screens in layout: two views see both of each.
VIEWS = [("phone", "dark"), ("desktop", "light")]


@pytest.mark.parametrize(("screen", "theme"), VIEWS)
def test_a_page_opens_without_complaint_and_can_be_read(open_page, page, screen, theme):
    tab = open_page(page, screen, color_scheme=theme)
    assert tab.evaluate("document.documentElement.dataset.theme") == theme
    assert tab.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen][0]
    assert tab.evaluate(SHADED_PICTURES) == []
    assert tab.evaluate(FAINT_TEXTS) == []
    assert tab.evaluate(COVERED_FORMULAS) == []


SHADED_PICTURES = """() => [...document.querySelectorAll(".cell_output img, .explorer-frames")]
    .map(picture => getComputedStyle(picture).backgroundColor)
    .filter(colour => colour !== "rgb(255, 255, 255)")
"""
"""Pictures not on white, for which they are drawn."""

FAINT_TEXTS = """() => {
    const light = colour => {
        const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = text => {
        let under = text;
        while (/, 0\\)$/.test(getComputedStyle(under).backgroundColor)) under = under.parentElement;
        const pair = [getComputedStyle(text).color, getComputedStyle(under).backgroundColor];
        const [low, high] = pair.map(light).sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const texts = document.querySelectorAll(".explorer figcaption, .explorer label, .bd-article p");
    return [...texts].filter(text => contrast(text) < 4.5).map(text => text.textContent);
}"""
"""Texts whose contrast with the nearest background is below 4.5, the least that WCAG asks."""

COVERED_FORMULAS = """() => {
    const named = document.querySelectorAll(".katex-display > .katex > .katex-html:has(> .tag)");
    return [...named].filter(formula => {
        const name = formula.querySelector(".tag").getBoundingClientRect();
        return [...formula.querySelectorAll(":scope > .base")]
            .map(base => base.getBoundingClientRect())
            .some(base => base.left < name.right && name.left < base.right
                && base.top < name.bottom && name.top < base.bottom);
    }).map(formula => formula.querySelector(".tag").textContent);
}"""
"""Formulas on which their own name lies."""


CHAPTERS = [page for page in toc_pages() if page.startswith("chapters/")]


def visible(explorer):
    frames = explorer.locator(".explorer-frame")
    return [i for i in range(frames.count()) if frames.nth(i).is_visible()]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_explorers_move_by_keyboard(open_page, chapter):
    tab = open_page(chapter)
    explorers = tab.locator(".explorer")
    assert explorers.count() >= 1
    for explorer in explorers.all():
        slider = explorer.locator("input[type=range]").first
        frames = explorer.locator(".explorer-frame").count()
        start = int(slider.input_value())
        assert visible(explorer) == [start]
        slider.focus()
        for key, index in [("ArrowRight", start + 1), ("Home", 0), ("End", frames - 1)]:
            said = explorer.locator("figcaption").inner_text()
            tick = slider.get_attribute("aria-valuetext")
            tab.keyboard.press(key)
            assert visible(explorer) == [index]
            assert explorer.locator("figcaption").inner_text() != said
            assert slider.get_attribute("aria-valuetext") != tick
            assert explorer.locator("output").inner_text() == slider.get_attribute("aria-valuetext")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_without_scripts_the_starting_frame_shows_and_no_dead_control(open_page, chapter):
    tab = open_page(chapter, java_script_enabled=False)
    for explorer in tab.locator(".explorer").all():
        assert len(visible(explorer)) == 1
        assert not explorer.locator(".explorer-controls").is_visible()
