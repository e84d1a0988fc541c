"""What a formula states: relations, alone and joined, and values that depend on them."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tests.book.formulas.nodes import ATOL, RTOL, Brackets, Node
from tests.book.formulas.sheet import WrongError

HOLDS = {
    "<": np.less,
    ">": np.greater,
    "≤": lambda a, b: a <= b + ATOL,
    "≥": lambda a, b: a >= b - ATOL,
    "≠": lambda a, b: np.abs(a - b) > ATOL,
    "=": lambda a, b: (a == b) | np.isfinite(b) & (np.abs(a - b) <= ATOL + RTOL * np.abs(b)),
}


@dataclass(frozen=True)
class Relation(Node):
    """A chain: a = b ≤ c. After ≠ and ∈ a side may be a Brackets of several values."""

    operators: tuple
    sides: tuple

    def value(self, sheet):
        return np.float64(self.holds(sheet))

    def holds(self, sheet):
        """Say whether the whole chain is true."""
        pairs = zip(self.operators, pairwise(self.sides), strict=True)
        return all(holds(operator, *sides, sheet) for operator, sides in pairs)


def holds(operator, left, right, sheet):
    if operator == "∈":
        return right.contains(left.number(sheet), sheet)
    if operator == "≠" and isinstance(right, Brackets) and len(right.items) > 1:
        return all(holds("≠", left, item, sheet) for item in right.items)
    return bool(np.all(HOLDS[operator](left.value(sheet), right.value(sheet))))


@dataclass(frozen=True)
class Interval(Node):
    low: Node
    high: Node

    def contains(self, value, sheet):
        return self.low.number(sheet) - ATOL <= value <= self.high.number(sheet) + ATOL


@dataclass(frozen=True)
class Set(Node):
    items: tuple

    def contains(self, value, sheet):
        return any(abs(item.number(sheet) - value) <= ATOL for item in self.items)


@dataclass(frozen=True)
class Quantified(Node):
    """A relation for all s, or for some t in [0, 1]; the symbol's sample says what is tried."""

    every: bool
    relation: Relation
    symbol: str
    domain: Node | None = None

    def holds(self, sheet):
        meaning = sheet.meanings[self.symbol]
        low, high = meaning.low, meaning.high
        if self.domain:
            low, high = self.domain.low.number(sheet), self.domain.high.number(sheet)
        tried = (
            self.relation.holds(sheet.change(**{self.symbol: value}))
            for value in np.linspace(low, high, 81)
        )
        return all(tried) if self.every else any(tried)


@dataclass(frozen=True)
class Cases(Node):
    """Values, or relations, each with its condition. Exactly one condition must hold."""

    rows: tuple

    def chosen(self, sheet):
        rows = [row for row, condition in self.rows if condition is None or condition.holds(sheet)]
        if len(rows) > 1 and self.rows[-1][1] is None:
            rows.pop()  # "else"
        if len(rows) != 1:
            raise WrongError(f"{len(rows)} of the cases hold")
        return rows[0]

    def value(self, sheet):
        return self.chosen(sheet).value(sheet)

    def holds(self, sheet):
        return self.chosen(sheet).holds(sheet)


@dataclass(frozen=True)
class All(Node):
    """The lines of a table: each is a claim."""

    relations: tuple


@dataclass(frozen=True)
class Implication(Node):
    """Relations joined by ⟺ or ⟹."""

    arrows: tuple
    relations: tuple

    def truths(self, sheet):
        """Say of each relation whether it is true."""
        return tuple(relation.holds(sheet) for relation in self.relations)

    def allows(self, truths):
        """Say whether the truth of the relations is as the arrows say."""
        return all(
            a == b if arrow == "⟺" else b or not a
            for arrow, (a, b) in zip(self.arrows, pairwise(truths), strict=True)
        )

    def holds(self, sheet):
        return self.allows(self.truths(sheet))
