"""Make slides of each chapter, one file each that opens anywhere without a network.

nbconvert's exporter for Reveal.js does the work, with our own template (``deck/``), which puts
scripts, styles and fonts into the file, and with formulas typeset in advance as on the site. The
notebooks contain nothing about slides; these rules decide:

- a section is a group of slides, and a subsection begins a slide;
- a Predict box has its own slide, so that a class can answer before it sees more;
- a figure or an explorer is shown with the paragraphs before it, without the code that drew it;
- code without output and answers to exercises are left out;
- everything else follows in order, and in the browser ``deck.js`` divides slides that are too full.

Run it with ``make slides``.
"""

from __future__ import annotations

import argparse
import base64
import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from jinja2 import pass_context
from nbconvert.exporters import SlidesExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from traitlets.config import Config

from _ext.formulas import STYLE, VENDOR, typeset
from tools.facts import ROOT, published

DECK = Path(__file__).parent / "deck"
OUT = ROOT / "_build" / "slides"

WORD_JOINER = "\N{WORD JOINER}"  # so that no line begins with the comma after a formula
SENTENCE = re.compile(r"[.!?)”\"*]$")
"""The end of a paragraph that does not announce the next block."""
DETAILS = re.compile(r"<details>.*?</details>", re.DOTALL)
ITEM = re.compile(r"(?m)^(?=(?:-|\d+\.) )")
FOR_THE_NOTEBOOK = "Where a cell follows, replace `None`"  # the slides do not have those cells
SHORT = 160
"""Length in characters below which a paragraph only announces the code below it."""
SHORT_FORMULA = 15
INTRODUCTION = 350
"""Length in characters of the text next to a figure, which leaves space for its description."""


@dataclass
class Slide:
    """The cells of a slide, and its layout."""

    cells: list[NotebookNode] = field(default_factory=list)
    look: str = ""
    begins_section: bool = False
    topic: str = ""

    @property
    def only_headings(self) -> bool:
        """Whether the slide has no content yet apart from headings."""
        return all(cell.metadata.kind == "heading" for cell in self.cells)


