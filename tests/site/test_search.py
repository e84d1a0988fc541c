"""The search works on a plain file server, and needs no other host."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.site.toc import CHAPTERS


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def plain(site):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("vanishing gradient", "chapters/mse_vs_bce.html"),
        ("softmax jacobian", "chapters/cross_entropy.html"),
        ("KL", "chapters/entropy.html"),
    ],
)
def test_search_finds_the_wanted_page(open_page, plain, query, wanted):
    tab = open_page(CHAPTERS[0], at=plain)
    tab.keyboard.press("Control+k")
    field = tab.locator("#pst-search-dialog input[type=search]")
    assert field.evaluate("field => field === document.activeElement")
    field.fill(query)
    field.press("Enter")
    found = tab.locator("#search-results li a")
    tab.get_by_text("Search finished").wait_for()  # the pages found are fetched one by one
    addresses = [link.get_attribute("href").split("#")[0] for link in found.all()]
    assert any(address.split("?")[0].endswith(wanted) for address in addresses), addresses
    assert "\\" not in tab.locator("#search-results").inner_text(), "TeX is shown"


def test_search_opens_and_closes_by_keyboard(open_page):
    tab = open_page(CHAPTERS[0])
    dialog = tab.locator("#pst-search-dialog")
    for key, shown in [("Control+k", True), ("Escape", False), ("Control+k", True)]:
        tab.keyboard.press(key)
        assert dialog.is_visible() == shown
