"""The book for readers is complete, linked, described, alone, and the same from run to run."""

import posixpath
import re
import unicodedata
import zipfile
from collections import Counter
from functools import cache
from io import BytesIO
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from fontTools.ttLib import TTFont
from lxml import etree, html

from tests.site.toc import BASE, CHAPTERS, ROOT, toc_pages
from tools.book import epub, epub_page

SPACES = {
    "x": "http://www.w3.org/1999/xhtml",
    "m": "http://www.w3.org/1998/Math/MathML",
    "opf": "http://www.idpf.org/2007/opf",
    "dc": "http://purl.org/dc/elements/1.1/",
    "epub": "http://www.idpf.org/2007/ops",
}
KINDS = {".xhtml": "application/xhtml+xml", ".svg": "image/svg+xml", ".png": "image/png"}
PAGES = [*toc_pages(), "genindex"]


@pytest.fixture(scope="module")
def packed(site, tmp_path_factory):
    file = tmp_path_factory.mktemp("epub") / "book.epub"
    assert epub.pack(site, file) == len(CHAPTERS)
    assert [path.name for path in file.parent.iterdir()] == ["book.epub"]
    return file


@pytest.fixture(scope="module")
def files(packed):
    """The files of the book, by their names within its folder."""
    with zipfile.ZipFile(packed) as archive:
        names = [name for name in archive.namelist() if name.startswith("EPUB/")]
        return {name.removeprefix("EPUB/"): archive.read(name) for name in names}


@pytest.fixture(scope="module")
def parsed(files):
    """Everything that is XML, parsed strictly."""
    return {
        name: etree.fromstring(content)
        for name, content in files.items()
        if name.endswith((".xhtml", ".svg", ".opf"))
    }


@pytest.fixture(scope="module")
def folder(packed):
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(packed.with_name("unpacked"))
    return packed.with_name("unpacked") / "EPUB"


@pytest.fixture
def book(parsed, page):
    return parsed[f"{page}.xhtml"]


@cache
def article_of(path):
    (article,) = html.parse(path).getroot().find_class("bd-article")
    return article


@pytest.fixture
def article(site, page):
    return article_of(site / f"{page}.html")


def having(name):
    return f'contains(concat(" ", @class, " "), " {name} ")'


def letters(words):
    """Letters of a formula, whatever their style, without the spaces between them."""
    words = unicodedata.normalize("NFKC", words)
    return re.sub("[\\s\N{ZERO WIDTH SPACE}\N{FUNCTION APPLICATION}]", "", words)


