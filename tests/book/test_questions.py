"""The page of questions: each answer is short, rests on an equation, and its lines are run."""

import doctest
import re
import warnings

import pytest

from tests.book.printed import markdown
from tools.facts import ROOT

PAGE = ROOT / "appendix" / "questions.md"
ANCHORS = [
    *("softmax-twice", "why-not-mse", "mean-or-sum", "ignore-index", "focal-loss", "nan"),
    *("pos-weight", "label-smoothing", "kl-batchmean", "dice", "infonce", "nll-or-cross-entropy"),
    *("perplexity", "quantiles-cross", "dpo-and-z-loss"),
]
"""Others link to these, so they stay what they are."""
SECTION = re.compile(
    r"^\((?P<anchor>[\w-]+)\)=\n## (?P<title>.+)\n\n(?P<answer>.+)\n\n"
    r"```python\n(?P<code>(?:.+\n)+)```\n\n(?P<links>Equations?: .+)\n",
    re.MULTILINE,
)
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def sections():
    return {match["anchor"]: match for match in SECTION.finditer(PAGE.read_text("utf8"))}


EACH = pytest.mark.parametrize("section", sections().values(), ids=sections())


def run(code):
    """Run lines after those that the page begins with; return how many did not give the same."""
    first = re.search(r"```python\n((?:>>> .+\n)+)```", PAGE.read_text("utf8"))[1]
    lines = doctest.DocTestParser().get_doctest(first + code, {}, PAGE.name, None, 0)
    assert len(lines.examples) > first.count(">>>")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "reduction: 'mean' divides")  # the answer tells of it
        said = []
        return doctest.DocTestRunner(verbose=False).run(lines, out=said.append).failed


def numbers(text):
    """Return the numbers of a text without their signs; 2.0 is 2."""
    return {number.removesuffix(".0") for number in NUMBER.findall(text.replace("_", ""))}


def test_no_anchor_is_missing_and_every_section_is_read():
    assert list(sections()) == ANCHORS
    assert PAGE.read_text("utf8").count("\n## ") == len(ANCHORS) == 15
    assert len({match["title"] for match in sections().values()}) == 15


@EACH
def test_the_lines_give_what_is_printed(section):
    assert run(section["code"]) == 0


@EACH
def test_another_number_is_noticed(section):
    *_, last = re.finditer(r"^(?!>>>|\.\.\.).*(\d)", section["code"], re.MULTILINE)
    place = last.start(1)
    digit = str((int(last[1]) + 1) % 10)
    assert run(section["code"][:place] + digit + section["code"][place + 1 :]) == 1


@EACH
def test_every_number_of_an_answer_stands_in_its_lines(section):
    said = numbers(section["title"] + " " + section["answer"])
    symbols = {"0", "1"}  # as in p (1 − p), or "label 1"
    assert said - symbols <= numbers(section["code"])


@EACH
def test_a_line_fits_beside_the_margins(section):
    assert max(map(len, section["code"].splitlines())) <= 84


@EACH
def test_an_answer_is_short(section):
    assert section["title"].endswith("?")
    sentences = re.split(r"(?<=[a-z)`$\d][.?!]) (?=[A-Z`])", section["answer"])
    assert 2 <= len(sentences) <= 4, sentences
    assert len(section["answer"].split()) <= 110


@EACH
def test_an_answer_rests_on_an_equation_and_leads_to_a_chapter(section):
    equations, _, reading = section["links"].partition(" Read: ")
    found = re.findall(r"\[([\w-]+)\]\(\.\./(chapters/\w+\.ipynb)#eq-([\w-]+)\)", equations)
    assert found
    for name, chapter, anchor in found:
        assert name == anchor
        assert rf"\tag{{{name}}}" in markdown(ROOT / chapter)
    assert "](../chapters/" in reading
