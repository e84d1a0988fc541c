"""The built site, which `make book` makes before the tests run, and its pages in a browser."""

import pytest

from tests.site.toc import ROOT, toc_pages
from tools.site.server import serving

SITE = ROOT / "_build" / "html"
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


@pytest.fixture
def open_page(browser, address):
    """Return a function that opens a page; anything wrong on a page fails the test at its end."""
    contexts, complaints = [], []

    def open_tab(page, screen="desktop", *, at=address, **options):
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

    yield open_tab
    for context in contexts:
        context.close()
    assert not complaints
