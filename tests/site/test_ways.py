"""A reader gets to the place that a link names, sees where the focus is, and finds the way back."""

import pytest
from playwright.sync_api import expect

from tests.site.toc import CHAPTERS

LANDED = """() => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const bar = document.querySelector(".bd-header-article").getBoundingClientRect().bottom;
    return [target.getBoundingClientRect().top, Math.max(bar, 0)];
}"""


def settle(tab):
    tab.wait_for_timeout(500)  # sections that come near are laid out


@pytest.mark.parametrize("page", [CHAPTERS[1], "chapters/hinge"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_link_of_the_contents_leads_to_its_heading(open_page, page, share):
    tab = open_page(page)
    links = tab.locator("#pst-page-toc-nav a:visible")
    links.nth(round(share * (links.count() - 1))).click()
    settle(tab)
    top, bar = tab.evaluate(LANDED)
    assert bar - 1 <= top <= bar + 60


@pytest.mark.parametrize("page", ["chapters/hinge", "chapters/canonical"])
def test_an_address_with_a_place_leads_there(open_page, address, page):
    tab = open_page(CHAPTERS[0])
    tab.goto(f"{address}/{page}.html#summary")
    settle(tab)
    top, bar = tab.evaluate(LANDED)
    assert bar - 1 <= top <= bar + 60


def test_back_returns_to_where_one_was(open_page):
    tab = open_page("chapters/hinge")
    tab.evaluate("document.querySelectorAll('h2')[6].scrollIntoView()")
    settle(tab)
    before = tab.evaluate("document.querySelectorAll('h2')[6].getBoundingClientRect().top")
    tab.goto(tab.url.replace("hinge", "mle"))
    tab.go_back()
    settle(tab)
    after = tab.evaluate("document.querySelectorAll('h2')[6].getBoundingClientRect().top")
    assert abs(after - before) < 5


def test_the_first_link_leads_past_all_buttons_to_the_title(open_page):
    tab = open_page(CHAPTERS[0])
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    expect(tab.locator("article h1")).to_be_focused()
    tab.keyboard.press("Tab")
    assert tab.evaluate("!!document.activeElement.closest('article')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_whatever_has_the_focus_shows_it(open_page, scheme):
    tab = open_page(CHAPTERS[0], color_scheme=scheme)
    stops = tab.locator("a, button, input, summary, [tabindex='0']").count()
    unseen = set()
    for _ in range(min(stops, 90)):
        tab.keyboard.press("Tab")
        name, seen = tab.evaluate(
            """() => {
                const element = document.activeElement, style = getComputedStyle(element);
                const outline = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
                const shadow = /(^|[^0-9])[1-9]\\d*px/.test(style.boxShadow);
                return [element.outerHTML.slice(0, 90), outline || shadow];
            }"""
        )
        if not seen:
            unseen.add(name)
    assert not unseen


def test_the_progress_line_can_be_told_from_the_page(open_page):
    for scheme in ("light", "dark"):
        tab = open_page(CHAPTERS[4], color_scheme=scheme)
        for state in ("earlier", "here", "ahead"):
            colours = tab.evaluate(
                """(state) => {
                    const canvas = document.createElement("canvas")
                        .getContext("2d", { willReadFrequently: true });
                    const rgb = (colour) => {
                        canvas.fillStyle = colour;
                        canvas.fillRect(0, 0, 1, 1);
                        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
                    };
                    const line = document.querySelector(`.progress-line .${state} a`);
                    return [
                        rgb(getComputedStyle(line, "::before").backgroundColor),
                        rgb(getComputedStyle(document.body).backgroundColor),
                    ];
                }""",
                state,
            )
            assert contrast(*colours) >= 3, (scheme, state, colours)


def contrast(one, other):
    """Return the contrast of two colours, as WCAG 2 defines it."""

    def luminance(rgb):
        parts = [c / 255 for c in rgb]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_without_scripts_a_page_has_its_colours(open_page):
    tab = open_page(CHAPTERS[1], java_script_enabled=False)
    with_scripts = open_page(CHAPTERS[1], color_scheme="light")
    for element in ("h1", "article a", "blockquote"):
        style = "element => [getComputedStyle(element).color, getComputedStyle(element).borderLeft]"
        assert tab.locator(element).first.evaluate(style) == (
            with_scripts.locator(element).first.evaluate(style)
        )


def test_a_printed_page_has_its_title(open_page):
    tab = open_page(CHAPTERS[1])
    tab.emulate_media(media="print")
    expect(tab.locator("article h1")).to_be_visible()


def test_on_a_phone_the_next_page_has_a_whole_line(open_page):
    tab = open_page(CHAPTERS[1], "phone")
    tab.evaluate("document.querySelector('.prev-next-area').scrollIntoView()")
    settle(tab)
    assert tab.locator(".right-next .prev-next-title").bounding_box()["height"] < 80


@pytest.mark.parametrize("page", ["intro", CHAPTERS[0]])
def test_a_page_does_not_jump_while_it_loads(open_page, page):
    tab = open_page(page)
    shift = tab.evaluate(
        """() => new Promise((resolve) => {
            let sum = 0;
            new PerformanceObserver((list) => {
                for (const shift of list.getEntries()) sum += shift.value;
            }).observe({ type: "layout-shift", buffered: true });
            setTimeout(() => resolve(sum), 1500);
        })"""
    )
    assert shift < 0.005  # a formula's font may come late; what jumped was 0.008 or more


def test_the_logo_has_its_place_before_it_comes(browser, address):
    tab, waiting = browser.new_page(), []
    tab.route("**/logo.svg", lambda route: waiting.append(route))
    tab.goto(f"{address}/intro.html", wait_until="domcontentloaded")
    before = tab.locator(".logo__image").bounding_box()
    waiting[0].continue_()
    tab.wait_for_load_state("load")
    assert tab.locator(".logo__image").bounding_box() == before
    tab.close()
