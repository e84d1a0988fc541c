"""The formulas that are printed are true: each is read as it stands, and evaluated.

`python -m tests.book.printed` shows the same, with all formulas of a page at once.
"""

import zlib
from collections import Counter

import pytest

from tests.book import misprints, printed
from tests.book.printed import AGREES, DOCSTRING, PAGES, REPEATS, TAGGED, UNREAD

EACH_PAGE = pytest.mark.parametrize("page", PAGES)
TRIED = 15
"""Of the misprints one in so many is planted here; `make misprints` plants all."""


@EACH_PAGE
def test_every_formula_is_read_and_true_or_listed_with_a_reason(page):
    faults = [outcome.fault for outcome in printed.outcomes(page) if outcome.fault]
    assert not faults, "\n".join(faults)


@EACH_PAGE
def test_nothing_is_declared_for_a_formula_that_is_gone(page):
    assert not printed.stale(page)


@EACH_PAGE
def test_every_docstring_of_a_loss_is_read(page):
    found = [o for o in printed.outcomes(page) if o.formula.kind == DOCSTRING]
    assert {o.formula.name for o in found} >= {thing.__name__ for thing in printed.documented(page)}
    assert all(o.kind in (AGREES, REPEATS) for o in found)


def test_few_equations_with_a_name_are_left_to_the_eye():
    found = [o for page in PAGES for o in printed.outcomes(page) if o.formula.kind == TAGGED]
    kinds = Counter(outcome.kind for outcome in found)
    assert set(kinds) <= {AGREES, UNREAD}
    assert kinds[UNREAD] <= 12
    assert kinds[AGREES] >= 170


def test_every_page_is_examined():
    assert set(PAGES) >= {p.stem for p in (printed.ROOT / "chapters").glob("*.ipynb")}
    assert all(len(printed.formulas(page)) >= 10 for page in printed.CHAPTERS)


def test_the_appendix_shows_what_is_read():
    assert printed.report() in printed.PAGE.read_text("utf8"), "run: make formulas"


def tried(misprint):
    return zlib.crc32(str(misprint).encode()) % TRIED == 0


@EACH_PAGE
def test_misprints_are_found_or_listed(page):
    listed = misprints.listed()
    judged = [r for f in misprints.checked_formulas(page) for r in misprints.judge(f, tried)]
    assert judged
    survivors = {str(misprint) for misprint, survived in judged if survived}
    assert survivors == {str(misprint) for misprint, _ in judged if str(misprint) in listed}


def test_the_list_of_survivors_names_misprints_of_today():
    today = {
        str(misprint)
        for page in PAGES
        for formula in misprints.checked_formulas(page)
        for misprint in misprints.misprints(formula)
    }
    listed = misprints.listed()
    assert not [line for line in listed if line not in today], "run: make misprints"
    missed = [line for line, reason in listed.items() if not misprints.is_true(reason)]
    assert len(missed) < 0.01 * len(today)
    assert all(len(reason.split()) > 4 for reason in listed.values())


def test_a_fault_names_the_chapter_the_equation_and_the_place():
    tex = r"\sigma'(z) = \sigma(z)\,(1 - \oops(z)) \tag{sigmoid-grad}"
    (formula,) = printed.formulas_in("bce", f"$${tex}$$")
    fault = printed.examine(formula).fault
    assert fault.startswith("bce, tagged sigmoid-grad: found \\oops, expected: ")
    text, mark = fault.splitlines()[1:]
    assert text[mark.index("^") :].startswith(r"\oops")


@pytest.mark.parametrize(
    ("tex", "kind"),
    [
        (r"\sigma(-z) = 1 - \sigma(z)", REPEATS),
        (r"z = 40", printed.VALUE),
        (r"y \in \{-1, +1\}", printed.VALUE),
        (r"i \ne j", printed.VALUE),
        (r"\sigma(-z) = \sigma(z) - 1", UNREAD),
        (r"\log 4 = 2 \log 2", AGREES),
    ],
)
def test_a_formula_in_a_sentence_is_examined(tex, kind):
    (formula,) = printed.formulas_in("bce", f"as in ${tex}$, and so on")
    assert printed.examine(formula).kind == kind


def test_code_and_dollars_in_it_are_not_formulas():
    text = "`$a = b$` costs \\$3, and\n```python\nx = '$c = d$'\n```\nbut $e = f$ is one"
    assert [formula.tex for formula in printed.formulas_in("bce", text)] == ["e = f"]
