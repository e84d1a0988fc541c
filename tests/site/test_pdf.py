"""A PDF of the landing page, a chapter and the index has the same content as those pages."""

import sys
from collections import Counter
from itertools import groupby
from urllib.parse import unquote, urljoin

import pikepdf
import pypdfium2
import pytest
from bs4 import BeautifulSoup

from tests.site.toc import BASE, ROOT
from tools.book import pdf

PAGES = ["intro", "chapters/bce", "genindex"]
SCREEN_ONLY = ".headerlink, .genindex-jumpbox, details.hide, details.check"


class Book:
    """A PDF, and functions that read what the tests need from it."""

    def __init__(self, path):
        self.pdf = pikepdf.open(path)
        self.pages = [page.get_textpage() for page in pypdfium2.PdfDocument(path)]
        self.numbers = {page.obj.objgen: n for n, page in enumerate(self.pdf.pages, start=1)}
        self.places = {
            name[1:]: self.numbers[place[0].objgen] for name, place in self.pdf.Root.Dests.items()
        }

    def text(self, number):
        return flat(self.pages[number - 1].get_text_bounded())

    def links(self):
        """Yield page number, text and target of each link."""

        def target(piece):
            return str(piece.A.URI if "/A" in piece else piece.Dest)

        for number, (page, text) in enumerate(zip(self.pdf.pages, self.pages, strict=True), 1):
            for leads_to, pieces in groupby(page.get("/Annots", []), target):
                boxes = [tuple(map(float, piece.Rect)) for piece in pieces]
                words = []
                for _, line in groupby(boxes, lambda box: box[1]):
                    left, bottom, right, top = zip(*line, strict=True)
                    box = min(left), bottom[0], max(right), top[0]
                    words += text.get_text_bounded(*box).split()
                yield number, " ".join(words), leads_to

    def outline(self):
        """Return depth, title and page number of each entry."""

        def walk(entries, depth):
            for entry in entries:
                yield depth, entry.title, self.numbers[entry.destination[0].objgen]
                yield from walk(entry.children, depth + 1)

        with self.pdf.open_outline() as outline:
            return list(walk(outline.root, 0))

    def described(self):
        """Count the texts that screen readers read in place of pictures and formulas."""

        def walk(node):
            if isinstance(node, pikepdf.Array):
                for child in node:
                    yield from walk(child)
            elif isinstance(node, pikepdf.Dictionary):
                if node.get("/S") == "/Figure":
                    yield str(node.get("/Alt", ""))
                yield from walk(node.get("/K"))

        return Counter(walk(self.pdf.Root.StructTreeRoot.K))

    def bitmaps(self):
        """Return the number of bitmaps on each page."""

        def count(resources):
            found = 0
            for drawn in resources.get("/XObject", {}).values():
                found += drawn.Subtype == "/Image"
                found += count(drawn.get("/Resources", {}))
            return found

        return [count(page.Resources) for page in self.pdf.pages]


def flat(text):
    """Return a text without spaces and hyphens, which depend on where lines end."""
    return "".join(text.replace("\ufffe", "").replace("\xad", "").split())


@pytest.fixture(scope="module")
def book(browser, address, tmp_path_factory):
    path = tmp_path_factory.mktemp("pdf") / "new" / "part.pdf"
    count = pdf.make_book(browser, address, path, PAGES)
    assert [file.name for file in path.parent.iterdir()] == ["part.pdf"]
    book = Book(path)
    assert count == len(book.pages)
    return book


@pytest.fixture(scope="module")
def articles(site):
    """Return the articles of the pages in the PDF, without the parts that are not printed."""
    found = {}
    for page in PAGES:
        html = BeautifulSoup((site / f"{page}.html").read_text("utf8"), "lxml")
        found[page] = html.select_one("article.bd-article")
        for element in found[page].select(SCREEN_ONLY):
            element.decompose()
    return found


def headings(article):
    return [heading.get_text().strip() for heading in article.select("h1, h2, h3, h4, h5, h6")]


def test_every_page_has_its_number_and_text(book):
    assert "From Likelihood to Gradient" in book.pages[0].get_text_bounded()
    for number, text in enumerate(book.pages[1:], start=2):
        left, _, right, _ = book.pdf.pages[number - 1].MediaBox
        foot = text.get_text_bounded(float(left), 0, float(right), 50)
        assert foot.split() == [str(number)]
        assert len(book.text(number)) > 100, f"page {number} is nearly empty"
    assert 15 < len(book.pages) < 40


def test_the_outline_has_every_heading_on_its_page(book, articles):
    outline = book.outline()
    expected = [heading for article in articles.values() for heading in headings(article)]
    captions = ["Chapters", "Appendix"]
    assert [title for _, title, _ in outline if title not in captions] == [
        "Cover",
        "Contents",
        *expected,
    ]
    for _, title, number in outline[1:]:
        if title not in captions:
            assert flat(title) in book.text(number), f"{title} is not on page {number}"
    depths = {title: depth for depth, title, _ in outline}
    chapter, first = headings(articles["chapters/bce"])[:2]
    assert (depths["Chapters"], depths[chapter], depths[first]) == (0, 1, 2)