def beside(name, address):
    """The file that an address names in another."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), address))


def words_of(element):
    return "".join(element.itertext())


def lines(words):
    return [line.rstrip() for line in words.rstrip().splitlines()]


def every_page(test):
    return pytest.mark.parametrize("page", PAGES)(test)


def test_it_says_first_what_it_is(packed):
    with zipfile.ZipFile(packed) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read(first) == b"application/epub+zip"
        assert not first.extra
        container = etree.fromstring(archive.read("META-INF/container.xml"))
        assert container.find(".//{*}rootfile").get("full-path") == "EPUB/package.opf"
        assert len(set(archive.namelist())) == len(archive.namelist())


def test_the_list_of_files_is_complete_and_true(files, parsed):
    items = parsed["package.opf"].findall(".//opf:item", SPACES)
    assert sorted(item.get("href") for item in items) == sorted(set(files) - {"package.opf"})
    assert len({item.get("id") for item in items}) == len(items)
    for item in items:
        name, properties = item.get("href"), (item.get("properties") or "").split()
        kind = KINDS.get(posixpath.splitext(name)[1])
        assert kind in (None, item.get("media-type")), name
        assert ("nav" in properties) == (name == "contents.xhtml")
        assert ("cover-image" in properties) == (name == "cover.png")
        has_formulas = (
            name.endswith(".xhtml") and parsed[name].find(".//m:math", SPACES) is not None
        )
        assert ("mathml" in properties) == has_formulas, name


def test_the_pages_follow_in_the_order_of_the_course(parsed):
    package = parsed["package.opf"]
    names = {item.get("id"): item.get("href") for item in package.findall(".//opf:item", SPACES)}
    order = [names[entry.get("idref")] for entry in package.findall(".//opf:itemref", SPACES)]
    first = ["cover.xhtml", "title.xhtml", "contents.xhtml"]
    assert order == first + [f"{page}.xhtml" for page in PAGES]
    (contents,) = parsed["contents.xhtml"].xpath("//x:nav[@epub:type='toc']", namespaces=SPACES)
    links = [link.get("href") for link in contents.findall(".//x:a", SPACES)]
    assert [link for link in links if "#" not in link] == order[3:]


@every_page
def test_the_contents_name_every_heading(parsed, page, book):
    titles = book.xpath("//x:h1 | //x:h2 | //x:h3", namespaces=SPACES)
    places = [title.getparent().get("id") for title in titles[1:]]
    links = parsed["contents.xhtml"].xpath(
        f"//x:nav[1]//x:a[starts-with(@href, '{page}.xhtml')]", namespaces=SPACES
    )
    assert [urldefrag(link.get("href")).fragment for link in links[1:]] == places
    for link, title in zip(links, titles, strict=True):
        assert letters(words_of(link)) == letters(words_of(title))
        depth = len(list(link.iterancestors(f"{{{SPACES['x']}}}ol")))
        assert depth - len(list(links[0].iterancestors(f"{{{SPACES['x']}}}ol"))) == (
            int(title.tag[-1]) - 1
        )


def test_what_it_says_of_itself(parsed):
    metadata = parsed["package.opf"].find("opf:metadata", SPACES)
    for name in ("identifier", "title", "creator", "language", "description", "rights"):
        assert metadata.find(f"dc:{name}", SPACES).text, name
    properties = {}
    for entry in metadata.findall("opf:meta", SPACES):
        properties.setdefault(entry.get("property"), []).append(entry.text)
    assert re.fullmatch(r"\d{4}(-\d\d){2}T\d\d(:\d\d){2}Z", *properties["dcterms:modified"])
    assert {"textual", "visual"} == set(properties["schema:accessMode"])
    assert {"MathML", "alternativeText"} <= set(properties["schema:accessibilityFeature"])
    assert properties["schema:accessModeSufficient"]
    assert properties["schema:accessibilityHazard"] == ["none"]


def test_links_and_pictures_are_there(files, parsed):
    places = {name: Counter(root.xpath("//@id")) for name, root in parsed.items()}
    for name, ids in places.items():
        assert not [place for place, number in ids.items() if number > 1], name
    for name, root in parsed.items():
        for address in root.xpath("//@href | //@src | //@*[local-name()='href']"):
            if urlsplit(address).scheme:
                assert urlsplit(address).scheme in ("https", "http", "data"), (name, address)
                continue
            file, place = urldefrag(unquote(address))
            file = (
                posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name
            )
            assert file in files, (name, address)
            assert not place or places[file][place], (name, address)
        for place in re.findall(r"url\(#([^)]+)\)", etree.tostring(root, encoding="unicode")):
            assert places[name][place], (name, place)


@every_page
def test_links_lead_where_those_of_the_site_lead(site, page, book, article):
    """Within the book, or to the same page on the web; named equations are places as there."""
    of_site = [link for link in article.iter("a") if link.get("href")]
    expected = Counter()
    for link in of_site:
        ways = [link, *link.iterancestors()]
        classes = " ".join(element.get("class", "") for element in ways).split()
        if not {"headerlink", "contents", "genindex-jumpbox"} & set(classes):
            expected[
                unquote(urldefrag(link.get("href")).fragment), urlsplit(link.get("href")).netloc
            ] += 1
    found = Counter()
    for link in book.findall(".//x:a[@href]", SPACES):
        parts = urlsplit(link.get("href"))
        host = "" if link.get("href").startswith(BASE) else parts.netloc
        found[unquote(parts.fragment), host] += 1
    assert not expected - found
    equations = {place for place in article.xpath(".//@id") if place.startswith("eq-")}
    assert equations <= set(book.xpath("//@id"))


def test_a_link_to_what_is_not_in_the_book_leads_to_the_web(site):
    page = epub_page.Page(site, "appendix/glossary", ["appendix/glossary"], "https://here.example/")
    links = [link.get("href") for link in page.article.iter("a")]
    assert "https://here.example/chapters/bce.html" in links
    assert all(link.startswith(("#", "https://here.example/")) for link in links)


@every_page
def test_every_formula_is_there_whole_with_its_name(book, article):
    expected = []
    for formula in article.find_class("katex"):
        content = formula.find(".//math/semantics")[0]
        expected.append(letters(words_of(content)))
    found = []
    for body in book.xpath(f"//*[{having('formula-body')}]", namespaces=SPACES):
        words = "".join(
            part for math in body.iter(f"{{{SPACES['m']}}}math") for part in math.itertext()
        )
        name = body.getnext()
        if name is not None and name.get("class") == "formula-name":
            words += name.text
        found.append(letters(words))
        assert body.find(".//m:annotation", SPACES) is None
    assert Counter(found) == Counter(expected)
    names = [tag.text for tag in book.xpath(f"//*[{having('formula-name')}]", namespaces=SPACES)]
    tags = article.xpath(".//annotation[contains(., '\\tag')]")
    assert sorted(names) == sorted(f"({re.search(r'tag{(.*)}', tag.text)[1]})" for tag in tags)


@every_page
def test_every_picture_is_described(parsed, page, book, article):
    expected = [picture.get("alt") for picture in article.iter("img")]
    pictures = book.findall(".//x:img", SPACES)
    in_frames = book.xpath(f"//*[{having('frame')}]/x:img", namespaces=SPACES)
    assert [image.get("alt") for image in pictures if image not in in_frames] == expected
    assert all(image.get("alt").strip() for image in pictures)
    for picture in pictures:
        drawn = parsed[beside(page, picture.get("src"))]
        assert len(list(drawn.iter("{*}path"))) > 10, "nothing is drawn"


@every_page
def test_an_explorer_is_three_frames_with_their_sentences(book, article):
    explorers = article.find_class("explorer")
    found = book.xpath(f"//*[{having('explorer')}]", namespaces=SPACES)
    assert len(found) == len(explorers)
    for figure, explorer in zip(found, explorers, strict=True):
        printed = explorer.find_class("explorer-printed")
        sentences = [
            "".join(words.itertext()) for words in figure.findall(".//x:figcaption", SPACES)
        ]
        assert sentences == [frame.get("data-sentence") for frame in printed]
        sources = [image.get("src") for image in figure.findall(".//x:img", SPACES)]
        assert len(set(sources)) == len(sentences) == 3
        start = figure.findall(".//x:img", SPACES)[0].get("alt")
        assert all(f"{slider.get('aria-label')} = " in start for slider in explorer.iter("input"))
        link = figure.find(".//x:p/x:a", SPACES).get("href")
        assert link.endswith(f".html#{explorer.get('id')}")


@every_page
def test_answers_stand_at_the_end_and_are_linked_to_and_fro(book, article):
    summaries = [
        details.find("summary").text_content().strip()
        for details in article.iter("details")
        if "hide" not in details.get("class", "")
    ]
    places = {place: element for element in book.iter("{*}*") if (place := element.get("id"))}
    links = book.xpath(f"//*[{having('to-answer')}]/x:a", namespaces=SPACES)
    assert [link.text for link in links] == summaries
    for link in links:
        answer = places[link.get("href")[1:]]
        back = answer.find(".//x:a", SPACES)
        assert places[back.get("href")[1:]] is link
        assert len(answer) > 1
    assert not book.findall(".//x:details", SPACES)


@every_page
def test_every_line_of_code_is_there(book, article):
    expected = [
        lines(code.text_content())
        for code in article.iter("pre")
        if not code.xpath(f"ancestor::details[{having('hide')}]")
    ]
    found = [
        lines("\n".join(words_of(line) for line in code))
        for code in book.findall(".//x:pre", SPACES)
    ]
    assert found == expected


@every_page
def test_every_word_and_mark_is_there(site, page, book):
    article = html.parse(site / f"{page}.html").getroot().find_class("bd-article")[0]
    left_out = ("katex", "headerlink", "hide", "explorer", "contents", "genindex-jumpbox")
    for element in [e for name in left_out for e in article.find_class(name)]:
        element.drop_tree()
    for element in [*article.iter("thead", "pre")]:
        element.drop_tree()  # a list of rows has no place for a heading of the first column
    outside = f"not(ancestor::m:math or ancestor::*[{having('formula-name')}])"
    words = book.find("x:body", SPACES).xpath(f".//text()[{outside}]", namespaces=SPACES)
    expected, found = (
        Counter(re.findall(r"\w+|[^\w\s]", " ".join(texts)))
        for texts in (article.xpath(".//text()"), words)
    )
    assert expected - found == Counter()


@every_page
def test_a_page_fits_a_small_reader(browser, folder, page):
    tab = browser.new_page(viewport={"width": 400, "height": 600}, offline=True)
    tab.goto((folder / f"{page}.xhtml").as_uri())
    has_formulas = tab.evaluate(
        """async () => {
            await document.fonts.ready;
            return document.querySelector("math") !== null;
        }"""
    )
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400
    loaded = tab.evaluate("[...document.fonts].map((font) => font.status)")
    assert loaded == (["loaded"] if has_formulas else ["unloaded"])
    tab.close()


def test_nothing_runs_and_nothing_is_loaded_from_elsewhere(files, parsed):
    for name, root in parsed.items():
        for element in root.iter("{*}script", "{*}iframe", "{*}object", "{*}embed", "{*}form"):
            raise AssertionError(f"{name}: {element.tag}")
        assert not [key for key in root.xpath("//@*") if key.attrname.startswith("on")], name
        for address in root.xpath("//@src | //*[local-name()='link' or local-name()='image']/@*"):
            assert not re.match(r"(https?:)?//", address), (name, address)
        assert b"<!DOCTYPE svg" not in files[name]
    for address in re.findall(r"url\(['\"]?([^'\")]+)", files["epub.css"].decode()):
        assert address in files
    assert "@import" not in files["epub.css"].decode()


def test_a_font_has_the_signs_of_the_formulas(files, parsed):
    font = TTFont(BytesIO(files["math.ttf"]))
    signs = {
        sign
        for root in parsed.values()
        for math in root.iter(f"{{{SPACES['m']}}}math")
        for sign in words_of(math)
    }
    assert len(signs) > 100
    signs.add("√")  # which MathML says by an element
    missing = {sign for sign in signs - set(map(chr, font.getBestCmap())) if not sign.isspace()}
    assert missing == set()
    assert "MATH" in font, "brackets would not grow"
    assert "SIL Open Font License" in font["name"].getDebugName(13)


def test_two_runs_write_the_same_bytes(site, packed):
    again = packed.with_name("again.epub")
    epub.pack(site, again)
    assert again.read_bytes() == packed.read_bytes()


def test_a_run_that_fails_leaves_the_last_book(site, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(epub, "bind", lambda _: ({"epub.css": b""}, []))
    book = tmp_path / "book.epub"
    epub.pack(site, book)
    before = book.read_bytes()
    monkeypatch.setattr(zipfile.ZipFile, "writestr", fail)
    with pytest.raises(OSError, match="no space"):
        epub.pack(site, book)
    assert book.read_bytes() == before


def test_the_date_can_be_given(site, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert epub.modified(site).isoformat() == "1970-01-02T00:00:00+00:00"
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert epub.modified(site) == epub.modified(ROOT / "_build" / "html")


def test_a_site_that_is_not_built(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(epub, "SITE", tmp_path)
    monkeypatch.setattr("sys.argv", ["epub"])
    with pytest.raises(SystemExit):
        epub.main()
    assert "run: make book" in capsys.readouterr().err
