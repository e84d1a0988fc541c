"""The built site, which `make book` makes before the tests run, and its pages in a browser."""

import os
from functools import cache, partial

import pytest

from tests.site.toc import ROOT, toc_pages
from tools.run_here.parts import MANIFEST, OUT
from tools.site.server import serving

SITE = ROOT / "_build" / "html"
HAS_PYTHON = (SITE / OUT.name / MANIFEST).exists()
needs_python = pytest.mark.skipif(
    not HAS_PYTHON and "CI" not in os.environ,
    reason="the site has no Python for browsers; with a network: make python book",
)
"""Marks tests of pages that run; make test makes what they need, unless there is no network."""
SCREENS = {"phone": (360, 740), "desktop": (1280, 900)}


def pytest_generate_tests(metafunc):
    own = {mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")}
    if "page" in metafunc.fixturenames and "page" not in own:
        metafunc.parametrize("page", toc_pages())


@pytest.fixture(scope="session")
def site():
    assert (SITE / "index.html").exists(), "the site is not built; run: make book"
    return SITE


@pytest.fixture(scope="module")
def address(site):
    with serving(site) as address:
        yield address


class Tabs:
    """Pages in tabs of the browser, and whatever went wrong on them."""

    def __init__(self, browser, address):
        self.browser, self.address = browser, address
        self.contexts, self.complaints = [], []

    def open(self, page, screen="desktop", *, at=None, **options):
        """Open a page in a new tab that shares nothing with others, and wait until it is loaded."""
        at, complaints = at or self.address, self.complaints
        width, height = SCREENS[screen]
        context = self.browser.new_context(viewport={"width": width, "height": height}, **options)
        self.contexts.append(context)
        tab = context.new_page()
        tab.on(
            "console",
            lambda message: (
                message.type in ("error", "warning") and complaints.append(message.text)
            ),
        )
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        visits = []
        tab.on(
            "request",
            lambda request: request.is_navigation_request() and visits.append(request.url),
        )

        def complain_of_failure(request):
            # Browsers cancel requests that they no longer need: those of a page that was left, and
            # those of preloaded scripts if scripts are off.
            cancelled = len(visits) > 1 or not options.get("java_script_enabled", True)
            if not (cancelled and request.failure == "net::ERR_ABORTED"):
                complaints.append(f"failed: {request.url}: {request.failure}")

        tab.on("requestfailed", complain_of_failure)
        tab.on(
            "response",
            lambda answer: answer.ok or complaints.append(f"{answer.status}: {answer.url}"),
        )
        tab.on(
            "request",
            lambda request: (
                request.url.startswith((at, "data:"))
                or complaints.append(f"leaves the site: {request.url}")
            ),
        )
        tab.goto(f"{at}/{page}.html", wait_until="load")
        return tab

    def close(self):
        """Close all tabs."""
        for context in self.contexts:
            context.close()


@pytest.fixture
def open_page(browser, address):
    """Return a function that opens a page; anything wrong on a page fails the test at its end."""
    tabs = Tabs(browser, address)
    yield tabs.open
    tabs.close()
    assert not tabs.complaints


@pytest.fixture(scope="module")
def tabs_of_page(browser, address, page):
    tabs = Tabs(browser, address)
    yield tabs, cache(tabs.open)
    tabs.close()


@pytest.fixture
def shared_page(tabs_of_page, page):
    """Return a function that opens the page of this test, unless a test before it has done so.

    A large page takes a second to open. What a test changes on it, the tests below it see. Tests of
    a page follow each other if pages are a parameter of scope "module".
    """
    tabs, open_once = tabs_of_page
    tabs.complaints.clear()
    yield partial(open_once, page)
    assert not tabs.complaints
