"""The page of claims: complete, linked to where each is settled, of one mind with the chapters."""

import re
from functools import cache

import nbformat
import pytest

from tools.facts import ROOT

PAGE = ROOT / "appendix" / "claims.md"
SITE = ROOT / "_build" / "html"
EXPECTED = [
    f"{letter}{i}"
    for letter, n in zip("ABCD", (5, 10, 18, 7), strict=True)
    for i in range(1, n + 1)
]
THREAD = r"\[[\w.-]+#\d+\]\(https://github\.com/[\w.-]+/[\w.-]+/(issues|pull)/\d+\)"
VERDICTS = {"holds", "slip", "false", "open", "needs care", "added"}
CLAIM = re.compile(r"^- \*\*([A-E]\d+)\*\* \((.+?)\)\. (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(\.\./(chapters/\w+)\.ipynb#([\w-]+)\)")
SHORT_TITLES = re.findall(r"^\| (\*[^|]+\*) \|", PAGE.read_text("utf8"), re.MULTILINE)

FOUND = {number: (source, text) for number, source, text in CLAIM.findall(PAGE.read_text("utf8"))}
ASKED = [number for number in FOUND if number.startswith("E")]
"""What people ask in public threads; these claims may have any numbers."""


def verdicts(text):
    """Return the verdicts among the words in italics; "slips" is one slip or more."""
    words = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", text)
    return {verdict for verdict in VERDICTS for word in words if verdict in word.lower()}


@cache
def anchors(page):
    """Return the places of a built page that can be linked to."""
    return set(re.findall(r'\bid="([^"]+)"', (SITE / f"{page}.html").read_text("utf8")))


@cache
def settled(chapter):
    """Return what a chapter's section on the sources says of each claim."""
    notebook = nbformat.read(ROOT / f"{chapter}.ipynb", as_version=4)
    prose = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    section = prose.split("## What the sources say")[1].split("\n## ")[0]
    return dict(re.findall(r"^- \*\*([A-E]\d+)\*\* (.+)$", section, re.MULTILINE))


def test_all_are_there_once_and_in_order():
    numbers = [number for number, *_ in CLAIM.findall(PAGE.read_text("utf8"))]
    assert len(EXPECTED) == 40
    assert numbers == EXPECTED + sorted(ASKED, key=lambda number: int(number[1:]))


def test_what_a_chapter_says_that_people_ask_is_on_the_page(chapter):
    said = {number for number in settled(f"chapters/{chapter.stem}") if number.startswith("E")}
    assert said <= set(ASKED)


@pytest.mark.parametrize("number", EXPECTED + ASKED)
def test_a_claim_has_a_source_a_verdict_and_a_living_link(number):
    source, text = FOUND[number]
    if number in ASKED:
        assert re.fullmatch(THREAD, source)
    else:
        assert source in {*SHORT_TITLES, "in no text"}
    assert verdicts(text)
    links = LINK.findall(text)
    assert links
    for page, anchor in links:
        assert anchor in anchors(page), f"{page}#{anchor}"


@pytest.mark.parametrize("number", EXPECTED + ASKED)
def test_the_chapter_settles_the_claim_with_the_same_verdict(number):
    _, text = FOUND[number]
    said = [settled(page).get(number, "") for page in {page for page, _ in LINK.findall(text)}]
    assert any(said), "no chapter that is linked names this claim in its section on the sources"
    for words in filter(None, said):
        assert verdicts(text) & verdicts(words) or "see " in words, words