def test_contents_and_index_give_page_numbers(book, articles):
    """The number at the end of each entry is that of the page to which it links."""
    first = book.places["intro--"]
    last = book.places["genindex--"]
    listed = [link for link in book.links() if link[0] < first or link[0] >= last]
    inside = [(text, target) for _, text, target in listed if target.startswith("/")]
    for text, target in inside:
        assert text.split()[-1] == str(book.places[target[1:]]), text
    entries = [flat(text.rsplit(" ", 1)[0]) for text, _ in inside]
    for article in articles.values():
        for heading in article.select("h1, section > section > h2"):
            assert flat(heading.get_text()) in entries
    equations = articles["genindex"].select("a[href^='chapters/bce.html#']")
    assert len(equations) > 10
    for entry in equations:
        assert flat(entry.get_text()) + "," in entries


def test_the_index_leads_to_the_equation(book, articles):
    for entry in articles["genindex"].select("a[href^='chapters/bce.html#eq-']"):
        name = entry["href"].partition("#eq-")[2]
        page = book.places[f"chapters/bce--eq-{name}"]
        assert f"({name})" in book.text(page)


def test_links_within_the_book_lead_somewhere(book):
    inside = {target[1:] for *_, target in book.links() if target.startswith("/")}
    assert inside - set(book.places) == set()
    assert len(inside) > 30


def test_external_links_are_those_of_the_site(book, articles):
    expected = {BASE}
    for page, article in articles.items():
        for link in article.select("a[href]"):
            target = urljoin(f"{BASE}{page}.html", link["href"])
            leaves = target.partition(".html")[0].removeprefix(BASE) not in PAGES
            if leaves or "tick" in link.get("class", []):  # the book leaves out the checks
                expected.add(target)
        for explorer in article.select(".explorer"):
            expected.add(f"{BASE}{page}.html#{explorer['id']}")
    found = {target for *_, target in book.links() if not target.startswith("/")}
    assert {unquote(target) for target in found} == {unquote(target) for target in expected}


def test_every_figure_explorer_and_formula_is_there_with_its_description(book, articles):
    expected = Counter()
    for article in articles.values():
        expected.update(picture["alt"] for picture in article.select("img"))
        expected.update(
            frame["data-sentence"] for frame in article.select(".explorer-frame.explorer-printed")
        )
        expected.update(tex.get_text().strip() for tex in article.select("annotation"))
    found = book.described()
    del found[""]  # decoration
    assert found == expected


def test_an_explorer_is_three_frames_with_their_sentences(book, articles):
    text = "".join(map(book.text, range(1, len(book.pages) + 1)))
    for article in articles.values():
        for explorer in article.select(".explorer"):
            frames = explorer.select(".explorer-printed")
            assert len(frames) == 3
            assert all(flat(frame["data-sentence"]) in text for frame in frames)
            shown = [frame for frame in explorer.select(".explorer-frame") if frame not in frames]
            assert not any(flat(frame["data-sentence"]) in text for frame in shown)


def test_only_bitmaps_of_the_site_are_bitmaps(book, articles, site):
    on_site = sum(
        (site / picture["src"].replace("../", "")).read_text("utf8").count("<image ")
        for article in articles.values()
        for picture in article.select("img")
    ) + sum(len(article.select("image")) for article in articles.values())
    assert on_site > 0
    assert sum(book.bitmaps()) == on_site


def test_the_file_has_a_title_a_language_and_structure(book):
    root = book.pdf.Root
    with book.pdf.open_metadata() as metadata:
        assert metadata["dc:title"] == pdf.read_yaml("CITATION.cff")["title"]
        assert set(metadata["dc:language"]) == {"en"}
    assert root.Lang == "en"
    assert root.MarkInfo.Marked
    assert root.ViewerPreferences.DisplayDocTitle
    assert root.PageMode == "/UseOutlines"


# ---- the command --------------------------------------------------------------------------------


class Interrupted:
    """A PDF that is interrupted while it is written."""

    def save(self, path, **_):
        path.write_bytes(b"half")
        raise KeyboardInterrupt


def test_an_interruption_leaves_the_old_file(tmp_path):
    target = tmp_path / "book.pdf"
    target.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        pdf.save(Interrupted(), target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("arguments", "names", "complaint"),
    [
        (
            ["chapters/nonsense"],
            {},
            "chapters/nonsense is not a page of the book; its pages are intro",
        ),
        ([], {"SITE": ROOT / "nowhere"}, "the site is not built; run: make book"),
        ([], {"BROWSER": None}, "no Chromium or Chrome was found"),
        (["--output", str(ROOT)], {}, "is a folder"),
        (["--output", str(ROOT / "Makefile" / "x.pdf")], {}, "cannot be written"),
    ],
)
def test_the_command_says_what_is_wrong(site, monkeypatch, capsys, arguments, names, complaint):
    monkeypatch.setattr(pdf, "BROWSER", "chromium")
    for name, value in names.items():
        monkeypatch.setattr(pdf, name, value)
    monkeypatch.setattr(sys, "argv", ["pdf", *arguments])
    with pytest.raises(SystemExit) as stop:
        pdf.main()
    assert stop.value.code == 2
    assert complaint in capsys.readouterr().err


def test_the_command_has_help(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pdf", "--help"])
    with pytest.raises(SystemExit) as stop:
        pdf.main()
    assert stop.value.code == 0
    assert "--output" in capsys.readouterr().out
