"""Find the formulas that the book prints, and say of each what became of it.

A page of the book is a chapter with its assignment and the docstrings of its losses; they share the
meanings of `tests/book/meanings/<chapter>.py`. The appendix on notation is one, too.
"""

import inspect
import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from lossutils import losses
from lossutils.linear import linear_value_and_grad
from tests.book.formulas import nodes
from tests.book.formulas.checking import check
from tests.book.formulas.reader import RELATIONS, read
from tests.book.formulas.relations import All, Relation
from tests.book.formulas.sheet import UnreadableError, WrongError
from tests.book.formulas.tokens import tokenize
from tests.book.meanings import SHARED
from tools.facts import ROOT

CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))
PAGES = [*CHAPTERS, "notation"]
TAGGED, DISPLAYED, INLINE, DOCSTRING = "tagged", "displayed", "in a sentence", "docstring"

AGREES = "agrees"  # every side was evaluated
REPEATS = "repeats"  # the same formula as a tagged one or as one of a docstring
VALUE = "value"  # "z = 40": the choice of a value, which is neither right nor wrong
CONDITION = "condition"  # "where s > 0": declared to state nothing
UNREAD = "unread"  # declared to be out of the reader's reach


@dataclass
class Formula:
    """A formula as it is printed."""

    page: str
    kind: str
    tex: str
    name: str  # its tag, the object whose docstring it is in, or itself

    def __str__(self):
        return f"{self.page}, {self.kind} {self.name}"


@dataclass
class Outcome:
    """What became of a formula; `fault` tells what a person must mend."""

    formula: Formula
    kind: str
    fault: str = ""

    @property
    def relations(self):
        """Return how many =, <, ≤ and the like the formula has."""
        return sum(token.text in RELATIONS for token in tokenize(self.formula.tex))


# ---- finding formulas ----------------------------------------------------------------------------


def markdown(path):
    """Return the text of a notebook, with what its code prints as text."""
    cells = json.loads(path.read_text("utf8"))["cells"]
    text = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    for cell in cells:
        for output in cell.get("outputs", []):
            text.append("".join(output.get("data", {}).get("text/markdown", [])))
    return "\n\n".join(text)


def formulas_in(page, text):
    """Return the formulas of a text in Markdown."""
    text = re.sub(r"```.*?```|(?<!`)`[^`\n]+`", "", text, flags=re.DOTALL)
    found = []
    for tex in re.findall(r"\$\$(.*?)\$\$", text, re.DOTALL):
        tag = re.search(r"\\tag\{([^}]*)\}", tex)
        kind, name = (TAGGED, tag[1]) if tag else (DISPLAYED, squeezed(tex))
        found.append(Formula(page, kind, tex, name))
    rest = re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL)
    for tex in re.findall(r"(?<!\\)\$([^$]+)\$", rest):
        found.append(Formula(page, INLINE, tex, squeezed(tex)))
    return found


def squeezed(tex):
    return " ".join(tex.split())


def formulas_of_docstring(page, thing):
    text = inspect.getdoc(thing)
    displayed = re.findall(r"\.\. math::((?:.+\n)+(?: +.+\n)*|.+)", text + "\n")
    texts = [*displayed, *re.findall(r":math:`([^`]+)`", text)]
    return [Formula(page, DOCSTRING, squeezed(tex), thing.__name__) for tex in texts]


def documented(page):
    """Return what a page documents: the losses of the chapter's module, or the linear model."""
    if page == "notation":
        return [linear_value_and_grad]
    classes = [getattr(losses, name) for name in losses.__all__]
    return [c for c in classes if c.__module__ == f"lossutils.losses.{page}"]


@cache
def formulas(page):
    """Return all formulas of a page that state something: those with a relation."""
    places = [ROOT / f"{'appendix' if page == 'notation' else 'chapters'}/{page}.ipynb"]
    assignment = ROOT / f"assignments/{page}/master.ipynb"
    if assignment.exists():
        places.append(assignment)
    found = [f for place in places for f in formulas_in(page, markdown(place))]
    found += [f for thing in documented(page) for f in formulas_of_docstring(page, thing)]
    return [f for f in found if f.kind == TAGGED or Outcome(f, "").relations]


# ---- what became of them -------------------------------------------------------------------------


def meanings(page):
    return import_module(f"tests.book.meanings.{page}")


def declared(formula):
    """Return the meanings of the symbols of a formula."""
    page = meanings(formula.page)
    of_kind = {TAGGED: "TAGS", DOCSTRING: "DOCSTRINGS"}.get(formula.kind, "INLINE")
    return SHARED | page.CHAPTER | getattr(page, of_kind, {}).get(formula.name, {})


