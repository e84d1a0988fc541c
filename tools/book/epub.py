"""Bind the built site into one EPUB 3, for readers of books: cover, contents, every page.

The pages come from ``epub_page.py``, which reduces those of the site; ``epub.css`` lays them out.
Two runs over one site write the same bytes. Run it with ``make epub``; to check what it writes as
shops do: ``java -jar /usr/share/java/epubcheck.jar FILE`` (Debian's package ``epubcheck``).
"""

from __future__ import annotations

import argparse
import html
import io
import os
import re
import textwrap
import zipfile
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import resvg_py
from fontTools import subset
from lxml import etree
from lxml.html import fragment_fromstring
from tqdm import tqdm

from _ext.social_cards import BLUE, FONTS, GREY, LANDING_FIGURE
from tools.book.epub_page import STYLES, Page, clean
from tools.book.pdf import RIGHTS, Part, cover, names, read, read_parts
from tools.facts import NAME, ROOT, SITE
from tools.site.fork import git

TARGET = ROOT / "_build" / "epub" / f"{NAME}.epub"
COVER = (1200, 1800)
ROOT_SIGN = "√"  # drawn where MathML has an element
# found without an import, which would warn
MATH_FONT = Path(find_spec("ziamath").origin).with_name("fonts") / "STIXTwoMath-Regular.ttf"
CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
  <rootfiles>
    <rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/>
  </rootfiles>
</container>
"""
ACCESSIBILITY = {
    "accessMode": ("textual", "visual"),
    "accessModeSufficient": ("textual", "textual,visual"),
    "accessibilityFeature": (
        "MathML",
        "alternativeText",
        "displayTransformability",
        "readingOrder",
        "structuralNavigation",
        "tableOfContents",
    ),
    "accessibilityHazard": ("none",),
    "accessibilitySummary": (
        "Formulas are MathML. Figures have alternative text. Of each slider on the site there are "
        "three pictures, each with the sentence that says what it shows.",
    ),
}
TYPES = {
    ".xhtml": "application/xhtml+xml",
    ".css": "text/css",
    ".png": "image/png",
    ".ttf": "font/ttf",
    ".svg": "image/svg+xml",
}
Files = dict[str, bytes]


def document(title: str, body: str, language: str, up: str = "") -> bytes:
    """Return a page of the book; `up` leads from it to the folder of the style sheet."""
    return f"""<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
      lang="{language}" xml:lang="{language}">
<head>
<title>{html.escape(title)}</title>
<link rel="stylesheet" type="text/css" href="{up}epub.css"/>
</head>
<body>
{body}
</body>
</html>
""".encode()


def contents(parts: list[Part], pages: dict[str, Page]) -> str:
    """Return the navigation: parts, pages and the headings within them."""

    def listed(headings: list, file: str) -> str:
        items = "".join(
            f'<li><a href="{file}#{place}">{html.escape(title)}</a>{listed(below, file)}</li>\n'
            for place, title, below in headings
        )
        return f"\n<ol>\n{items}</ol>\n" if items else ""

    entries = ""
    for part in parts:
        found = "".join(
            f'<li><a href="{name}.xhtml">{html.escape(pages[name].title)}</a>'
            f"{listed(pages[name].headings[0][2], f'{name}.xhtml')}</li>\n"
            for name in part["pages"]
        )
        caption = html.escape(part["caption"])
        entries += f"<li><span>{caption}</span>\n<ol>\n{found}</ol>\n</li>\n" if caption else found
    start = f"{parts[0]['pages'][0]}.xhtml"
    return f"""<nav epub:type="toc" id="toc" role="doc-toc">
