"""The built pages are complete, linked and described, and load nothing from other hosts."""

import json
import re
from copy import copy
from functools import cache
from itertools import pairwise
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from PIL import Image

import lossutils
from _ext.formulas import typeset
from _ext.navigation import launch_links
from _ext.search_engines import QUESTIONS
from tests.book.test_questions import ANCHORS
from tests.site.toc import BASE, CHAPTERS, ROOT, WITH_EXPLORERS, WITHOUT_ASSIGNMENT, toc_pages
from tools import facts

GENERATED = {"index", "genindex", "search", "404"}
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


@cache
def parse(path):
    return BeautifulSoup(path.read_text("utf8"), "lxml")


@cache
def anchors(path):
    return {element["id"] for element in parse(path).select("[id]")}


def source(page):
    """Return the text that a page is made from."""
    (path,) = (p for p in map((ROOT / page).with_suffix, (".ipynb", ".md")) if p.exists())
    return path.read_text("utf8")


@pytest.fixture
def soup(site, page):
    return parse(site / f"{page}.html")


@pytest.fixture
def article(soup):
    return soup.select_one("article.bd-article")


def test_exactly_the_pages_of_the_table_of_contents_are_published(site):
    pages = {str(path.relative_to(site))[:-5] for path in site.rglob("*.html")}
    pages = {page for page in pages if not page.startswith("_static/")}  # the theme's macros
    assert pages - GENERATED == set(toc_pages())


def test_only_sources_of_pages_are_published(site):
    sources = {str(path.relative_to(site / "_sources")) for path in site.glob("_sources/**/*.*")}
    assert {source.partition(".")[0] for source in sources} - GENERATED == set(toc_pages())


def test_links_and_anchors_resolve(site, page, soup):
    here = site / f"{page}.html"
    for link in soup.select("a[href]"):
        parts = urlsplit(link["href"])
        if parts.scheme or parts.netloc or "search.html" in parts.path:
            continue
        target = (here.parent / unquote(parts.path)).resolve() if parts.path else here
        target = target / "index.html" if target.is_dir() else target
        assert target.exists(), link["href"]
        if parts.fragment and target.suffix == ".html":
            assert unquote(parts.fragment) in anchors(target), link["href"]


def test_a_notebook_and_its_assignment_can_be_run_elsewhere(site, page, soup):
    repository, branch = facts.repository(), "main"
    files = [f"{page}.ipynb"]
    name = page.split("/")[-1]
    if page in CHAPTERS and name not in WITHOUT_ASSIGNMENT:
        files.append(f"assignments/{name}/{name}.ipynb")
    expected = [
        address
        for file in files
        for address in (
            f"https://colab.research.google.com/github/{repository}/blob/{branch}/{file}",
            f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/{file}",
            f"https://raw.githubusercontent.com/{repository}/{branch}/{file}",
        )
    ]
    found = [link["href"] for link in soup.select("#launch-menu a")]
    if (ROOT / files[0]).exists():
        assert (site / page).parent.joinpath(found[2]).resolve().read_bytes() == (
            ROOT / files[0]
        ).read_bytes()
        assert found[:2] + found[3:] == expected[:2] + expected[3:]
        assert soup.select_one("[popovertarget=launch-menu]")["aria-label"] == "Run it"
    else:
        assert not found
        assert soup.select_one('[aria-label="Download this page\'s source"]')


def test_a_hub_gets_a_launch_link():
    links = launch_links("me/course", "main", "chapters/mse.ipynb", hub="https://hub.example.org/")
    assert links[2] == (
        "JupyterHub",
        "https://hub.example.org/hub/user-redirect/git-pull?repo=https%3A%2F%2Fgithub.com%2Fme%2Fcourse"
        "&branch=main&urlpath=lab%2Ftree%2Fcourse%2Fchapters%2Fmse.ipynb",
    )


def test_nothing_is_loaded_from_another_host(site, soup):
    for name, attribute in LOADS.items():
        for element in soup.find_all(name, {attribute: True}):
            if element.get("rel") not in (["canonical"], ["next"], ["prev"]):
                assert not urlsplit(element[attribute]).netloc, element


def test_what_a_page_loads_is_found_wherever_the_site_is_hosted(site, page, soup):
    """A path that leaves the site's folder works only if that folder is the root of its host."""
    for name, attribute in LOADS.items():
        for element in soup.find_all(name, {attribute: True}):
            parts = urlsplit(element[attribute])
            if not parts.scheme and not parts.netloc and parts.path:
                target = (site / page).parent.joinpath(unquote(parts.path)).resolve()
                assert target.is_relative_to(site.resolve()), element
                assert target.is_file(), element


