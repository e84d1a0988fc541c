"""The bibliography and the chapters name the same works."""

import re

import nbformat
import pytest

from tools.facts import ROOT

ENTRY = re.compile(r"@\w+\{(\w+),(.*?)\n\}", re.DOTALL)
TITLE = re.compile(r"^- [^\n]*?(?:\*([^*]+)\*|\"([^\"]+)\"|\[([^]*]+)\]\()", re.MULTILINE)


def plain(title):
    """Drop what spelling leaves free: case, braces, a comma within the quotation marks."""
    return re.sub(r"[{}\"*,]", "", title).lower().strip()


def field(name, entry):
    return re.search(rf"\b{name} = \{{(.*)\}}", entry)[1]


ENTRIES = dict(ENTRY.findall((ROOT / "appendix" / "sources.bib").read_text("utf8")))
TITLES = {plain(field("title", entry)) for entry in ENTRIES.values()}


def recommended(chapter):
    """Return the titles under "Where to read more"."""
    notebook = nbformat.read(chapter, as_version=4)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    section = prose.split("## Where to read more")[1]
    titles = ("".join(found) for found in TITLE.findall(section))
    return {plain(title) for title in titles} - {"glossary"}  # the course's own pages


def test_what_a_chapter_recommends_is_in_the_bibliography(chapter):
    found = recommended(chapter)
    assert len(found) >= 2
    assert found <= TITLES, found - TITLES


@pytest.mark.parametrize("key", ENTRIES)
def test_what_is_in_the_bibliography_is_named_somewhere(key):
    files = [*(ROOT / "chapters").glob("*.ipynb"), *(ROOT / "lossutils").rglob("*.py")]
    text = " ".join(path.read_text("utf8") for path in files)
    surname = field("author", ENTRIES[key]).split(",")[0]
    assert surname.replace('{\\"u}', "ü") in text
    title = plain(field("title", ENTRIES[key]))
    year = re.search(r"year = \{(\d+)\}", ENTRIES[key])[1]
    assert title in plain(" ".join(text.split())) or year in text
