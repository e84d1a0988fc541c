"""What has arguments of its own: sums over an index, extrema, integrals, derivatives, and so on."""

from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
from scipy import integrate, optimize, special

from tests.book.formulas.nodes import (
    Brackets,
    Name,
    Node,
    Script,
    add,
    demand_equal,
    function_named,
)
from tests.book.formulas.relations import Relation
from tests.book.formulas.sheet import (
    Candidates,
    UnreadableError,
    column,
    hessian,
    partial_derivative,
    plain,
)


@dataclass(frozen=True)
class Over(Node):
    """A sum, product, maximum, minimum or arg min over a symbol."""

    operator: str
    symbol: str
    first: Node | None
    last: Node | None
    condition: Node | None  # relation, or the set that the symbol runs over
    body: Node

    def value(self, sheet):
        counted = self.first or getattr(sheet.meanings.get(self.symbol), "top", None)
        if self.operator not in ("sum", "prod") and not counted:
            return self.searched(sheet)
        values = [
            self.body.value(inner)
            for inner in self.sheets(sheet)
            if self.condition is None
            or not isinstance(self.condition, Relation)
            or self.condition.holds(with_class_index(inner))
        ]
        if self.operator == "sum":
            return reduce(lambda a, b: add(a, b, self.at), values, np.float64(0))
        if self.operator == "prod":
            return np.prod(values, axis=0)
        if not values:
            raise UnreadableError("an extremum over nothing", self.at)
        return {"max": np.max, "min": np.min}[self.operator](values, axis=0)

    def sheets(self, sheet):
        if self.condition is not None and not isinstance(self.condition, Relation):
            return [sheet.change(**{self.symbol: k}) for k in sorted(self.condition.value(sheet))]
        first = int(self.first.number(sheet)) if self.first else 1
        last = int(self.last.number(sheet)) if self.last else sheet.last(self.symbol, self.at)
        return [sheet.change(**{self.symbol: float(k)}) for k in range(first, last + 1)]

    def searched(self, sheet):
        """Return the extremum over a real number, or over what words such as "rest" mean."""
        sign = -1 if self.operator == "max" else 1

        def objective(value):
            return sign * float(self.body.number(sheet.change(**{self.symbol: value})))

        meaning = sheet[self.symbol]
        if isinstance(meaning, Candidates):
            values = [self.body.number(sheet.change(**change)) for change in meaning.changes]
            return np.float64(sign * min(sign * np.array(values)))
        domain = sheet.meanings[self.symbol]
        if not hasattr(domain, "low"):
            raise UnreadableError(f"over which {self.symbol}? Declare it as a sample", self.at)
        best = minimise(objective, domain.low, domain.high)
        return np.float64(best if self.operator == "argmin" else sign * objective(best))


def with_class_index(sheet):
    return sheet.change(y=sheet["index_y"]) if "index_y" in sheet else sheet


def minimise(objective, low, high, points=60):
    """Return where a function of one number is least: by a grid, then a search, then its slope."""
    grid = np.linspace(low, high, points + 1)[1:-1]
    start = grid[np.argmin([objective(x) for x in grid])]
    width = (high - low) / points
    low, high = max(low, start - width), min(high, start + width)
    best = optimize.minimize_scalar(
        objective, bounds=(low, high), method="bounded", options={"xatol": 1e-9}
    ).x
    h = min(1e-4, (best - low) / 3, (high - best) / 3)

    def slope_at(x, h=h):
        return (
            8 * (objective(x + h) - objective(x - h)) - objective(x + 2 * h) + objective(x - 2 * h)
        )

    a, b = best - h, best + h
    if h <= 0 or not slope_at(a) < 0 < slope_at(b):
        return best
    rise, half = (slope_at(best + k, k) - slope_at(best - k, k) for k in (h, h / 2))
    level = abs(slope_at(a) + slope_at(b)) < 0.1 * rise
    # half the step makes a quarter of a bend's rise, but half of that of a kink
    return optimize.brentq(slope_at, a, b, xtol=1e-13) if level and half < 0.35 * rise else best


@dataclass(frozen=True)
class Integral(Node):
    """An integral; where the integrand has a kink, the symbol `kink` says where."""

    symbol: str
    low: Node
    high: Node
    body: Node

    def value(self, sheet):
        low, high = float(self.low.number(sheet)), float(self.high.number(sheet))
        kink = float(sheet["kink"]) if "kink" in sheet else None
        ends = [low, high] if kink is None else [low, kink, high]

        def integrand(x):
            return float(self.body.number(sheet.change(**{self.symbol: x})))

        return np.float64(
            sum(
                integrate.quad(integrand, a, b, epsabs=1e-9, epsrel=1e-9)[0]
                for a, b in pairwise(ends)
            )
        )


