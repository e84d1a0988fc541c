"""Bind the built site into one PDF: a cover, contents, every page of the book, and the index.

``pdf.js`` puts the pages together into one document, ``pdf.css`` lays it out, and Chromium prints
it. It prints twice, since the page numbers of the contents are only known after the first time. Run
it with ``make pdf``.
"""

from __future__ import annotations

import argparse
import html
import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import matplotlib as mpl
import pikepdf
import yaml
from playwright.sync_api import Browser, Page, sync_playwright

from tools.facts import NAME, ROOT, SITE
from tools.files import draft_of
from tools.site.browser import BROWSER, FLAGS
from tools.site.server import serving

TARGET = ROOT / "_build" / "pdf" / f"{NAME}.pdf"
FONTS = Path(mpl.get_data_path(), "fonts", "ttf")
TEXT_WIDTH = 620  # pixels: A4 without the margins in pdf.css
RIGHTS = "Text and figures: CC BY 4.0. Code: BSD-3-Clause."
Part = dict[str, Any]


def read_yaml(name: str) -> Any:
    """Return the content of a YAML file of the repository."""
    return yaml.safe_load((ROOT / name).read_text("utf8"))


def read_parts(only: list[str] | None = None) -> list[Part]:
    """Return the book's parts with captions and pages, in order; `only` limits the pages."""
    toc = read_yaml("_toc.yml")
    parts: list[Part] = [{"caption": "", "pages": [toc["root"]]}]
    for part in toc["parts"]:
        pages = [entry["file"] for entry in part["chapters"]]
        parts.append({"caption": part["caption"], "pages": pages})
    for part in parts:
        part["pages"] = [page for page in part["pages"] if not only or page in only]
    return [part for part in parts if part["pages"]]


def cover(citation: dict[str, Any], config: dict[str, Any], provenance: str) -> str:
    """Return the HTML of the first page."""
    title, _, subtitle = map(str.strip, citation["title"].partition(":"))
    authors, address = author_names(citation), config["html"]["baseurl"]
    text = html.escape
    return f"""
    <section class="book-cover">
      <img src="/_static/favicon.svg" alt="">
      <h1>{text(title)}</h1>
      <p class="subtitle">{text(subtitle.capitalize())}</p>
      <p>{text(citation["abstract"])}</p>
      <div class="colophon">
        <p>{text(", ".join(authors))}</p>
        <p>{text(provenance)}</p>
        <p>The same on the web, with sliders: <a href="{text(address)}">{text(address)}</a></p>
        <p>{RIGHTS} © {text(config["copyright"])}</p>
      </div>
    </section>"""


def author_names(citation: dict[str, Any]) -> list[str]:
    """Return the authors, who in CITATION.cff are persons or groups."""
    return [
        author.get("name") or f"{author['given-names']} {author['family-names']}"
        for author in citation["authors"]
    ]


def open_book(browser: Browser, address: str, parts: list[Part]) -> Page:
    """Open a tab that shows all pages as one document, ready to print."""
    tab = browser.new_page(color_scheme="light", viewport={"width": TEXT_WIDTH, "height": 900})
    tab.route(
        "**/fonts/*.ttf", lambda route: route.fulfill(path=FONTS / Path(route.request.url).name)
    )
    tab.emulate_media(media="print")
    tab.goto(f"{address}/{parts[0]['pages'][0]}.html")
    found = tab.locator(".provenance")
    provenance = " ".join(found.inner_text().split()) if found.count() else ""
    tab.add_style_tag(path=Path(__file__).with_name("pdf.css"))
    tab.add_script_tag(path=Path(__file__).with_name("pdf.js"))
    first = cover(read_yaml("CITATION.cff"), read_yaml("_config.yml"), provenance)
    tab.evaluate("(book) => bind(book)", {"parts": parts, "cover": first})
    # or Chromium would shrink every page until the widest line fits
    if wide := tab.evaluate("(width) => widerThan(width)", TEXT_WIDTH):
        raise SystemExit(f"Wider than the paper; change tools/book/pdf.css so that it fits: {wide}")
    return tab


def print_tab(tab: Page, *, final: bool) -> pikepdf.Pdf:
    """Print a tab; only the final print has tags for screen readers, which double the time."""
    content = tab.pdf(prefer_css_page_size=True, print_background=True, tagged=final, outline=final)
    return pikepdf.open(io.BytesIO(content))


