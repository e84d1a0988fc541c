"""Plant misprints in the formulas of the book, and see which are not found.

    python -m tests.book.misprints            # all pages, every misprint: minutes
    python -m tests.book.misprints mse bce    # some pages

A misprint that survives must stand in survivors.txt, with the reason. Most make another true
statement: a sign inside a square, or y for y² where y is 0 or 1.
"""

import argparse
import re
import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tqdm import tqdm

from tests.book.formulas.checking import check
from tests.book.formulas.clauses import statement
from tests.book.formulas.reader import GAPS, Reader
from tests.book.formulas.sheet import UnreadableError, WrongError
from tests.book.formulas.tokens import tokenize
from tests.book.printed import (
    DOCSTRING,
    PAGES,
    TAGGED,
    declared,
    formulas,
    meanings,
    write_section,
)

HEADING = "## Which misprints are found"
INTRODUCTION = (
    "To see what the test is worth, `make misprints` plants misprints in all equations with a name "
    "and in the docstrings of the losses: it swaps signs, digits, indices and symbols, turns "
    "fractions over, drops factors and the braces of an index or exponent, and deletes or doubles "
    "each token. A misprint may be true by "
    "chance, such as another sign inside a square. Those that are not found are listed one by one "
    "in `tests/book/survivors.txt`, each with the reason."
)
LIST = Path(__file__).with_name("survivors.txt")
SWAPS = {
    "sign": {"+": "-", "-": "+"},
    "relation": {"<": ">", ">": "<", r"\le": r"\ge", r"\ge": r"\le", r"\ne": "="},
    "max and min": {r"\max": r"\min", r"\min": r"\max"},
    "sum and product": {r"\sum": r"\prod", r"\prod": r"\sum"},
    "over and times": {"/": r"\cdot"},
}
INDICES = "ijkcyrt"


@dataclass(frozen=True)
class Misprint:
    """A formula with one misprint."""

    page: str
    name: str  # of the formula
    kind: str
    tokens: tuple

    @property
    def tex(self):
        return " ".join(token.text for token in self.tokens)

    def __str__(self):
        return f"{self.page} {self.name}, {self.kind}: {self.tex}"


def misprints(formula):
    """Return all misprints of a formula, each with another text."""
    tokens = tokenize(formula.tex)
    reader = Reader(tokens)
    statement(reader)
    own = " ".join(token.text for token in tokens)
    found = {}
    for kind, changed in [
        *swapped(tokens),
        *renamed(tokens),
        *regrouped(tokens),
        *without_a_factor(tokens, reader.products),
        *deleted_and_doubled(tokens),
    ]:
        misprint = Misprint(formula.page, formula.name, kind, tuple(changed))
        if misprint.tex != own:
            found.setdefault(misprint.tex, misprint)
    return list(found.values())


def put(tokens, start, stop, *texts):
    """Return the tokens with others in place of some."""
    at = tokens[start].at if start < len(tokens) else 0
    new = [replace(tokens[0], text=text, at=at) for text in texts]
    return [*tokens[:start], *new, *tokens[stop:]]


def end_of_group(tokens, start):
    """Return the place behind an argument."""
    depth = 0
    for place in range(start, len(tokens)):
        depth += {"{": 1, "}": -1}.get(tokens[place].text, 0)
        if depth == 0:
            return place + 1
    return len(tokens)


def end_of_bound(tokens, start):
    """Return the place behind a sum's bound, or behind the name of an environment."""
    below = start + 1 < len(tokens) and tokens[start + 1].text == "_"
    return end_of_group(tokens, min(start + 1 + below, len(tokens) - 1))


def swapped(tokens):
    for k, token in enumerate(tokens):
        for kind, pairs in SWAPS.items():
            if token.text in pairs:
                yield kind, put(tokens, k, k + 1, pairs[token.text])
        if token.text[0].isdigit():
            last = int(token.text[-1])
            yield "digit", put(tokens, k, k + 1, token.text[:-1] + str(last + 1 if last < 9 else 8))


def renamed(tokens):
    """Put another index, or another symbol of the formula, in place of one."""
    texts = [token.text for token in tokens]
    below = {
        k
        for start, text in enumerate(texts)
        if text == "_" and texts[start - 1] not in (r"\sum", r"\prod", r"\max", r"\min")
        for k in range(start + 1, end_of_group(tokens, start + 1))
    }
    fixed = {
        k
        for start, text in enumerate(texts)
        if text in (r"\begin", r"\end", r"\sum", r"\prod", r"\max", r"\min")
        for k in range(
            start, end_of_group(tokens, min(start + 1 + (texts[start + 1] == "_"), len(texts) - 1))
        )
    }
    indices = sorted({texts[k] for k in below if texts[k] in INDICES})
    free = {t for k, t in enumerate(texts) if k not in below | fixed}
    symbols = sorted(t for t in free if re.fullmatch("[a-zA-Z]", t) and t not in "de")
    for k, text in enumerate(texts):
        if k in fixed:
            continue
        for kind, places, names in (("index", below, indices), ("symbol", None, symbols)):
            inside = k in below if places is not None else k not in below
            if inside and text in names and len(names) > 1:
                other = names[(names.index(text) + 1) % len(names)]
                yield kind, put(tokens, k, k + 1, other)


