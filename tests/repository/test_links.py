"""The link checker finds broken links on a local server and in this repository."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools import facts
from tools.site import fork, links

OPTIONS = {
    "linkcheck_retries": 1,
    "linkcheck_timeout": 5,
    "linkcheck_report_timeouts_as_broken": False,
}
REPOSITORY = facts.repository()
PAGES = fork.pages(REPOSITORY)


class Host(BaseHTTPRequestHandler):
    """Serve /ok, which has an anchor, and /moved, which redirects to it."""

    def do_HEAD(self):
        path = self.path.partition("?")[0]
        self.send_response({"/ok": 200, "/moved": 301}.get(path, 404))
        if path == "/moved":
            self.send_header("Location", "/ok")
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        self.wfile.write(b"<p id='here'>It is there.</p>")

    def log_message(self, *_):
        pass


@contextmanager
def local_server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("paths", "passes"),
    [
        ({"/ok", "/ok#here", "/moved", "/ok?a_b=(1)_"}, True),
        ({"/ok", "/missing"}, False),
        ({"/ok#gone"}, False),
    ],
)
def test_a_broken_link_fails_and_a_moved_one_does_not(paths, passes, capfd):
    with local_server() as host:
        pages = {"chapters/mse.html": {host + path for path in paths}, "README.md": {f"{host}/ok"}}
        assert links.check(pages, OPTIONS) == passes
    said = capfd.readouterr().out
    for path in paths & {"/missing", "/ok#gone"}:
        (line,) = (line for line in said.splitlines() if line.startswith(f"{host}{path} is broken"))
        assert line.endswith("linked to from chapters/mse.html")
    if "/moved" in paths:
        assert f"{host}/moved has moved" in said


def test_an_ignored_address_is_not_visited():
    with local_server() as host:
        options = OPTIONS | {"linkcheck_ignore": [rf"{host}/mis.*"]}
        assert links.check({"a.html": {f"{host}/missing", f"{host}/ok"}}, options)
        assert not links.check({"a.html": {f"{host}/elsewhere"}}, options)


def test_links_of_every_kind_are_found(tmp_path):
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "a.html").write_text(
        '<a href="https://a.example/x?y=1&amp;z=2">a</a> <a href="b.html">b</a>'
        '<img src="https://b.example/c.png"> <a href="mailto:a@b.example">m</a>'
    )
    notes = tmp_path / "NOTES.md"
    notes.write_text("[a](https://c.example/d) `https://no.example` <https://e.example/_f_>")
    assert links.links(tmp_path, [notes]) == {
        "chapters/a.html": {"https://a.example/x?y=1&z=2", "https://b.example/c.png"},
        "NOTES.md": {"https://c.example/d", "https://e.example/_f_"},
    }
    with pytest.raises(FileNotFoundError, match="make book"):
        links.links(tmp_path / "empty", [])


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (f"https://{PAGES}", ("site", "index.html")),
        (f"https://{PAGES}chapters/mse.html#x", ("site", "chapters/mse.html")),
        (f"https://github.com/{REPOSITORY}", ("repository", "")),
        (f"https://github.com/{REPOSITORY}/issues/new?title=On%20x", ("repository", "")),
        (f"https://github.com/{REPOSITORY}/blob/main/docs/a.md", ("repository", "docs/a.md")),
        (f"https://raw.githubusercontent.com/{REPOSITORY}/main/a.ipynb", ("repository", "a.ipynb")),
        (
            f"https://colab.research.google.com/github/{REPOSITORY}/blob/main/intro.ipynb",
            ("repository", "intro.ipynb"),
        ),
        (
            f"https://mybinder.org/v2/gh/{REPOSITORY}/main?urlpath=lab/tree/chapters",
            ("repository", "chapters"),
        ),
        (f"https://github.com/{REPOSITORY}-two", None),
        ("https://github.com/somebody/else", None),
    ],
)
def test_where_an_address_of_this_repository_leads(address, found):
    assert links.own(address, REPOSITORY, "main", PAGES) == found


def test_an_address_of_this_repository_is_checked_locally(tmp_path):
    (tmp_path / "index.html").touch()
    blob = f"https://github.com/{REPOSITORY}/blob/main"
    pages = {
        "a.html": {f"{blob}/README.md", f"https://{PAGES}", "https://a.example"},
        "b.html": {f"{blob}/no_such.md", f"https://{PAGES}no_such.html"},
    }
    broken, rest = links.check_own(pages, tmp_path, links.ROOT)
    assert broken == [
        f"b.html: https://{PAGES}no_such.html: the site has no no_such.html",
        f"b.html: {blob}/no_such.md: the repository has no no_such.md",
    ]
    assert rest == {"a.html": {"https://a.example"}, "b.html": set()}