def page_numbers(pdf: pikepdf.Pdf) -> dict[str, int]:
    """Return the page, from 1, of each place in the PDF that a link leads to."""
    numbers = {page.obj.objgen: number for number, page in enumerate(pdf.pages, start=1)}
    return {unquote(name[1:]): numbers[target[0].objgen] for name, target in pdf.Root.Dests.items()}


def rename_entries(entries: list[pikepdf.OutlineItem], titles: Iterator[str]) -> None:
    """Rename an outline's entries in order: Chromium repeats a title that begins a page."""
    for entry in entries:
        entry.title = next(titles)
        entry.is_closed = True
        rename_entries(entry.children, titles)


def arrange_outline(pdf: pikepdf.Pdf, titles: list[str], parts: list[Part]) -> None:
    """Rename the outline's entries, and put the chapters of a part under its caption."""
    with pdf.open_outline() as outline:
        rename_entries(outline.root, iter(titles))
        outline.root[0].title = "Cover"
        chapters = outline.root[2:]  # after the cover and the contents
        del outline.root[2:]
        for part in parts:
            own, chapters = chapters[: len(part["pages"])], chapters[len(part["pages"]) :]
            if part["caption"]:
                caption = pikepdf.OutlineItem(part["caption"], own[0].destination)
                caption.children.extend(own)
                own = [caption]
            outline.root.extend(own)


def write_metadata(pdf: pikepdf.Pdf, citation: dict[str, Any], language: str) -> None:
    """Write title, authors and rights into the file; let viewers show its title and outline."""
    with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
        metadata["dc:title"] = citation["title"]
        metadata["dc:creator"] = author_names(citation)
        metadata["dc:description"] = citation["abstract"]
        metadata["dc:language"] = {language}
        metadata["dc:rights"] = RIGHTS
        metadata["pdf:Keywords"] = ", ".join(citation["keywords"])
    pdf.Root.PageMode = pikepdf.Name.UseOutlines
    pdf.Root.ViewerPreferences.DisplayDocTitle = True


def save(pdf: pikepdf.Pdf, target: Path) -> None:
    """Write a file completely or not at all."""
    with draft_of(target) as draft:
        pdf.save(draft, object_stream_mode=pikepdf.ObjectStreamMode.generate, linearize=True)


def make_book(
    browser: Browser,
    address: str,
    target: Path,
    only: list[str] | None = None,
    report: Callable[[str], object] = lambda _: None,
) -> int:
    """Write the book to `target`; return its number of pages. `report` is told of each step."""
    parts = read_parts(only)
    report("Putting the pages of the site together ...")
    tab = open_book(browser, address, parts)
    report("Printing once, to find the page numbers ...")
    tab.evaluate("(numbers) => fillIn(numbers)", page_numbers(print_tab(tab, final=False)))
    report("Printing with numbers, outline and tags ...")
    pdf = print_tab(tab, final=True)
    arrange_outline(pdf, tab.evaluate("headings()"), parts)
    tab.close()
    write_metadata(
        pdf, read_yaml("CITATION.cff"), read_yaml("_config.yml")["sphinx"]["config"]["language"]
    )
    save(pdf, target)
    return len(pdf.pages)


def main() -> None:
    """Bind the book."""
    parser = argparse.ArgumentParser(description="Bind the built site into one PDF.")
    parser.add_argument("pages", nargs="*", help="only these, as chapters/mse (default: all)")
    parser.add_argument("--output", type=Path, default=TARGET, help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.output.is_dir():
        parser.error(f"{arguments.output} is a folder; give the name of a file in it")
    if not (SITE / "index.html").exists():
        parser.error("the site is not built; run: make book")
    if BROWSER is None:
        parser.error("no Chromium or Chrome was found, which prints the book; install one of them")
    known = [page for part in read_parts() for page in part["pages"]]
    for page in arguments.pages:
        if page not in known:
            parser.error(f"{page} is not a page of the book; its pages are {', '.join(known)}")
    try:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"{arguments.output} cannot be written: {error}")
    with serving() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        count = make_book(
            browser, address, arguments.output, arguments.pages, partial(print, flush=True)
        )
        browser.close()
    size = arguments.output.stat().st_size / 1e6
    print(f"{arguments.output}: {count} pages, {size:.1f} MB")


if __name__ == "__main__":
    main()