def regrouped(tokens):
    """Turn a fraction over; drop braces, a power, a prime or ⊤; double what a log is taken of."""
    texts = [token.text for token in tokens]
    for k, text in enumerate(texts):
        if text == r"\frac":
            middle = end_of_group(tokens, k + 1)
            end = end_of_group(tokens, middle)
            above = texts[k + 1 : k + 3]
            if r"\partial" not in above and above != ["{", "d"]:
                turned = [*tokens[middle:end], *tokens[k + 1 : middle]]
                yield "fraction", [*tokens[: k + 1], *turned, *tokens[end:]]
        if text == "^" and texts[k - 1] not in (r"\partial", "d"):
            end = end_of_group(tokens, k + 1)
            if texts[k + 1].isdigit() or texts[k + 1 : end] == ["{", r"\top", "}"]:
                yield "power", put(tokens, k, end)
            elif texts[k + 1] == r"\top":
                yield "transposition", put(tokens, k, end)
        if text in "_^" and texts[k + 1 : k + 2] == ["{"]:
            end = end_of_group(tokens, k + 1)
            if end - k > len("_{i}"):  # around one token they may be left out
                yield "braces", [*tokens[: k + 1], *tokens[k + 2 : end - 1], *tokens[end:]]
        if text == "'":
            yield "prime", put(tokens, k, k + 1)
        if text == r"\log":
            start = end_of_group(tokens, k + 2) if texts[k + 1] == "_" else k + 1
            inside = start + 1 if texts[start] == "(" else start
            yield "logarithm", put(tokens, inside, inside, "2", *["+"] * (texts[start] == "("))


def without_a_factor(tokens, products):
    """Drop a factor, with the sign before it."""
    numbers = [token.number for token in tokens]
    for first, last in sorted(set(products)):
        start, stop = numbers.index(first), numbers.index(last) + 1
        if start and tokens[start - 1].text in (r"\cdot", r"\odot", "/"):
            start -= 1
        elif stop < len(tokens) and tokens[stop].text in (r"\cdot", r"\odot"):
            stop += 1
        yield "factor", put(tokens, start, stop)


def deleted_and_doubled(tokens):
    """Delete and double every token, but for gaps and for the dot between factors."""
    for k, token in enumerate(tokens):
        before_gap = k + 1 < len(tokens) and tokens[k + 1].text in GAPS
        if token.text in GAPS or token.text == r"\cdot" or (token.text == "," and before_gap):
            continue
        yield "deleted token", put(tokens, k, k + 1)
        yield "doubled token", put(tokens, k, k, token.text)


# ---- judging them --------------------------------------------------------------------------------


def survives(misprint, known):
    """Say whether a misprint passes the check."""
    try:
        check(list(misprint.tokens), known)
    except (UnreadableError, WrongError):
        return False
    return True


def checked_formulas(page):
    """Return the formulas whose misprints are planted: the tagged ones and those of docstrings."""
    unread = meanings(page).UNREAD
    return [f for f in formulas(page) if f.kind in (TAGGED, DOCSTRING) and f.name not in unread]


def judge(formula, part=lambda misprint: True):
    """Return the misprints of a formula that belong to a part of all, each with its survival."""
    known = declared(formula)
    return [(m, survives(m, known)) for m in misprints(formula) if part(m)]


def listed():
    """Return the survivors that are known: a dictionary from each to its reason."""
    reasons, reason = {}, None
    for line in LIST.read_text("utf8").splitlines():
        if line.startswith("# "):
            reason = line[2:]
        elif line:
            reasons[line] = reason
    return reasons


def is_true(reason):
    """Say whether a survivor states something true, so that there is nothing to find."""
    return reason is not None and reason.startswith("true")


def counts(judged, reasons):
    """Return planted, found and true misprints, by kind and in all."""
    kinds = defaultdict(Counter)
    for misprint, survived in judged:
        true = survived and is_true(reasons.get(str(misprint)))
        for kind in (misprint.kind, "**all**"):
            kinds[kind] += Counter(
                planted=1, found=not survived, true=true, missed=survived and not true
            )
    return dict(sorted(kinds.items(), key=lambda row: (row[0] == "**all**", row[0])))


def report(judged, reasons):
    """Return a section in Markdown: a table by kind, and the share of false ones that are found."""
    kinds = counts(judged, reasons)
    total = kinds["**all**"]
    false = total["planted"] - total["true"]
    columns = ("planted", "found", "true", "missed")
    return "\n".join(
        [
            HEADING,
            "",
            INTRODUCTION,
            "",
            "| Misprint | Planted | Found | Not found, still true | Missed |",
            "|---|--:|--:|--:|--:|",
            *(
                f"| {kind} | " + " | ".join(f"{count[column]:,}" for column in columns) + " |"
                for kind, count in kinds.items()
            ),
            "",
            f"Of the {false:,} false statements {total['found'] / false:.2%} are found.",
            "",
        ]
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=f"some of: {', '.join(PAGES)}")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    options = parser.parse_args(arguments)
    if unknown := set(options.pages) - set(PAGES):
        parser.error(f"no such page: {', '.join(sorted(unknown))}; there are {', '.join(PAGES)}")
    pages = options.pages or PAGES
    work = [formula for page in pages for formula in checked_formulas(page)]
    with ProcessPoolExecutor(options.jobs) as pool:
        progress = partial(tqdm, total=len(work), unit="formula", file=sys.stderr, leave=False)
        judged = [row for rows in progress(pool.map(judge, work)) for row in rows]
    reasons = listed()
    survivors = {str(misprint) for misprint, survived in judged if survived}
    print(report(judged, reasons))
    new = sorted(survivors - reasons.keys())
    stale = sorted(r for r in reasons.keys() - survivors if r.split()[0] in pages)
    for title, lines in (("not in the list", new), ("in the list, but found", stale)):
        if lines:
            print(f"\n{len(lines)} {title} ({LIST.name}):", *lines, sep="\n")
    if new or stale:
        return 1
    if not options.pages:
        write_section(HEADING, report(judged, reasons))
    return 0


if __name__ == "__main__":
    sys.exit(main())
