"""Pages for books: the article of a built page, reduced to what a reader of books shows.

Formulas are MathML, explorers are three pictures with their sentences, answers stand at the end of
the chapter, and links lead within the book or to the site.
"""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from lxml import etree, html
from lxml.html import HtmlElement

from tools.book import epub_math

STYLES = Path(__file__).with_name("epub.css")
SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
LEFT_OUT = ("headerlink", "genindex-jumpbox", "above-input", "contents")
KEPT = {"id", "href", "src", "alt", "width", "height", "colspan", "rowspan", "class"}
STYLED = set(
    re.findall(r"\.([a-z][\w-]*)", re.sub(r"/\*.*?\*/", "", STYLES.read_text("utf8"), flags=re.S))
)
"""Classes that the book's style sheet knows; only they are kept."""
SVG_TEXT = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
REFERENCE = re.compile(r"#([\w-]+)")
INDENT = 4  # columns, by which code is indented
MARKS = re.compile(r"[.,;:!?)\]’”]+")
SMALL_TABLE, WIDE_TABLE = 25, 48
"""Letters in the longest words of all columns, up to which a table fits a phone; in small print."""


class Page:
    """A page of the book: its content, and the pictures that it shows by their names."""

    def __init__(self, site: Path, name: str, pages: list[str], published: str) -> None:
        self.name, self._pages, self._published = name, pages, published
        source = (site / f"{name}.html").read_text("utf8")
        parsed = html.document_fromstring(source)
        (self.article,) = parsed.find_class("bd-article")
        self.provenance = " ".join(
            word for element in parsed.find_class("provenance") for word in text(element).split()
        )
        self.pictures: dict[str, bytes] = {}
        for image in list(self.article.iter("img")):
            self._adapt_image(site, image)
        # as the XML that they are: the parser of HTML makes the names in them small
        drawn = SVG_TEXT.findall(source[source.index("<article") :])
        svgs = dict(zip(self.article.iter("svg"), drawn, strict=True))
        for explorer in self.article.find_class("explorer"):
            own = [svgs[element] for element in explorer.iter("svg")]
            replace(explorer, self._frames(explorer, own))
        for kind in LEFT_OUT:
            for element in self.article.find_class(kind):
                element.drop_tree()
        for formula in self.article.find_class("katex"):
            if "katex-display" in formula.getparent().get("class", ""):
                formula.getparent().getparent().set("class", "formula")
            span = formula.getparent()
            mark = MARKS.match(span.tail or "")
            if mark:
                span.tail = span.tail[mark.end() :]
            replace(formula, epub_math.adapt(formula, mark[0] if mark else ""))
        arrange_index(self.article)
        for table in list(self.article.iter("table")):
            adapt_table(table)
        for code in list(self.article.iter("pre")):
            divide_lines(code)
        gather_answers(self.article)
        for link in self.article.iter("a"):
            if "href" in link.attrib:
                link.set("href", self._address(link.get("href")))
        clean(self.article)
        self.article.tag = "main"
        self.headings = headings(self.article)
        self.title = self.headings[0][1]

    def to_xml(self) -> str:
        """Return the content as XML."""
        return etree.tostring(self.article, encoding="unicode", with_tail=False)

    def _address(self, link: str) -> str:
        """Return where a link leads to from this page: within the book, or on the site."""
        if link.startswith("#") or urlsplit(link).netloc:
            return link
        path, mark, anchor = urljoin(f"{self.name}.html", link).partition("#")
        target = path.removesuffix(".html")
        if target not in self._pages:
            return f"{self._published}{path}{mark}{anchor}"
        return f"{posixpath.relpath(f'{target}.xhtml', posixpath.dirname(self.name))}{mark}{anchor}"

    def _adapt_image(self, site: Path, image: HtmlElement) -> None:
        """Take a picture along, without what only its maker wrote into it."""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self.name), image.get("src")))
        content = (site / path).read_bytes()
        if path.endswith(".svg"):
            content = etree.tostring(tidy(etree.fromstring(content)))
        self.pictures[path] = content

    def _frames(self, explorer: HtmlElement, svgs: list[str]) -> HtmlElement:
        """Return an explorer as the frames that paper shows: a picture and a sentence each."""
        definitions = {
            element.get("id"): etree.tostring(element, encoding="unicode")
            for element in etree.fromstring(svgs[0])[0]
        }
        sliders = list(explorer.iter("input"))
        book = html.Element("div", {"class": "explorer", "id": explorer.get("id")})
        for number, frame in enumerate(explorer.find_class("explorer-frame")):
            if "explorer-printed" not in frame.get("class"):
                continue
            position = " and ".join(positions(sliders, number))
            file = f"_images/{explorer.get('id')}-{number}.svg"
            picture = etree.fromstring(standalone(svgs[1 + number], definitions))
            self.pictures[file] = etree.tostring(tidy(picture))
            shown = html.Element("figure", {"class": "frame"})
            image = {
                "src": posixpath.relpath(file, posixpath.dirname(self.name)),
                "alt": f"The figure at {position}; the sentence below says what it shows.",
            }
            etree.SubElement(shown, "img", image)
            etree.SubElement(shown, "figcaption").text = frame.get("data-sentence")
            book.append(shown)
        book.append(self._invitation(explorer, [slider.get("aria-label") for slider in sliders]))
        return book

    def _invitation(self, explorer: HtmlElement, labels: list[str]) -> HtmlElement:
        """Say what moves an explorer, and where."""
        sliders, them = ("slider", "it") if len(labels) == 1 else ("sliders", "them")
        names = " and ".join(f"“{label}”" for label in labels)
        line = html.Element("p", {"class": "explorer-more"})
        line.text = f"Three positions of the {sliders} {names}. Move {them} on "
        address = f"{self._published}{self.name}.html#{explorer.get('id')}"
        link = etree.SubElement(line, "a", {"href": address})
        link.text, link.tail = "the page on the web", "."
        return line


