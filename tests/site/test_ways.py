"""A reader gets to the place that a link names, sees where the focus is, and finds the way back."""

import pytest

from tests.site.toc import CHAPTERS

LANDED = """() => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const bar = document.querySelector(".bd-header-article").getBoundingClientRect().bottom;
    return [target.getBoundingClientRect().top, Math.max(bar, 0)];
}"""


def settle(tab):
    tab.wait_for_timeout(500)  # sections that come near are laid out


@pytest.mark.parametrize("page", [CHAPTERS[1], CHAPTERS[8]])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_link_of_the_contents_leads_to_its_heading(open_page, page, share):
    tab = open_page(page)
    links = tab.locator("#pst-page-toc-nav a:visible")
    links.nth(round(share * (links.count() - 1))).click()
    settle(tab)
    top, bar = tab.evaluate(LANDED)
    assert bar - 1 <= top <= bar + 60


def test_an_address_with_a_place_leads_there(open_page, address):
    tab = open_page(CHAPTERS[0])
    tab.goto(f"{address}/{CHAPTERS[8]}.html#summary")
    settle(tab)
    top, bar = tab.evaluate(LANDED)
    assert bar - 1 <= top <= bar + 60


def test_back_returns_to_where_one_was(open_page):
    tab = open_page(CHAPTERS[8])
    tab.evaluate("document.querySelectorAll('h2')[6].scrollIntoView()")
    settle(tab)
    before = tab.evaluate("document.querySelectorAll('h2')[6].getBoundingClientRect().top")
    tab.goto(tab.url.replace("hinge", "mle"))
    tab.go_back()
    settle(tab)
    after = tab.evaluate("document.querySelectorAll('h2')[6].getBoundingClientRect().top")
    assert abs(after - before) < 5
