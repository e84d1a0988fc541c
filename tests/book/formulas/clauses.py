"""Read a whole formula: its claims, with the conditions and the words that stand beside them."""

import re
from dataclasses import dataclass, field

from tests.book.formulas import structures
from tests.book.formulas.nodes import UPPER_SIGN, Node, Number
from tests.book.formulas.reader import CONDITION, GAPS, Reader
from tests.book.formulas.relations import Cases, Implication, Quantified, Relation
from tests.book.formulas.tokens import tokenize

ARROWS = {r"\Longleftrightarrow": "⟺", r"\Longrightarrow": "⟹"}


@dataclass
class Clause:
    """One claim, with what must hold for it."""

    claim: Node
    conditions: list = field(default_factory=list)
    cases: list = field(default_factory=list)  # (logistic, sigmoid MSE): what it is said of


def read(formula):
    """Return the clauses of a formula, given as LaTeX or as tokens."""
    return statement(Reader(tokenize(formula) if isinstance(formula, str) else formula))


def statement(reader):
    """Read clauses, separated by commas or gaps, with their conditions."""
    clauses = []
    after_gap = False
    while reader.token():
        if reader.accept(",", *GAPS, ".", ";", r"\text{and}"):
            after_gap = reader.tokens[reader.place - 1].text == r"\qquad"
            continue
        words = reader.token().words
        if clauses and not clauses[-1].cases and re.fullmatch(r"\(.*\)", words or ""):
            clauses[-1].cases += [case.strip() for case in reader.next().words[1:-1].split(",")]
        elif clauses and words in CONDITION:
            reader.next()
            reader.skip_gaps()
            if words in ("at", "with"):
                clauses.append(Clause(claim(reader)))
            else:
                clauses[-1].conditions += list_of_conditions(reader)
        elif clauses and words == "else":
            reader.next()
            clauses[-1] = with_else(reader, clauses[-1])
        elif clauses and reader.peek() == "(" and reader.is_condition():
            conditions = bracketed_conditions(reader)
            for clause in clauses if after_gap else clauses[-1:]:
                clause.conditions += conditions
        else:
            clauses.append(Clause(claim(reader)))
        after_gap = False
    if not clauses:
        raise reader.unexpected("a formula")
    return clauses


def with_else(reader, clause):
    """Read the 0 of "y = 1 if k = c, else 0", and return both cases as one clause."""
    if not isinstance(clause.claim, Relation) or len(clause.conditions) != 1:
        raise reader.unexpected('"if" before "else"')
    left = clause.claim.sides[0]
    other = Relation(clause.claim.operators[-1:], (left, reader.sum()))
    return Clause(Cases(((clause.claim, clause.conditions[0]), (other, None))))


def bracketed_conditions(reader):
    reader.expect("(")
    conditions = [reader.relation()]
    while reader.expect(",", ")").text == ",":
        reader.skip_gaps()
        conditions.append(reader.relation())
    return conditions


def list_of_conditions(reader):
    """Read "for y = 1, 0", the two cases of ∓, or a single condition."""
    condition = reader.relation()
    other = reader.peek(1) or ""
    if reader.peek() == "," and other[:1].isdigit() and not reader.token(2):
        reader.next()
        name, upper = condition.sides
        rows = (
            (Relation(("=",), (name, value)), Relation(("=",), (UPPER_SIGN, Number(sign))))
            for value, sign in ((upper, 1.0), (reader.sum(), -1.0))
        )
        return [Cases(tuple(rows))]
    return [condition]


def claim(reader):
    """Read relations joined by ⟺ or ⟹."""
    parts, arrows = [quantified(reader)], []
    while reader.peek() in (*ARROWS, *GAPS):
        ahead = 0
        while reader.peek(ahead) in GAPS:
            ahead += 1
        if reader.peek(ahead) not in ARROWS:
            break
        reader.place += ahead
        arrows.append(ARROWS[reader.next().text])
        reader.skip_gaps()
        parts.append(quantified(reader))
    return Implication(tuple(arrows), tuple(parts)) if arrows else parts[0]


def quantified(reader):
    at = reader.at
    relation = reader.relation()
    words = reader.words("for all", "for some")
    if not words:
        return relation
    symbol, domain = reader.sum(), None
    if reader.accept(r"\in"):
        domain = reader.set()
    return Quantified(words == "for all", relation, structures.symbol(symbol), domain, at=at)