def text(element: HtmlElement) -> str:
    """Return what can be read of an element, in one line."""
    return " ".join(element.text_content().replace("\N{ZERO WIDTH SPACE}", "").split())


def replace(old: HtmlElement, *new: HtmlElement) -> None:
    """Put elements in the place of another."""
    for element in new:
        element.tail = None
        old.addprevious(element)
    if old.tail:
        new[-1].tail, old.tail = old.tail, None
    old.getparent().remove(old)


def positions(sliders: list[HtmlElement], number: int) -> list[str]:
    """Return where each slider stands in a frame; the last one runs fastest, as in explore.js."""
    found = []
    for slider in reversed(sliders):
        ticks = json.loads(slider.get("data-ticks"))
        number, at = divmod(number, len(ticks))
        found.insert(0, f"{slider.get('aria-label')} = {ticks[at]}")
    return found


def standalone(svg: str, definitions: dict[str, str]) -> str:
    """Return a frame as a picture by itself, with the shared definitions that it uses."""
    used, todo = set(), REFERENCE.findall(svg)
    while todo:
        name = todo.pop()
        if name in definitions and name not in used:
            used.add(name)
            todo += REFERENCE.findall(definitions[name])
    shared = "".join(content for name, content in definitions.items() if name in used)
    _, _, width, height = re.search(r'viewBox="([^"]*)"', svg)[1].split()
    head, _, rest = svg.partition(">")
    head = re.sub(r' (?:width|height|aria-hidden)="[^"]*"', "", head)
    spaces = f'xmlns="{SVG}" xmlns:xlink="{XLINK}" version="1.1"'
    size = f'width="{width}pt" height="{height}pt"'
    whole = f"{head} {spaces} {size}><defs>{shared}</defs>{rest}"
    return whole.replace(' href="#', ' xlink:href="#')  # the way to refer that every reader knows


def tidy(picture: etree._Element) -> etree._Element:
    """Leave out what a picture says of its maker, and give the glyph of a space its empty path."""
    for element in picture.findall(f"{{{SVG}}}metadata"):
        picture.remove(element)
    for element in picture.iter(f"{{{SVG}}}path"):
        element.set("d", element.get("d", "M 0 0"))
    return picture


def divide_lines(code: HtmlElement) -> None:
    """Make each line of code an element, so that what does not fit goes on indented."""
    lines = [html.Element("span", {"class": "line"})]
    for kind, words in tokens(code):
        for number, words_of_line in enumerate(words.split("\n")):
            if number:
                lines.append(html.Element("span", {"class": "line"}))
            if words_of_line:
                token = etree.SubElement(lines[-1], "span", {"class": kind})
                token.text = words_of_line
    while len(lines) > 1 and not text(lines[-1]):
        lines.pop()
    for line in lines:
        words = line.text_content()
        depth = (len(words) - len(words.lstrip(" "))) // INDENT
        line.set("class", f"line line-{min(depth, 5)}")
    code[:] = lines
    code.text = None