@dataclass(frozen=True)
class Derivative(Node):
    """∂f/∂x, to any order."""

    order: int
    of: Node
    by: Node

    def value(self, sheet):
        name, position = self.variable(sheet)

        def value(inner, order):
            if order == 0:
                return self.of.value(inner)
            return partial_derivative(lambda s: value(s, order - 1), name, position, inner)

        return value(sheet, self.order)

    def variable(self, sheet):
        if isinstance(self.by, Name):
            return self.by.name, None
        if isinstance(self.by, Script) and isinstance(self.by.base, Name):
            whole = self.by.whole_name(sheet)
            return (whole, None) if whole else (self.by.base.name, self.by.position(sheet))
        raise UnreadableError("a derivative by something that is no symbol", self.at)


@dataclass(frozen=True)
class Nabla(Node):
    """The gradient or, with order 2, the Hessian of a value, or of a function at a point."""

    order: int
    by: str | None
    of: Node
    argument: Brackets | None = None

    def value(self, sheet):
        by = self.by or str(sheet["nabla_by"])
        value, point = self.of.value, sheet
        if self.argument:
            function = function_named(self.of, sheet)
            if not function:
                raise UnreadableError("∇ of a product: set brackets around it", self.at)
            by = "point_of_nabla"
            point = sheet.change(**{by: plain(self.argument.items[0].value(sheet))})

            def value(inner):
                return column(function(inner[by]))

        if self.order == 2:
            return hessian(value, by, point)
        return partial_derivative(value, by, None, point)


@dataclass(frozen=True)
class Underbrace(Node):
    """A sum with a name below it; if the name is declared, both must agree."""

    body: Node
    label: Node

    def value(self, sheet):
        value = self.body.value(sheet)
        demand_equal(self.label.value(sheet), value, "an underbrace and its label")
        return value


# ---- what else has arguments --------------------------------------------------------------------


@dataclass(frozen=True)
class EndlessSum(Node):
    """a + a + a + …: one term is added again and again until the sum, rounded by fl, stands still.

    It is for sums of rounded numbers, which halt; others would not end.
    """

    term: Node

    def value(self, sheet):
        fl, term = Name("fl", at=self.at).declared(sheet), float(self.term.number(sheet))
        total = fl(term)
        for _ in range(100_000):
            before, total = total, fl(total + term)
            if total == before:
                return np.float64(total)
        raise UnreadableError("the sum does not halt", self.at)


@dataclass(frozen=True)
class Log(Node):
    """A logarithm or exponential: its argument needs no brackets."""

    function: str
    argument: Node
    base: Node | None = None

    def value(self, sheet):
        value = getattr(np, self.function)(self.argument.value(sheet))
        return value / np.log(self.base.number(sheet)) if self.base else value


@dataclass(frozen=True)
class Bars(Node):
    """An absolute value, or the size of a set."""

    inside: Node

    def value(self, sheet):
        value = self.inside.value(sheet)
        return np.float64(len(value)) if isinstance(value, (set, frozenset)) else np.abs(value)


@dataclass(frozen=True)
class Norm(Node):
    inside: Node

    def value(self, sheet):
        return np.linalg.norm(self.inside.value(sheet))


@dataclass(frozen=True)
class Blocks(Node):
    """A matrix of numbers or of matrices; a number 0 fills its place."""

    rows: tuple

    def value(self, sheet):
        rows = [[np.atleast_2d(item.value(sheet)) for item in row] for row in self.rows]
        heights = [max(block.shape[0] for block in row) for row in rows]
        widths = [max(row[k].shape[1] for row in rows) for k in range(len(rows[0]))]
        return np.block(
            [
                [b if b.any() else np.zeros((h, w)) for b, w in zip(row, widths, strict=True)]
                for row, h in zip(rows, heights, strict=True)
            ]
        )


@dataclass(frozen=True)
class Order(Node):
    """O(h²), or "terms in h²": 0, but for the size of the error that it admits."""

    size: Node

    def value(self, sheet):
        return np.float64(0)


@dataclass(frozen=True)
class Factorial(Node):
    base: Node

    def value(self, sheet):
        return special.factorial(self.base.number(sheet))
