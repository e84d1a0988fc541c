"""Every page in a real browser: nothing fails, nothing overflows, everyone can read it."""

import io
import re
from statistics import median
from urllib.parse import urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from tests.site.conftest import SCREENS
from tests.site.toc import BASE, CHAPTERS, GENERATED, WITH_EXPLORERS, toc_pages
from tools.site.lighthouse import FRAMES, KILOBYTES, KILOBYTES_BEFORE_FIGURES
from tools.site.server import wire_size

PAGES = [*toc_pages(), *GENERATED]
ONE_OF_EACH_KIND = ["intro", "chapters/mle", "assignments/mle/mle", "appendix/teaching", *GENERATED]
"""Pages that axe examines on a phone, too. A page has the same text in the same colours on both
screens; only its menus differ, and pages of a kind share them."""


CALM = {"color_scheme": "light", "reduced_motion": "reduce"}


def each(pages):
    """Run a test for each page; tests of the same page follow each other."""
    return pytest.mark.parametrize("page", pages, scope="module")


@each(WITH_EXPLORERS)
def test_a_page_is_small_to_load(shared_page, site, page):
    tab = shared_page("phone", **CALM)
    loaded = tab.evaluate("""() => performance.getEntriesByType("resource")
        .filter(({ initiatorType }) => initiatorType !== "img")
        .reduce((sum, { transferSize }) => sum + transferSize, 0)""")
    html = (site / f"{page}.html").read_text("utf8")
    pictures = {p for p in site.glob("_images/*") if p.name in html}
    without_frames = wire_size(FRAMES.sub("", html).encode())
    assert 0 < loaded + without_frames < 1000 * KILOBYTES_BEFORE_FIGURES
    everything = (
        loaded + wire_size(html.encode()) + sum(wire_size(p.read_bytes()) for p in pictures)
    )
    assert everything < 1000 * KILOBYTES


@each(WITH_EXPLORERS)
def test_pictures_suit_the_theme(shared_page):
    """They have the background of the page, and the drawing stands out from it."""
    tab = shared_page("desktop", **CALM)
    for theme in ("light", "dark"):
        use(tab, theme)
        background = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        for picture in tab.locator(".cell_output img, .explorer-frame:not([hidden]) svg").all()[:3]:
            picture.evaluate("picture => picture.scrollIntoView({block: 'center'})")
            picture.evaluate("picture => picture.decode?.()")
            pixels = Image.open(io.BytesIO(picture.screenshot())).convert("RGB")
            corner = pixels.getpixel((1, 1))
            expected = [int(value) for value in re.findall(r"\d+", background)[:3]]
            assert max(abs(a - b) for a, b in zip(corner, expected, strict=True)) <= 2, theme
            grey = pixels.convert("L")
            low, high = grey.getextrema()
            assert high - low > 180, theme


@each(CHAPTERS)
def test_lines_are_65_to_75_characters_long(shared_page):
    tab = shared_page("desktop", **CALM)
    lengths = tab.evaluate("""() => [...document.querySelectorAll(".bd-article section > p")]
        .filter(p => !p.querySelector(".math"))
        .map(p => [p.textContent.length, Math.round(p.getBoundingClientRect().height
            / parseFloat(getComputedStyle(p).lineHeight))])
        .filter(([, lines]) => lines >= 4)
        .map(([characters, lines]) => characters / (lines - 0.5))""")
    assert 65 <= median(lengths) <= 75


