"""Write the index that ``_static/search.js`` searches: one entry for each section of each page.

Equations, terms of the glossary and the names of the package have entries of their own. A chapter
is found first by the terms that the glossary sends there, and by its question on the landing page.
Code, figures and tables are left out, so that what is found and shown are sentences.
The index is a script, since a page in a folder may not fetch other files.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment

from .checks import folded_check, tick
from .formulas import TAG

INDEX = "_static/search-index.js"
SYNONYMS = Path(__file__).with_name("synonyms.toml")
SILENT = (
    *(nodes.literal_block, nodes.image, nodes.table, nodes.raw, nodes.title, nodes.math_block),
    *(nodes.section, addnodes.desc, addnodes.index, addnodes.glossary, folded_check, tick),
)
"""What adds no words to the section that it stands in."""
WORDS = {"log", "exp", "max", "min"}
COMMAND = re.compile(r"\\([a-zA-Z]+) ?|\\[,;! ]|([\^_{}&\\])")


class Entry(NamedTuple):
    """One place of a page that a search can find."""

    anchor: str
    kind: str  # "section", "equation", "term", "name" (of the package) or "about" (another page)
    title: str
    text: str


def short_formula(tex: str) -> str:
    """Return a formula as plain characters, or an ellipsis if it needs more than a line."""

    def shown(match: re.Match[str]) -> str:
        name = match[1] or ""
        if name in WORDS:
            return f"{name} "
        try:
            return unicodedata.lookup(f"GREEK SMALL LETTER {name.upper()}")
        except KeyError:
            return "\0" if name or match[2] else ""

    text = COMMAND.sub(shown, tex).replace("-", "−")
    return "…" if "\0" in text else text


def words(node: nodes.Node) -> str:
    """Return the sentences of a node, without those of the sections in it."""
    if isinstance(node, nodes.Text):
        return node.astext()
    if isinstance(node, nodes.math):
        return short_formula(node.astext())
    if isinstance(node, SILENT):
        return ""
    parts: list[nodes.Node] = list(node.children)
    if node.get("nb_element") == "mime_bundle":  # the same output in several forms
        parts = [part for part in parts if part.get("mime_type") == "text/markdown"]
    between = "" if isinstance(node, nodes.TextElement) else " "
    return between.join(filter(None, map(words, parts)))


def tidy(text: str) -> str:
    """Join lines, and drop the space before a comma or a full stop."""
    return re.sub(r"\s+([,.;:?!)])", r"\1", " ".join(text.split()))


def of_section(section: nodes.section) -> Entry:
    """Return the entry of a section."""
    sentences = " ".join(map(words, section.children))
    return Entry(section["ids"][0], "section", tidy(section[0].astext()), tidy(sentences))


def entries(doctree: nodes.document) -> Iterator[Entry]:
    """Yield the entries of a page; the first is the page itself."""
    yield from map(of_section, doctree.findall(nodes.section))
    for formula in doctree.findall(nodes.math_block):
        for name in TAG.findall(formula.astext()):
            yield Entry(f"eq-{name}", "equation", name, "")
    for term in doctree.findall(nodes.term):
        if isinstance(term.parent.parent.parent, addnodes.glossary):
            name, meaning = tidy(term.astext()), tidy(words(term.parent[-1]))
            yield Entry(term["ids"][0], "term", name, meaning)
            for link in term.parent.findall(addnodes.pending_xref):
                yield Entry(link["reftarget"], "about", name, "")
    for name in doctree.findall(addnodes.desc_signature):
        if name["ids"]:
            first = next(name.parent[-1].findall(nodes.paragraph), None)
            text = tidy(words(first)) if first else ""
            yield Entry(name["ids"][0], "name", name["ids"][0].rpartition(".")[2], text)


def questions(landing: nodes.document) -> Iterator[Entry]:
    """Yield what the landing page says about each chapter."""
    for item in landing.findall(nodes.list_item):
        link = next(item.findall(addnodes.pending_xref), None)
        if link and link["reftarget"].startswith("chapters/"):
            yield Entry(link["reftarget"], "about", tidy(words(item)), "")


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Keep the entries of a page that was read."""
    page = app.env.docname
    found = list(entries(doctree))
    if page == app.config.root_doc:
        found += questions(doctree)
    kept(app.env)[page] = found


def kept(env: BuildEnvironment) -> dict[str, list[Entry]]:
    """Return the entries of all pages that were read, now or in an earlier build."""
    found: dict[str, list[Entry]] = vars(env).setdefault("search_entries", {})
    return found


def forget(app: Sphinx, env: BuildEnvironment, page: str) -> None:
    """Drop the entries of a page that is gone or changed."""
    kept(env).pop(page, None)


def merge(app: Sphinx, env: BuildEnvironment, pages: set[str], other: BuildEnvironment) -> None:
    """Take over the entries of pages that another process read."""
    kept(env).update({page: kept(other)[page] for page in pages if page in kept(other)})


def write_index(app: Sphinx, error: Exception | None) -> None:
    """Write the index of all pages."""
    if error or app.builder.name != "html":
        return
    pages = [[page, *of_page] for page, of_page in sorted(kept(app.env).items()) if of_page]
    same = tomllib.loads(SYNONYMS.read_text("utf8"))["same"]
    data = {"pages": pages, "same": same}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    (Path(app.outdir) / INDEX).write_text(f"globalThis.searchIndex = {text};\n", "utf8")


def switch_off_sphinx_search(app: Sphinx) -> None:
    """Let Sphinx make no index of its own."""
    if isinstance(app.builder, StandaloneHTMLBuilder):
        app.builder.search = False


def setup(app: Sphinx) -> None:
    """Register what collects the entries and what writes them."""
    app.connect("builder-inited", switch_off_sphinx_search)
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("build-finished", write_index)