<h1>Contents</h1>
<ol>
{entries}</ol>
</nav>
<nav epub:type="landmarks" hidden="hidden">
<h2>Places</h2>
<ol>
<li><a epub:type="cover" href="cover.xhtml">Cover</a></li>
<li><a epub:type="toc" href="contents.xhtml">Contents</a></li>
<li><a epub:type="bodymatter" href="{start}">Beginning</a></li>
</ol>
</nav>"""


def draw_cover(citation: dict, figure: bytes) -> bytes:
    """Return the cover, which libraries want as a bitmap: the title over a figure."""
    width, height = COVER
    title, _, subtitle = map(str.strip, citation["title"].partition(":"))
    words = [(line, 104, "bold", BLUE) for line in textwrap.wrap(title, 16)]
    words += [(line, 56, "normal", GREY) for line in textwrap.wrap(subtitle.capitalize(), 34)]
    lines, y = "", 150
    for line, size, weight, colour in words:
        y += size * 1.35
        lines += (
            f'<text x="100" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}">'
            f"{html.escape(line)}</text>"
        )
    authors = html.escape(", ".join(names(citation)))
    top = y + 90
    # the size of the figure itself gives way to that of the room
    head, _, rest = re.sub(r"^.*?<svg\b", "<svg", figure.decode(), flags=re.DOTALL).partition(">")
    head = re.sub(r'\s(width|height|x|y)="[^"]*"', "", head)
    picture = f'{head} x="100" y="{top}" width="{width - 200}" height="{height - top - 190}">{rest}'
    svg = f"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
     width="{width}" height="{height}">
  <rect width="{width}" height="{height}" fill="white"/>
  <rect width="{width}" height="40" fill="{BLUE}"/>
  <g font-family="DejaVu Serif">{lines}</g>
  {picture}
  <text x="100" y="{height - 90}" font-family="DejaVu Sans" font-size="34" fill="{GREY}">{authors}
  </text>
</svg>"""
    drawn = resvg_py.svg_to_bytes(
        svg_string=svg, skip_system_fonts=True, font_dirs=[str(FONTS)], font_family="DejaVu Sans"
    )
    return bytes(drawn)


def cut_font(characters: set[str]) -> bytes:
    """Return a font for formulas, since many readers have none, cut to what the book needs."""
    options = subset.Options(layout_features=["*"], name_IDs=["*"])
    with MATH_FONT.open("rb") as file:
        font = subset.load_font(file, options)
        cutter = subset.Subsetter(options)
        cutter.populate(text="".join(characters | {ROOT_SIGN}))
        cutter.subset(font)
        cut = io.BytesIO()
        subset.save_font(font, cut, options)
    return cut.getvalue()


def title_page(citation: dict, config: dict, provenance: str) -> str:
    """Return the first page of the PDF as this book has it."""
    page = fragment_fromstring(cover(citation, config, provenance))
    for image in page.findall("img"):
        image.drop_tree()
    clean(page)
    return etree.tostring(page, encoding="unicode", with_tail=False)