def test_no_style_sheet_loads_from_another_host(site):
    for path in site.rglob("*.css"):
        for address in re.findall(
            r"(?:url\(|@import\s+)['\"]?([^'\")\s;]+)", path.read_text("utf8")
        ):
            assert not re.match(r"(https?:)?//", address), f"{path.name}: {address}"


def test_images_have_alternative_text(soup):
    for image in soup.select("img"):
        assert image.get("alt", "").strip() or image.get("role") == "presentation", image


def test_every_figure_of_the_chapter_is_there_and_keeps_its_place(site, page, article):
    for image in article.select("img"):
        assert (site / page).parent.joinpath(image["src"]).resolve().exists()
        assert int(image["width"]) > 0 < int(image["height"])
        assert image["loading"] == "lazy"


def test_the_head_has_a_description_and_a_canonical_address(page, soup):
    (description,) = soup.select("meta[name=description]")
    assert 40 < len(description["content"]) <= 160
    assert not re.search(r"[$\\]|:[a-z]+:", description["content"])
    (address,) = soup.select("link[rel=canonical]")
    assert urlsplit(address["href"]).path.endswith(f"/{page}.html")
    assert not soup.select("head script[src]:not([defer])")


def test_a_link_to_a_page_shows_a_card(site, page, soup):
    tags = {tag["property"]: tag["content"] for tag in soup.select("meta[property^='og:']")}
    assert tags["og:url"] == soup.select_one("link[rel=canonical]")["href"]
    assert tags["og:description"] == soup.select_one("meta[name=description]")["content"]
    picture = site / tags["og:image"].removeprefix(BASE)
    with Image.open(picture) as card:
        assert card.size == (int(tags["og:image:width"]), int(tags["og:image:height"]))
        assert len(card.convert("RGB").getcolors(1 << 20)) > 50, "nothing is drawn on it"
    if page in WITH_EXPLORERS:
        assert len(tags["og:image:alt"]) > 100, "what the figure shows is missing"
        with Image.open(picture) as card:
            figure = card.convert("L").crop((600, 100, 1150, 530))
            assert figure.getextrema()[0] < 100, "the figure is missing"


def test_the_course_and_its_chapters_have_structured_data(page, soup):
    data = [
        json.loads(script.string) for script in soup.select("script[type='application/ld+json']")
    ]
    kinds = [entry["@type"] for entry in data]
    assert kinds == (
        ["LearningResource"]
        if page in CHAPTERS
        else {toc_pages()[0]: ["Course"], QUESTIONS: ["FAQPage"]}.get(page, [])
    )
    for entry in data:
        assert entry["version"] == lossutils.__version__
        assert entry["description"] == soup.select_one("meta[name=description]")["content"]
        if page in CHAPTERS:
            assert entry["position"] == CHAPTERS.index(page) + 1
            assert entry["url"] == f"{BASE}{page}.html"
        elif page != QUESTIONS:
            assert [part["url"] for part in entry["hasPart"]] == [
                f"{BASE}{chapter}.html" for chapter in CHAPTERS
            ]


def test_the_questions_have_structured_data_in_plain_text(site):
    """What search engines are told is what the page says, without TeX."""
    soup = parse(site / f"{QUESTIONS}.html")
    (script,) = soup.select("script[type='application/ld+json']")
    data = json.loads(script.string)
    assert data["@type"] == "FAQPage"
    assert data["url"] == f"{BASE}{QUESTIONS}.html"
    asked = {entry["url"].removeprefix(f"{data['url']}#"): entry for entry in data["mainEntity"]}
    assert list(asked) == ANCHORS
    for anchor, entry in asked.items():
        section = soup.find(id=anchor).find_parent("section")
        assert entry["@type"] == "Question"
        assert entry["name"] == section.h2.get_text().removesuffix("#")
        assert entry["acceptedAnswer"].keys() == {"@type", "text"}
        assert entry["acceptedAnswer"]["@type"] == "Answer"
        text = entry["acceptedAnswer"]["text"]
        assert not re.search(r"[$\\_{}<>…]| [,.;:]", text.replace("pos_weight", "")), text
        assert 100 < len(text) < 700
        answer = copy(section.p)
        for formula in answer.select(".math"):
            formula.replace_with(" ")
        for words in answer.get_text().split():
            assert words in text, words
    assert "log (e + K − 1) − 1, however" in asked[ANCHORS[0]]["acceptedAnswer"]["text"]


def test_the_sitemap_lists_every_page(site):
    addresses = re.findall(r"<loc>(.*?)</loc>", (site / "sitemap.xml").read_text("utf8"))
    assert sorted(addresses) == sorted(f"{BASE}{page}.html" for page in toc_pages())
    assert f"Sitemap: {BASE}sitemap.xml" in (site / "robots.txt").read_text("utf8")


