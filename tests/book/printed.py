"""Find the formulas that the book prints, and check each of them.

    python -m tests.book.printed            # all pages; writes appendix/formulas.md
    python -m tests.book.printed mse bce    # some pages; lists what is wrong or cannot be read

A page is a chapter with its assignment and the docstrings of its losses: they share the meanings of
tests/book/meanings/<chapter>.py. The landing page and the appendix count as one more page.
"""

import argparse
import inspect
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from lossutils import losses
from lossutils.linear import linear_value_and_grad
from tests.book.formulas import nodes
from tests.book.formulas.checking import check
from tests.book.formulas.clauses import read
from tests.book.formulas.operators import Bars
from tests.book.formulas.reader import RELATIONS
from tests.book.formulas.relations import All, Relation
from tests.book.formulas.sheet import UnreadableError, WrongError
from tests.book.formulas.tokens import tokenize
from tests.book.meanings import SHARED
from tools.facts import ROOT

CHAPTERS = re.findall(r"chapters/(\w+)", (ROOT / "_toc.yml").read_text("utf8"))
PAGES = [*CHAPTERS, "appendix"]
APPENDIX = [
    "intro.ipynb",
    "appendix/questions.md",
    "appendix/notation.ipynb",
    "appendix/claims.md",
    "appendix/teaching.md",
]
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
    name: str  # its tag, the object whose docstring displays it, or itself

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
    """Return the text of a page; of a notebook, with what its code prints as text."""
    if path.suffix == ".md":
        return path.read_text("utf8")
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
    inline = re.findall(r":math:`([^`]+)`", text)
    named = [(tex, thing.__name__) for tex in displayed] + [(tex, squeezed(tex)) for tex in inline]
    return [Formula(page, DOCSTRING, squeezed(tex), name) for tex, name in named]


def documented(page):
    """Return what a page documents: the losses of the chapter's module, or the linear model."""
    if page == "appendix":
        return [linear_value_and_grad]
    classes = [getattr(losses, name) for name in losses.__all__]
    return [c for c in classes if c.__module__ == f"lossutils.losses.{page}"]


@cache
def formulas(page):
    """Return all formulas of a page that state something: those with a relation."""
    chapter = [f"chapters/{page}.ipynb", f"assignments/{page}/master.ipynb"]
    places = [ROOT / name for name in (APPENDIX if page == "appendix" else chapter)]
    places = [place for place in places if place.exists()]  # some chapters have no assignment
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
    if isinstance(node, (Bars, nodes.Brackets)):
        return all(map(is_symbol, getattr(node, "items", None) or [node.inside]))
    plain_script = isinstance(node, nodes.Script) and isinstance(node.base, nodes.Name)
    return isinstance(node, nodes.Name) or (plain_script and not node.primes)


def examine(formula, seed=0):
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
            check(formula.tex, declared(formula), seed)
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
def outcomes(page, seed=0):
    """Return what became of each formula of a page; the same formula is examined once."""
    examined = {(f.kind, f.name, squeezed(f.tex)): examine(f, seed) for f in formulas(page)}
    return [examined[f.kind, f.name, squeezed(f.tex)] for f in formulas(page)]


def stale(page):
    """Return what is declared for formulas that the page no longer has."""
    module = meanings(page)
    names = {f.name for f in formulas(page)}
    lists = ("TAGS", "INLINE", "CONDITIONS", "UNREAD", "DOCSTRINGS")
    return [name for kind in lists for name in getattr(module, kind, ()) if name not in names]


# ---- the page of the appendix --------------------------------------------------------------------

PAGE = ROOT / "appendix" / "formulas.md"
READ_HEADING = "## What is read"
COLUMNS = {
    TAGGED: "Equations with a name",
    DISPLAYED: "Displayed, without",
    INLINE: "In sentences",
    DOCSTRING: "In docstrings",
}


def title_of(page):
    """Return the title of a page, as a link."""
    if page == "appendix":
        return "Landing page and appendix"
    title = re.search(r"^# ([^:\n]+)", markdown(ROOT / f"chapters/{page}.ipynb"), re.MULTILINE)[1]
    return f"[{title}](../chapters/{page}.ipynb)"


def counted(found):
    """Return how many of some formulas were read, and how many state nothing."""
    kinds = Counter(outcome.kind for outcome in found)
    said = len(found) - kinds[VALUE] - kinds[CONDITION]
    return f"{kinds[AGREES] + kinds[REPEATS]} of {said}" if said else "–"


def relations(found, *kinds):
    """Return the number of relations in formulas: all, or those of some kinds."""
    return sum(o.relations for o in found if not kinds or o.kind in kinds)


def share(found):
    """Return the share of relations that were read, of all that state something."""
    were_read = relations(found, AGREES, REPEATS)
    return f"{were_read / max(1, were_read + relations(found, UNREAD)):.1%}"


def report():
    """Return what is read, as a section in Markdown: a table, and what is not read."""
    rows = {title_of(page): outcomes(page) for page in PAGES}
    every = [outcome for found in rows.values() for outcome in found]
    kinds = Counter(outcome.kind for outcome in every)
    lines = [
        READ_HEADING,
        "",
        "| Page | " + " | ".join(COLUMNS.values()) + " | Of all relations |",
        "|---|" + "--:|" * (len(COLUMNS) + 1),
    ]
    for title, found in [*rows.items(), ("**All**", every)]:
        cells = [counted([o for o in found if o.formula.kind == kind]) for kind in COLUMNS]
        lines.append("| " + " | ".join([title, *cells, share(found)]) + " |")
    lines += [
        "",
        f"A relation is a =, <, ≤ or the like; {relations(every):,} are printed. Of these "
        f"{relations(every, VALUE):,} only choose a value, as in $z = 40$, and "
        f"{relations(every, CONDITION):,} only state a condition, as in “where $s > 0$”. Of the "
        f"others {share(every)} are read. {kinds[REPEATS]:,} formulas repeat, part by part, one "
        "that is checked elsewhere.",
        "",
        "Not read, and therefore compared by eye alone:",
        "",
        *(
            f"- {title_of(page)}: {shown(page, name)}: {reason}"
            for page in PAGES
            for name, reason in meanings(page).UNREAD.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def shown(page, name):
    """Return a tag as a link to its equation, or a formula."""
    tags = {f.name for f in formulas(page) if f.kind == TAGGED}
    return f"[{name}](../chapters/{page}.ipynb#eq-{name})" if name in tags else f"${name}$"


def write_section(heading, text):
    """Put a section of the page in place of the one with its heading."""
    page = PAGE.read_text("utf8")
    start = page.index(heading)
    following = page.find("\n## ", start + 1)
    rest = page[following + 1 :] if following >= 0 else ""
    PAGE.write_text(page[:start] + text + ("\n" + rest if rest else ""), "utf8")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=f"some of: {', '.join(PAGES)}")
    parser.add_argument(
        "--seeds", type=int, default=1, help="how many sets of random points are tried (default: 1)"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.pages) - set(PAGES):
        parser.error(f"no such page: {', '.join(sorted(unknown))}; there are {', '.join(PAGES)}")
    faults = 0
    for page in options.pages or PAGES:
        found = [o.fault for seed in range(options.seeds) for o in outcomes(page, seed) if o.fault]
        found += [
            f"{page}: declared, but the text does not have it: {name}" for name in stale(page)
        ]
        faults += len(found)
        print(f"{page}: {counted(outcomes(page))} formulas are read", *found, sep="\n")
    if not options.pages and not faults:
        write_section(READ_HEADING, report())
        print(report())
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