def modified(site: Path) -> datetime:
    """When the book was last changed: by SOURCE_DATE_EPOCH, the last commit, or the site's age."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return datetime.fromtimestamp(int(given), UTC)
    if (ROOT / ".git").exists():
        return datetime.fromtimestamp(int(git("log", "-1", "--format=%ct", root=ROOT)), UTC)
    return datetime.fromtimestamp(int((site / "index.html").stat().st_mtime), UTC)


def package(files: Files, spine: list[str], citation: dict, config: dict, when: datetime) -> str:
    """Return the list of all that is in the book, with what it is."""
    language, address = config["sphinx"]["config"]["language"], config["html"]["baseurl"]
    text = html.escape
    about = [
        f'<dc:identifier id="book">urn:uuid:{uuid5(NAMESPACE_URL, address)}</dc:identifier>',
        f"<dc:title>{text(citation['title'])}</dc:title>",
        *(f"<dc:creator>{text(name)}</dc:creator>" for name in names(citation)),
        f"<dc:language>{language}</dc:language>",
        f"<dc:description>{text(citation['abstract'])}</dc:description>",
        *(f"<dc:subject>{text(word)}</dc:subject>" for word in citation["keywords"]),
        f"<dc:rights>{text(RIGHTS)}</dc:rights>",
        f"<dc:source>{text(address)}</dc:source>",
        f'<meta property="dcterms:modified">{when:%Y-%m-%dT%H:%M:%SZ}</meta>',
        *(
            f'<meta property="schema:{key}">{text(value)}</meta>'
            for key, values in ACCESSIBILITY.items()
            for value in values
        ),
    ]
    special = {"contents.xhtml": "nav", "cover.png": "cover-image"}
    items, identifiers = [], {}
    for name, content in files.items():
        identifiers[name] = "file-" + re.sub(r"[^\w.-]", "-", name)
        kind = TYPES[Path(name).suffix]
        used = [special[name]] if name in special else []
        used += ["mathml"] if name.endswith(".xhtml") and b"<math" in content else []
        properties = f' properties="{" ".join(used)}"' if used else ""
        items.append(
            f'<item id="{identifiers[name]}" href="{name}" media-type="{kind}"{properties}/>'
        )
    order = [f'<itemref idref="{identifiers[name]}"/>' for name in spine]
    metadata, manifest, pages = map("\n".join, (about, items, order))
    return f"""<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book"
         xml:lang="{language}">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
{metadata}
</metadata>
<manifest>
{manifest}
</manifest>
<spine>
{pages}
</spine>
</package>
"""


def bind(site: Path) -> tuple[Files, list[str]]:
    """Return the files of the book by their names, and its pages in order."""
    citation, config = read("CITATION.cff"), read("_config.yml")
    language, published = config["sphinx"]["config"]["language"], config["html"]["baseurl"]
    parts = read_parts()
    order = [name for part in parts for name in part["pages"]]
    pages = {name: Page(site, name, order, published) for name in tqdm(order, "Pages")}
    figure = next(iter(pages[LANDING_FIGURE].pictures.values()))
    files = {
        "epub.css": STYLES.read_bytes(),
        "math.ttf": cut_font({sign for page in pages.values() for sign in page.to_xml()}),
        "cover.png": draw_cover(citation, figure),
        "cover.xhtml": document(
            "Cover",
            f'<p class="whole"><img src="cover.png" alt="{html.escape(citation["title"])}"/></p>',
            language,
        ),
        "title.xhtml": document(
            citation["title"], title_page(citation, config, pages[order[0]].provenance), language
        ),
        "contents.xhtml": document("Contents", contents(parts, pages), language),
    }
    spine = ["cover.xhtml", "title.xhtml", "contents.xhtml"]
    for name, page in pages.items():
        spine.append(f"{name}.xhtml")
        files[spine[-1]] = document(page.title, page.to_xml(), language, "../" * name.count("/"))
        files |= page.pictures
    return files, spine


def pack(site: Path, target: Path) -> int:
    """Write the book to `target`, whole or not at all; return its number of chapters."""
    files, spine = bind(site)
    listed = package(files, spine, read("CITATION.cff"), read("_config.yml"), modified(site))
    entries = {"META-INF/container.xml": CONTAINER.encode(), "EPUB/package.opf": listed.encode()}
    entries |= {f"EPUB/{name}": content for name, content in files.items()}
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        # first, and stored, so that the file's first bytes say what it is
        archive.writestr(zipfile.ZipInfo("mimetype"), "application/epub+zip")
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)  # dated 1980, on every machine alike
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    part.replace(target)
    return sum(name.startswith("chapters/") for name in spine)


def main() -> None:
    """Bind the book."""
    parser = argparse.ArgumentParser(description="Bind the built site into one EPUB.")
    parser.add_argument("--output", type=Path, default=TARGET, help="default: %(default)s")
    arguments = parser.parse_args()
    if not (SITE / "index.html").exists():
        parser.error("the site is not built; run: make book")
    count = pack(SITE, arguments.output)
    size = arguments.output.stat().st_size / 1e6
    print(f"{arguments.output}: {count} chapters, {size:.1f} MB")


if __name__ == "__main__":
    main()