# Last of the tests that share a page, since it removes much of it.
@pytest.mark.parametrize("screen", SCREENS)
@each(PAGES)
def test_a_page_has_no_errors_and_is_accessible(shared_page, page, screen):
    tab = shared_page(screen, **CALM)
    use(tab, "light")
    tab.add_style_tag(content="* { content-visibility: visible !important }")  # render all of it
    assert tab.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen][0]
    assert tab.evaluate(COVERED_FORMULAS) == []
    assert tab.evaluate(DISTORTED_PICTURES) == []
    tab.wait_for_function(f"({BOXES_OUT_OF_REACH})().length === 0", polling=250)
    if screen == "phone" and page not in ONE_OF_EACH_KIND:
        return
    # axe need not search what is not text, or is hidden from screen readers
    tab.evaluate(f"document.querySelectorAll('{NOT_READ}').forEach(e => e.remove())")
    tab.evaluate(WITHOUT_COLOURS_OF_CODE)
    assert violations(tab, rules={rule: {"enabled": False} for rule in OF_COLOURS}) == []
    tab.evaluate(WITH_COLOURS_OF_CODE)
    themes = ("light", "dark")  # they differ only in colours
    for theme in themes:
        use(tab, theme)
        assert tab.evaluate(MARK_EACH_LOOK) > 0
    tab.evaluate(REMOVE_WHAT_IS_NOT_MARKED)
    for theme in themes:
        use(tab, theme)
        marked = {"include": [["[data-look]"]]}
        assert violations(tab, marked, runOnly=OF_COLOURS) == [], theme


def use(tab, theme):
    """Let a page take the colours of a theme."""
    tab.emulate_media(color_scheme=theme)
    tab.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")


def violations(tab, context=None, **options):
    """Return the rule and the first element of each violation on a page, or on a part of it."""
    found = Axe().run(tab, context, {"resultTypes": ["violations"], **options}).response
    return [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]]


OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules of axe that compare colours; they would take nine tenths of its time on all words."""

WITHOUT_COLOURS_OF_CODE = """() => document.querySelectorAll("pre").forEach(pre => {
    pre.kept = pre.innerHTML;
    pre.textContent = pre.textContent;
})"""
WITH_COLOURS_OF_CODE = """() => document.querySelectorAll("pre").forEach(pre => {
    pre.innerHTML = pre.kept;
})"""
"""Half of all elements give words of code their colours."""

REMOVE_WHAT_IS_NOT_MARKED = """() => {
    document.querySelectorAll(".katex-mathml").forEach(e => e.remove());
    document.querySelectorAll("pre span:not([data-look], :has([data-look]))")
        .forEach(e => e.replaceWith(e.textContent));
}"""
"""Remove what axe would otherwise walk through to measure the colours of a few marked elements."""

NOT_READ = ".katex-html:not(th *), .explorer-frame > svg, .explorer-frame[hidden]"

MARK_EACH_LOOK = """() => {
    const count = {};
    for (const element of document.querySelectorAll("body *")) {
        const text = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (!text || element.textContent.trim().length < 2  // axe cannot judge one character
            || !element.checkVisibility({ visibilityProperty: true })
            || element.closest(".katex-mathml")) continue;
        const {color, fontSize, fontWeight, textShadow} = getComputedStyle(element);
        const look = [color, fontSize, fontWeight, textShadow];
        for (let around = element; around; around = around.parentElement) {
            const {backgroundColor, backgroundImage, opacity, position} = getComputedStyle(around);
            look.push(backgroundColor, backgroundImage, opacity);
            // it may cover anything, so no other element is like it
            if (["absolute", "fixed"].includes(position)) look.push(Object.keys(count).length);
        }
        count[look] = (count[look] ?? 0) + 1;
        if (count[look] <= 5) element.dataset.look = "";
    }
    return document.querySelectorAll("[data-look]").length;
}"""
"""Mark five elements of each combination of colours and text size; one may be out of view."""

BOXES_OUT_OF_REACH = """() => [...document.querySelectorAll(
        "pre, table, div.math, .cell_output > .output")]
    .filter(box => box.scrollWidth > box.clientWidth + 1 && box.tabIndex !== 0
        && getComputedStyle(box).overflowX === "auto" && box.checkVisibility())"""
"""Boxes that scroll sideways but cannot be focused, so a keyboard cannot scroll them."""

DISTORTED_PICTURES = """() => [...document.querySelectorAll("article img")]
    .filter(img => Math.abs(img.clientWidth / img.clientHeight
        - img.getAttribute("width") / img.getAttribute("height")) > 0.02)
    .map(img => `${img.src}: ${img.clientWidth} by ${img.clientHeight}`)"""
"""Pictures that are shown with another aspect ratio than their own."""

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
"""Formulas that their own name covers."""


def test_the_first_screen_holds_an_explorer(open_page):
    for screen, (_, height) in SCREENS.items():
        tab = open_page(toc_pages()[0], screen)
        box = tab.locator(".explorer-frames").first.bounding_box()
        assert box["y"] + box["height"] < height


def test_colours_follow_the_system_until_the_reader_chooses(open_page):
    tab = open_page(toc_pages()[0], color_scheme="dark")
    theme = "document.documentElement.dataset.theme"
    assert tab.evaluate(theme) == "dark"
    tab.locator(".theme-switch-button").click()
    assert tab.evaluate(theme) == "light"
    tab.reload()
    assert tab.evaluate(theme) == "light"
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate(theme) == "light"


def test_print_is_white_in_the_dark_theme_too(open_page):
    tab = open_page(toc_pages()[0], color_scheme="dark")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate("document.documentElement.dataset.theme") == "light"
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"


def test_side_bars_open_and_close_on_a_phone(open_page):
    tab = open_page(CHAPTERS[0], "phone")
    for side, link in [("primary", CHAPTERS[1].split("/")[1] + ".html"), ("secondary", "#summary")]:
        dialog, wanted = tab.locator(f"#pst-{side}-sidebar-modal"), f"a[href='{link}']"
        for _ in range(2):  # the second time shows that the content was moved back
            expect(dialog).to_be_hidden()
            tab.locator(f".{side}-toggle").click()
            expect(dialog.locator(wanted)).to_be_visible()
            tab.keyboard.press("Escape")
        tab.locator(f".{side}-toggle").click()
        dialog.locator(wanted).click()
        tab.wait_for_url(f"**{link}")
        tab.go_back()


def test_the_contents_of_the_page_mark_the_current_section(open_page):
    tab = open_page(CHAPTERS[0])
    tab.locator("#pst-page-toc-nav a[href='#summary']").click()
    tab.wait_for_function(
        "document.querySelector('#pst-page-toc-nav [aria-current]')?.hash === '#summary'"
    )


def test_the_progress_line_links_to_the_chapters(open_page):
    tab = open_page(CHAPTERS[1])
    links = tab.locator(".progress-line a")
    assert links.count() == len(CHAPTERS)
    assert links.nth(1).get_attribute("aria-current") == "page"
    links.nth(2).click()
    assert tab.url.endswith(f"{CHAPTERS[2]}.html")


def test_the_launch_menu_opens_and_closes_by_keyboard(open_page):
    for screen in SCREENS:
        tab = open_page(CHAPTERS[0], screen)
        menu, button = tab.locator("#launch-menu"), tab.locator("[popovertarget=launch-menu]")
        expect(menu).to_be_hidden()
        button.focus()
        tab.keyboard.press("Enter")
        expect(menu).to_be_visible()
        box, (width, height) = menu.bounding_box(), SCREENS[screen]
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.textContent") == "Colab"
        tab.keyboard.press("Escape")
        expect(menu).to_be_hidden()
        expect(button).to_be_focused()


def test_a_wrong_address_leads_back_into_the_course(open_page, site):
    """Hosts show 404.html for every missing page below the folder of the course."""
    folder = urlsplit(BASE).path
    tab = open_page(toc_pages()[0])

    def host(route):
        file = site / urlsplit(route.request.url).path.removeprefix(folder)
        route.fulfill(path=file if file.is_file() else site / "404.html")

    tab.route(f"**{folder}**", host)
    for screen in SCREENS.values():
        tab.set_viewport_size(dict(zip(("width", "height"), screen, strict=True)))
        tab.goto(urljoin(tab.url, f"{folder}chapters/old/name.html"))
        assert tab.locator("article h1").inner_text() == "There is no such page"
        assert tab.evaluate("[...document.styleSheets].some(sheet => sheet.href)"), "no style"
        assert tab.evaluate("document.documentElement.scrollWidth") <= screen[0]
    tab.get_by_role("link", name="the first page").click()
    assert tab.url.endswith(f"{folder}intro.html")
    assert tab.locator("article h1").inner_text().startswith("From Likelihood to Gradient")