def tokens(code: HtmlElement) -> list[tuple[str, str]]:
    """Return kinds and texts of what highlighted code consists of."""
    found = [("", code.text or "")]
    for element in code:
        inner = element.get("class", "")
        found += [(kind or inner, words) for kind, words in tokens(element)]
        found.append(("", element.tail or ""))
    return found


def adapt_table(table: HtmlElement) -> None:
    """Print a wide table small, and what is wider as a list of its rows."""
    head, *rows = table.iter("tr")
    columns = zip(*(map(text, row) for row in [head, *rows]), strict=True)
    words = [" ".join(column).split() for column in columns]
    letters = sum(max(map(len, column), default=0) for column in words)
    if letters > WIDE_TABLE:
        names = [text(cell) for cell in head]
        records = html.Element("dl", {"class": "records"})
        for first, *cells in rows:
            move(first, etree.SubElement(records, "dt"))
            for name, cell in zip(names[1:], cells, strict=True):
                fact = etree.SubElement(records, "dd")
                etree.SubElement(fact, "span", {"class": "record-name"}).text = f"{name}:"
                fact[0].tail = " "
                move(cell, fact)
        replace(table, records)
    elif letters > SMALL_TABLE:
        table.set("class", "wide")


def move(cell: HtmlElement, place: HtmlElement) -> None:
    """Move what a cell of a table holds to the end of another element, without paragraphs."""
    place.append(cell)
    for paragraph in cell.findall("p"):
        paragraph.drop_tag()
    cell.drop_tag()


def arrange_index(article: HtmlElement) -> None:
    """Give the index, which Sphinx makes, the sections of other pages, and no tables."""
    for table in article.find_class("genindextable"):
        first, *others = table.iterfind(".//td/ul")
        for entries in others:
            first.extend(entries)
        replace(table, first)
    if article.find("section") is None:
        (title, *children), article[:] = list(article), []
        section = whole = etree.SubElement(article, "section", {"id": title.attrib.pop("id")})
        section.append(title)
        for child in children:
            if child.tag == "h2":
                section = etree.SubElement(whole, "section", {"id": child.attrib.pop("id")})
            section.append(child)


def gather_answers(article: HtmlElement) -> None:
    """Put answers at the end, linked to and fro: many readers show what should be folded."""
    answers = list(article.iter("details"))
    if not answers:
        return
    (chapter,) = article.findall("section")
    section = etree.SubElement(chapter, "section", {"id": "answers"})
    etree.SubElement(section, "h2").text = "Answers"
    for number, details in enumerate(answers, start=1):
        answer, place = f"answer-{number}", f"to-answer-{number}"
        summary = details.find("summary")
        there = html.Element("p", {"class": "to-answer"})
        etree.SubElement(there, "a", {"id": place, "href": f"#{answer}"}).text = text(summary)
        block = etree.SubElement(section, "div", {"id": answer})
        title = etree.SubElement(block, "p", {"class": "rubric"})
        etree.SubElement(title, "a", {"href": f"#{place}"}).text = text(summary)
        summary.drop_tree()
        block.extend(details)
        replace(details, there)


def clean(article: HtmlElement) -> None:
    """Leave out attributes that say nothing in a book, and elements that then say nothing."""
    for comment in list(article.iter(etree.Comment)):
        comment.drop_tree()
    for element in list(article.iter()):
        if element.tag == "math" or next(element.iterancestors("math"), None) is not None:
            continue
        classes = [name for name in element.get("class", "").split() if name in STYLED]
        for name in set(element.attrib) - KEPT:
            del element.attrib[name]
        if classes:
            element.set("class", " ".join(classes))
        elif "class" in element.attrib:
            del element.attrib["class"]
        if element.tag == "span" and not element.attrib:
            element.drop_tag()


def headings(section: HtmlElement) -> list[tuple[str, str, list]]:
    """Return the id, the text and what lies below each heading of a page."""
    found = []
    for part in section.findall("section"):
        (title,) = (child for child in part if re.fullmatch("h[1-6]", child.tag))
        found.append((part.get("id"), text(title), headings(part)))
    return found