def test_each_page_shows_its_version(soup):
    said = " ".join(soup.select_one(".provenance").get_text().split())
    verified = ROOT / "_build" / "verified.json"
    expected = f"Version {lossutils.__version__}"
    if verified.exists():
        found = json.loads(verified.read_text("utf8"))
        expected += (
            f", last verified on {found['date']}: {found['tests']:,} tests passed at commit "
        )
        expected += found["commit"]
    assert said == expected


def test_each_page_has_its_own_description(site):
    descriptions = [
        parse(site / f"{page}.html").select_one("meta[name=description]")["content"]
        for page in toc_pages()
    ]
    assert len(set(descriptions)) == len(descriptions)


def test_the_bare_address_shows_the_first_page(site):
    first = site / f"{toc_pages()[0]}.html"
    assert (site / "index.html").read_bytes() == first.read_bytes()


def test_the_first_page_calls_the_chapters_by_their_titles(site):
    listed = parse(site / "index.html").select("article ol a[href^='chapters/']")
    titles = {}
    for page in toc_pages():
        heading = parse(site / f"{page}.html").select_one("article h1")
        titles[f"{page}.html"] = re.sub(r"^\d+\. |#$", "", heading.get_text())
    assert [link["href"] for link in listed] == [f"{page}.html" for page in CHAPTERS]
    assert [link.get_text() for link in listed] == [titles[link["href"]] for link in listed]


def test_the_style_sheet_has_what_the_pages_use_and_little_else(site):
    """The build keeps rules for what pages contain; rules for what scripts add are kept by name."""
    style = (site / "_static" / "site.css").read_text("utf8")
    for used in (".explorer", ".katex", ".copybtn", ".highlight", "dialog", "#search-results"):
        assert used in style
    assert len(style) < 150_000


def is_literal(text):
    """Say whether a text is code, or a formula that is typeset."""
    return any(
        parent.name in ("pre", "code", "script") or "katex" in parent.get("class", [])
        for parent in text.parents
    )


def test_formulas_are_typeset(page, article):
    text = "".join(text for text in article.find_all(string=True) if not is_literal(text))
    assert not re.search(r"\$|\\\(|\\\[|\\frac|\\tag", text)
    assert not article.select(".katex-error")
    assert article.select(".katex") or "$" not in source(page)


def test_an_index_of_a_formula_is_one_element(article):
    """Screen readers read MathML, which is invalid if an element has a wrong number of parts."""
    for kind, parts in {"msub": 2, "msup": 2, "msubsup": 3, "mfrac": 2}.items():
        for element in article.select(kind):
            assert len(element.find_all(recursive=False)) == parts, element


def test_no_line_begins_with_the_comma_after_a_short_formula(article):
    for formula in article.select("p > span.math, li > span.math"):
        following = formula.next_sibling
        if str(following or "").startswith((",", ".", ";", ":", ")")):
            assert len(formula.select_one(".katex-html").get_text()) > 12, formula


@pytest.mark.parametrize(
    ("tex", "groups"),
    [
        ("a = b", "a=b"),
        (r"a(b + c) = d(e + f)", "[a(b+c)=][d(e+f)]"),
        (r"L = -\bigl[ y + (1 - y) u(1 - p) \bigr]", "L=[−[y+[(1−y)u(1−p)]]]"),
        (r"a = b(c - d), \quad e = f \tag{x}", "[a=[b(c−d),]][e=f](x)"),
    ],
)
def test_a_formula_breaks_outside_brackets_first(tex, groups):
    rendered = typeset(tex, True).partition('class="katex-html"')[2]
    found, closers = "", []
    for part in re.findall(r"<[^>]*>|[^<>\u200b]+", rendered.partition(">")[2]):
        if part.startswith("<span"):
            closers.append("]" if "together" in part else "")
            found += "[" if closers[-1] else ""
        elif part.startswith("<"):
            found += closers.pop() if closers else ""
        else:
            found += part
    assert found == groups


def test_named_formulas_show_their_names(page, article):
    names = {tag.get_text() for tag in article.select(".katex-html .tag")}
    if page.startswith("chapters/"):
        assert names
        assert all(re.fullmatch(r"\([\w-]+\)", name.replace("−", "-")) for name in names), names


def test_the_index_leads_to_every_named_formula(site, page, article):
    index = {link["href"] for link in parse(site / "genindex.html").select("a[href]")}
    for formula in article.select("[id^=eq-]"):
        assert f"{page}.html#{formula['id']}" in index


def test_structure_of_the_page(soup, article):
    assert soup.html["lang"] == "en"
    levels = [int(heading.name[1]) for heading in article.select("h1, h2, h3, h4")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert soup.title.get_text(strip=True)
    ids = [element["id"] for element in soup.select("[id]")]
    assert len(ids) == len(set(ids)), sorted(i for i in set(ids) if ids.count(i) > 1)


def test_all_answers_are_closed_at_first(article):
    assert not article.select("details[open]")
