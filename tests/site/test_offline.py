"""The offline copy works from a folder, with all of its figures, formulas and sliders."""

import zipfile
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import expect

from tests.site.conftest import needs_python
from tests.site.toc import CHAPTERS, toc_pages
from tools.book import offline

LOCAL = {"file", "data", "blob"}


@pytest.fixture(scope="module")
def folder(site, tmp_path_factory):
    place = tmp_path_factory.mktemp("offline")
    offline.pack(site, place / "course.zip")
    with zipfile.ZipFile(place / "course.zip") as archive:
        archive.extractall(place)
    return place / offline.NAME


@pytest.fixture
def tab(browser):
    """Return a tab in which errors, and requests for anything but a file, fail the test."""
    context, complaints = browser.new_context(offline=True), []
    tab = context.new_page()
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    tab.on(
        "request",
        lambda request: urlsplit(request.url).scheme in LOCAL or complaints.append(request.url),
    )
    yield tab
    context.close()
    assert not complaints


@pytest.mark.parametrize("page", [toc_pages()[0], CHAPTERS[-1]])
def test_a_page_works_from_a_folder(folder, tab, page):
    tab.goto((folder / f"{page}.html").as_uri(), wait_until="load")
    tab.add_style_tag(content="* { content-visibility: visible !important }")
    broken = tab.evaluate(
        """async () => {
            const pictures = [...document.querySelectorAll("article img")];
            for (const picture of pictures) picture.loading = "eager";
            await Promise.allSettled(pictures.map((picture) => picture.decode()));
            await document.fonts.ready;
            return pictures.filter((picture) => !picture.naturalWidth).map((p) => p.src);
        }"""
    )
    assert broken == []
    assert tab.locator(".katex").count() > 0
    assert tab.evaluate(
        "[...document.fonts].some(f => f.family === 'KaTeX_Main' && f.status === 'loaded')"
    )
    explorer = tab.locator("figure.explorer").first
    slider, words = explorer.locator("input[type=range]"), explorer.locator("figcaption")
    before = words.inner_text()
    slider.focus()
    tab.keyboard.press("ArrowRight")
    expect(words).not_to_have_text(before)


def test_links_stay_in_the_folder(folder, tab):
    tab.goto((folder / "index.html").as_uri())
    tab.locator("article ol a").first.click()
    assert unquote(urlsplit(tab.url).path) == str(folder / f"{CHAPTERS[0]}.html")


def test_search_finds_a_page(folder, tab):
    tab.goto((folder / "search.html").as_uri() + "?q=hinge")
    expect(tab.locator("#search-results a").first).to_be_visible()


def test_files_that_only_a_server_needs_are_left_out(folder):
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    assert "index.html" in files
    assert not [file for file in files if offline.ONLY_FOR_SERVERS.match(file)]
    assert not {"404.html", "sitemap.xml"} & set(files)
    assert not [
        file
        for file in files
        if file.startswith(("_python/", "_static/run_here-", "_static/run_here.js"))
    ]


@needs_python
def test_a_page_runs_from_a_folder(site, tab, tmp_path):
    offline.pack(site, tmp_path / "course.zip", python=True)
    with zipfile.ZipFile(tmp_path / "course.zip") as archive:
        archive.extractall(tmp_path)
    tab.set_default_timeout(120_000)
    tab.goto((tmp_path / offline.NAME / "chapters" / "mle.html").as_uri(), wait_until="load")
    expect(tab.locator(".run-here-button")).to_have_text("Run this page here")
    tab.locator(".run-here-button").click()
    tab.locator("body.runs-here").wait_for()
    cell = tab.locator(".scratch .cell")
    cell.locator(".cm-content").focus()
    tab.keyboard.insert_text("import numpy, tomllib\nprint(numpy.arange(3), tomllib.loads('a=1'))")
    tab.keyboard.press("Shift+Enter")
    expect(cell.locator(".cell_output pre")).to_have_text("[0 1 2] {'a': 1}\n", timeout=120_000)


def test_a_site_that_is_not_built_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="make book"):
        offline.pack(tmp_path, tmp_path / "x.zip")