def chains(tex):
    """Return the relations of a formula, and all that can be read off a longer chain."""
    found = set()
    for clause in read(tex):
        claims = clause.claim.relations if isinstance(clause.claim, All) else [clause.claim]
        for claim in claims:
            if isinstance(claim, Relation):
                for first in range(len(claim.operators)):
                    for last in range(first + 1, len(claim.sides)):
                        found.add((claim.operators[first:last], claim.sides[first : last + 1]))
    return found


@cache
def known_chains():
    """Return the relations of all tagged formulas and docstrings."""
    known = set()
    for page in PAGES:
        for formula in formulas(page):
            if formula.kind in (TAGGED, DOCSTRING):
                try:
                    known |= chains(formula.tex)
                except UnreadableError:
                    continue
    return known


def repeats(formula):
    """Say whether a formula is the same, part by part, as one that is checked elsewhere."""
    claims = [clause.claim for clause in read(formula.tex)]
    return all(
        isinstance(claim, Relation) and (claim.operators, claim.sides) in known_chains()
        for claim in claims
    )


def is_value(formula):
    """Say whether a formula only gives symbols their values, or compares two indices."""
    clauses = read(formula.tex)
    return all(
        chooses(clause.claim) if isinstance(clause.claim, Relation) else not has_names(clause.claim)
        for clause in clauses
    ) and not any(clause.conditions for clause in clauses)


def chooses(relation):
    *symbols, last = relation.sides
    if any(symbol == nodes.Name("e") for symbol in symbols) or "≈" in relation.operators:
        return False
    if all(isinstance(side, nodes.Name) and side.name in "ijk" for side in relation.sides):
        return True
    return not has_names(last) and all(map(is_symbol, symbols))


def has_names(node):
    return any(
        isinstance(part, nodes.Name) for part in node.parts() if part != nodes.Name("upper_sign")
    )


def is_symbol(node):
    if isinstance(node, (nodes.Bars, nodes.Brackets)):
        return all(map(is_symbol, getattr(node, "items", None) or [node.inside]))
    plain_script = isinstance(node, nodes.Script) and isinstance(node.base, nodes.Name)
    return isinstance(node, nodes.Name) or (plain_script and not node.primes)


def examine(formula):
    """Return what became of a formula."""
    page = meanings(formula.page)
    unread = getattr(page, "UNREAD", {}).get(formula.name)
    condition = formula.name in getattr(page, "CONDITIONS", ())
    special = formula.kind in (TAGGED, DOCSTRING) or formula.name in getattr(page, "INLINE", {})
    try:
        if not special and not unread and repeats(formula):
            kind = REPEATS
        elif not special and not unread and is_value(formula):
            kind = VALUE
        else:
            check(formula.tex, declared(formula))
            kind = AGREES
    except (UnreadableError, WrongError) as error:
        if unread or condition:
            return Outcome(formula, UNREAD if unread else CONDITION)
        return Outcome(formula, UNREAD, told(formula, error))
    if unread or condition:
        return Outcome(formula, kind, f"{formula}: it is read now; take it out of the list")
    return Outcome(formula, kind)


def told(formula, error):
    """Return an error with its place in the formula."""
    lines = [f"{formula}: {error}"]
    if getattr(error, "at", None) is not None:
        start = max(0, error.at - 40)
        shown = formula.tex[start : error.at + 30].replace("\n", " ")
        lines += [f"    {shown}", "    " + " " * (error.at - start) + "^"]
    return "\n".join(lines)


@cache
def outcomes(page):
    """Return what became of each formula of a page; the same formula is examined once."""
    examined = {(f.kind, f.name, squeezed(f.tex)): examine(f) for f in formulas(page)}
    return [examined[f.kind, f.name, squeezed(f.tex)] for f in formulas(page)]


def stale(page):
    """Return what is declared for formulas that the page no longer has."""
    module = meanings(page)
    names = {f.name for f in formulas(page)}
    lists = ("TAGS", "INLINE", "CONDITIONS", "UNREAD", "DOCSTRINGS")
    return [name for kind in lists for name in getattr(module, kind, ()) if name not in names]


def table():
    """Return a table in Markdown of what was read, by page."""
    lines = []
    for page in PAGES:
        counts = Counter((o.formula.kind, o.kind) for o in outcomes(page))
        lines.append((page, counts))
    return lines