def with_output(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Leave out code without output, and the sentence that announces it."""
    kept: list[NotebookNode] = []
    for cell in cells:
        if cell.cell_type == "markdown" or (cell.outputs and "remove-cell" not in tags(cell)):
            kept.append(cell)
        elif kept and len(kept[-1].source) < SHORT and kind(kept[-1].source) == "text":
            kept.pop()
    return kept


def tags(cell: NotebookNode) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", []))


def blocks(cell: NotebookNode) -> list[NotebookNode]:
    """Divide a cell into blocks that may be on different slides: paragraphs, items, outputs."""
    if cell.cell_type != "code":
        parts = re.split(r"\n\s*\n", DETAILS.sub("", cell.source).strip())
        parts = [piece for part in parts for piece in ITEM.split(part) if piece.strip()]
        return [new_markdown_cell(part, metadata={"kind": kind(part)}) for part in parts]
    data = [output.get("data", {}) for output in cell.outputs]
    if "check_equal" not in cell.source and all("text/markdown" in output for output in data):
        return blocks(new_markdown_cell("\n\n".join(output["text/markdown"] for output in data)))
    figure = any({"text/html", "image/svg+xml"} & set(output) for output in data)
    cell.metadata.kind = "figure" if figure else "code"
    hidden = figure or {"remove-input", "hide-input"} & tags(cell)
    cell.metadata.transient = {"remove_source": bool(hidden)}
    return [cell]


def kind(source: str) -> str:
    """Return the kind of a block of Markdown."""
    for name, beginning in {"heading": "#", "predict": "> **Predict", "formula": "$$"}.items():
        if source.startswith(beginning):
            return name
    return "table" if source.startswith("|") else "text"


def slides(notebook: NotebookNode) -> list[Slide]:
    """Arrange the blocks of a chapter on slides."""
    found: list[Slide] = []
    section = ""

    def begin(**how) -> Slide:
        found.append(Slide(topic=section, **how))
        return found[-1]

    for block in (block for cell in with_output(notebook.cells) for block in blocks(cell)):
        name, slide = block.metadata.kind, found[-1] if found else begin()
        in_exercises = section == "Exercises"
        if block.source.startswith(FOR_THE_NOTEBOOK) or (
            in_exercises and block.cell_type == "code"
        ):
            continue
        if name == "heading":
            marks, _, text = block.source.partition(" ")
            if len(marks) < 3:
                section = text
                slide = begin(begins_section=True)
            elif slide.look or not slide.only_headings:
                slide = begin()
        elif name == "predict":
            slide = slide if slide.only_headings else begin()
            slide.look = "predict"
        elif name == "figure":
            slide = slide_for_figure(slide, begin)
        elif slide.look == "predict":
            slide = begin()
        elif slide.look == "with-figure" and name != "text":
            last = slide.cells[-1]
            announces = last.metadata.kind == "text" and not SENTENCE.search(last.source)
            slide = begin(cells=[slide.cells.pop()] if announces else [])
        slide.cells.append(block)
    return [slide for slide in found if slide.cells]


def slide_for_figure(slide: Slide, begin) -> Slide:
    """Return the slide for a figure, with the paragraphs that introduce the figure moved to it."""
    intro: list[NotebookNode] = []
    while slide.look != "predict" and slide.cells and slide.cells[-1].metadata.kind == "text":
        if intro and sum(len(cell.source) for cell in [slide.cells[-1], *intro]) > INTRODUCTION:
            break
        intro.insert(0, slide.cells.pop())
    if slide.look or not slide.only_headings:
        slide = begin()
    slide.look = "with-figure"
    slide.cells += intro
    return slide


def deck(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook whose metadata tell nbconvert where each slide begins."""
    cells = []
    for slide in slides(notebook):
        first = slide.cells[0]
        first.metadata.slideshow = {"slide_type": "slide" if slide.begins_section else "subslide"}
        first.metadata.look = slide.look
        first.metadata.topic = "" if first.metadata.kind == "heading" else slide.topic
        cells += slide.cells
    return new_notebook(cells=cells)


class Renderer(IPythonRenderer):
    """Markdown with formulas typeset, and with links that lead to the site."""

    def inline_math(self, body: str) -> str:
        """Typeset a formula within a line; a short one is not broken."""
        short = ' class="short"' if len(body) <= SHORT_FORMULA else ""
        return f"<span{short}>{typeset(body, False)}</span>{WORD_JOINER}"

    def block_math(self, body: str) -> str:
        """Typeset a formula on a line of its own."""
        return typeset(body, True)

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Write a link."""
        return super().link(text, on_site(url, self.path), title)


def on_site(url: str, page: str) -> str:
    """Return the address on the site for a relative link of a chapter."""
    if ":" in url:
        return url
    file, mark, anchor = url.partition("#")
    path = re.sub(r"\.(ipynb|md)$", ".html", file) or page
    path = path.removeprefix("../") if path.startswith("../") else f"chapters/{path}"
    return f"{published()}{path}{mark}{anchor}"


class Exporter(SlidesExporter):
    """nbconvert's exporter with our template, which puts everything into one file."""

    @pass_context
    def markdown2html(self, context, source: str) -> str:
        """Render Markdown: overrides nbconvert's filter for templates."""
        page = f"{context['resources']['deck']['name']}.html"
        renderer = Renderer(escape=False, path=page, exclude_anchor_links=True)
        return MarkdownWithMath(renderer=renderer).render(source)

    def _init_resources(self, resources):
        """Give the template the scripts and styles: overrides a method that nbconvert calls."""
        resources = super()._init_resources(resources)
        script, style = (DECK / "vendor" / f"reveal.{end}" for end in ("js", "css"))
        explorers = ROOT / "_static" / "explore.js"
        resources["deck"] = resources.get("deck", {}) | {
            "reveal": script.read_text("utf8"),
            "scripts": explorers.read_text("utf8") + (DECK / "deck.js").read_text("utf8"),
            "styles": style.read_text("utf8")
            + formula_styles()
            + (DECK / "deck.css").read_text("utf8"),
        }
        return resources


def formula_styles() -> str:
    """Return the style sheet of the formulas, with its fonts included."""
    style = VENDOR / STYLE

    def data(match: re.Match) -> str:
        font = base64.b64encode((style.parent / match[1]).read_bytes()).decode()
        return f"url(data:font/woff2;base64,{font})"

    return re.sub(r"url\((fonts/[^)]+\.woff2)\)", data, style.read_text("utf8"))


def convert(chapter: Path, out: Path = OUT) -> Path:
    """Write the slides of a chapter, and return their file."""
    notebook = nbformat.read(chapter, as_version=4)
    title = re.search(r"^# (.*)", "\n".join(cell.source for cell in notebook.cells), re.M)[1]
    config = Config(CSSHTMLHeaderPreprocessor={"style": "friendly"})
    info = {"deck": {"name": chapter.stem, "title": title}}
    exporter = Exporter(
        config=config, template_name=DECK.name, extra_template_basedirs=[str(DECK.parent)]
    )
    html, _ = exporter.from_notebook_node(deck(notebook), resources=info)
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"{chapter.stem}.slides.html"
    file.write_text(html, "utf8")
    return file


def main() -> None:
    """Convert the chapters that the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="a name such as bce")
    every = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))
    for name in parser.parse_args().chapters or every:
        if name not in every:
            parser.error(f"there is no chapter {name!r}; there are: {', '.join(every)}")
        print(convert(ROOT / "chapters" / f"{name}.ipynb").relative_to(ROOT))


if __name__ == "__main__":
    main()
