"""The trees that formulas are read into. Each kind of node knows its value on a sheet."""

from dataclasses import dataclass, field, fields, replace
from functools import reduce

import numpy as np

from tests.book.formulas.sheet import (
    Expectation,
    Function,
    UnreadableError,
    WrongError,
    column,
    derivative_of,
    plain,
)

RTOL, ATOL = 1e-7, 1e-9
"""How closely two sides agree. Steep places are met by smaller steps, not by a larger tolerance."""


@dataclass(frozen=True)
class Node:
    """A part of a formula; `at` is its position in the LaTeX."""

    at: int | None = field(default=None, compare=False, kw_only=True)

    def value(self, sheet):
        raise UnreadableError(f"{type(self).__name__} is no number", self.at)

    def number(self, sheet):
        """Return a value that must be a single number."""
        value = self.value(sheet)
        if np.size(value) != 1:
            raise UnreadableError(f"an array of shape {np.shape(value)}, not a number", self.at)
        return np.reshape(value, ())

    def parts(self):
        """Return all nodes of the tree, this one first."""
        yield self
        for inner in fields(self):
            yield from nodes_in(getattr(self, inner.name))


def nodes_in(value):
    if isinstance(value, Node):
        yield from value.parts()
    elif isinstance(value, tuple):
        for item in value:
            yield from nodes_in(item)


def substitute(value, name, number):
    """Put a number in place of a name."""
    if isinstance(value, Name) and value.name == name:
        return Number(float(number), at=value.at)
    if isinstance(value, tuple):
        return tuple(substitute(item, name, number) for item in value)
    if isinstance(value, Node):
        inner = {f.name: getattr(value, f.name) for f in fields(value)}
        return replace(value, **{k: substitute(v, name, number) for k, v in inner.items()})
    return value


def demand_equal(a, b, what):
    """Raise WrongError unless two values agree; the shapes must, too."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.size == b.size == 1:
        a, b = a.reshape(()), b.reshape(())
    if a.shape != b.shape:
        raise WrongError(f"{what} have shapes {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise WrongError(f"{what} are {a} and {b}")
    if not np.all(np.abs(a - b) <= ATOL + RTOL * np.maximum(np.abs(a), np.abs(b))):
        raise WrongError(f"{what} are {a.ravel()} and {b.ravel()}")


# ---- numbers, names, sums, products --------------------------------------------------------------


@dataclass(frozen=True)
class Number(Node):
    constant: float
    decimals: int | None = field(default=None, compare=False)

    def value(self, sheet):
        return np.float64(self.constant)


@dataclass(frozen=True)
class Name(Node):
    name: str

    def value(self, sheet):
        if self.name in ("e", "pi") and self.name not in sheet:
            return np.float64(getattr(np, self.name))
        return argument_default(column(self.declared(sheet)), sheet)

    def declared(self, sheet):
        try:
            return sheet[self.name]
        except UnreadableError as error:
            raise UnreadableError(str(error), self.at) from None


UPPER_SIGN = Name("upper_sign")
"""1 where the upper sign of ± is meant, -1 where the lower one is."""


def argument_default(value, sheet):
    """Return what f means where no argument follows."""
    if isinstance(value, Function) and value.at:
        return column(value(plain(column(sheet[value.at]))))
    return value


@dataclass(frozen=True)
class Sum(Node):
    terms: tuple  # of pairs: 1, -1 or ±; node

    def value(self, sheet):
        values = [term.value(sheet) for _, term in self.terms]
        signs = [
            np.sign(s) * (UPPER_SIGN.value(sheet) if abs(s) == 2 else 1) for s, _ in self.terms
        ]
        return reduce(lambda a, b: add(a, b, self.at), map(np.multiply, signs, values))


def add(a, b, at):
    """Add numbers, arrays of one shape, a bias to each row, or a column to each column."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.size == 1 or b.size == 1 or a.shape == b.shape:
        return (a.reshape(()) if a.size == 1 else a) + (b.reshape(()) if b.size == 1 else b)
    if a.ndim == 2 and b.shape == (a.shape[1], 1):
        return a + b.T
    if a.ndim == 2 and b.shape == (a.shape[0], 1):
        return a + b
    raise UnreadableError(f"shapes {a.shape} and {b.shape} do not add", at)


def multiply(a, b, at):
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.size == 1 or b.size == 1:
        return (a.reshape(()) if a.size == 1 else a) * (b.reshape(()) if b.size == 1 else b)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise UnreadableError(f"shapes {a.shape} and {b.shape} do not multiply", at)
    return a @ b


@dataclass(frozen=True)
class Product(Node):
    factors: tuple  # of pairs: "" (side by side), "·", "⊙" or "/"; node

    def value(self, sheet):
        values = list(self.values(sheet))
        total = values[0][1]
        for operator, value in values[1:]:
            if operator == "/":
                total = divide(total, value, self.at)
            elif operator == "⊙":
                if np.shape(total) != np.shape(value):
                    raise UnreadableError("⊙ between arrays of different shapes", self.at)
                total = total * value
            else:
                total = multiply(total, value, self.at)
        return total

    def values(self, sheet):
        """Return each factor's operator and value; a function and its brackets are one factor."""
        left = list(self.factors)
        while left:
            operator, node = left.pop(0)
            function = function_named(node, sheet)
            if function and left and left[0][0] == "":
                brackets = left[0][1]
                scripted = isinstance(getattr(brackets, "base", None), Brackets)
                if isinstance(brackets, Brackets) or scripted:
                    left.pop(0)
                    inner = brackets.base if scripted else brackets
                    value = inner.call(function, sheet)
                    yield operator, brackets.attach(value, sheet) if scripted else value
                    continue
            yield operator, node.value(sheet)


def function_named(node, sheet):
    """Return the Function or Expectation that a node names, with its primes; or None."""
    primes = node.primes if isinstance(node, Script) else 0
    name = node.whole_name(sheet) if isinstance(node, Script) else getattr(node, "name", "")
    meaning = sheet[name] if name and name in sheet else None
    if not isinstance(meaning, (Function, Expectation)):
        return None
    for _ in range(primes):  # each derivative magnifies rounding; a wider step keeps it down
        meaning = derivative_of(meaning, sheet.step * 2 ** (primes - 1))
    return meaning


def divide(a, b, at):
    if np.size(b) != 1:
        raise UnreadableError(f"a division by an array of shape {np.shape(b)}", at)
    return a / np.reshape(b, ())


@dataclass(frozen=True)
class Fraction(Node):
    above: Node
    below: Node

    def value(self, sheet):
        return divide(self.above.value(sheet), self.below.value(sheet), self.at)


@dataclass(frozen=True)
class Power(Node):
    base: Node
    exponent: Node

    def value(self, sheet):
        return self.attach(self.base.value(sheet), sheet)

    def attach(self, base, sheet):
        """Raise the value of the base to the exponent."""
        exponent = self.exponent.value(sheet)
        if np.ndim(base) and base.shape[0] == base.shape[-1] > 1:
            raise UnreadableError("the power of a matrix", self.at)
        return np.asarray(base, float) ** (
            exponent if np.size(base) == 1 or np.size(exponent) > 1 else np.reshape(exponent, ())
        )


@dataclass(frozen=True)
class Brackets(Node):
    """One number, a list of numbers, the arguments of a function, or an indicator [a > b]."""

    items: tuple

    def value(self, sheet):
        values = self.list(sheet)
        if len(values) == 1:
            return values[0]
        if all(np.ndim(v) == 0 or v.shape[1] == 1 for v in values):  # (w, b): one below the other
            return np.vstack([np.reshape(v, (-1, 1)) for v in values])
        rows = max(np.shape(value)[0] for value in values if np.ndim(value))  # (X, 1): side by side
        return np.hstack([np.broadcast_to(v, (rows, 1)) if not np.ndim(v) else v for v in values])

    def list(self, sheet):
        """Return the values, with (a_1, …, a_K) written out."""
        if Dots() not in self.items:
            return [item.value(sheet) for item in self.items]
        *first, dots, pattern = self.items
        ends = {n.name for n in nodes_in(pattern) if isinstance(n, Name) and n.name in "mnKP"}
        if dots != Dots() or len(ends) != 1:
            raise UnreadableError("the dots lead to no single m, n, K or P", self.at)
        (end,) = ends
        values = [substitute(pattern, end, k).value(sheet) for k in range(1, int(sheet[end]) + 1)]
        for item, value in zip(first, values, strict=False):
            demand_equal(item.value(sheet), value, "the first terms and the last")
        return values

    def call(self, function, sheet):
        if isinstance(function, Expectation):
            return sum(
                weight * self.value(sheet.change(**{function.symbol: value}))
                for value, weight in function.values.items()
            )
        values = self.list(sheet)
        return column(function(*[np.array(values)] if Dots() in self.items else map(plain, values)))


@dataclass(frozen=True)
class Dots(Node):
    pass


# ---- indices, exponents, primes ------------------------------------------------------------------


@dataclass(frozen=True)
class Script(Node):
    """What stands below and above a symbol: p_i, w^⊤, s^*, σ', s^{(k)}, 1_{i=j}."""

    base: Node
    below: str | None = None  # as part of a name: FP in c_{FP}
    indices: tuple | None = None  # as indices, if it can be read so
    above: str = ""  # as part of a name: star in s^*
    transposed: bool = False
    exponent: Node | None = None
    step: Node | None = None  # (k) in s^{(k)}
    primes: int = 0

    def whole_name(self, sheet):
        """Return the name with all that belongs to it, if that is declared."""
        if not isinstance(self.base, Name) or self.exponent or self.transposed or self.step:
            return None
        name = "_".join(filter(None, [self.base.name, self.above, self.below]))
        return name if name in sheet else None

    def value(self, sheet):
        if self.primes:
            function = function_named(self, sheet)
            if not function or not function.at:
                raise UnreadableError("a prime where no argument follows", self.at)
            return argument_default(function, sheet)
        if self.base == Number(1.0) and self.indices:  # an indicator
            return self.indices[0].value(sheet)
        if not isinstance(self.base, Name):
            return self.attach(self.base.value(sheet), sheet)
        name = "_".join(filter(None, [self.base.name, self.above]))
        if self.step:
            whole = f"{self.base.name}_{self.below}_at"
            path = sheet[whole if whole in sheet else f"{self.base.name}_at"]
            value = column(path(plain(self.step.value(sheet))))
            return (replace(self, below=None) if whole in sheet else self).attach(value, sheet)
        if self.below and f"{name}_{self.below}" in sheet:
            value = Name(f"{name}_{self.below}", at=self.at).value(sheet)
            return replace(self, indices=None, below=None).attach(value, sheet)
        return self.attach(Name(name, at=self.base.at).value(sheet), sheet)

    def attach(self, value, sheet):
        """Apply indices, transposition and exponent to the value of the base."""
        if self.below is not None:
            value = self.element(value, sheet)
        if self.transposed:
            if np.ndim(value) < 2:
                raise UnreadableError("the transpose of a number", self.at)
            value = value.T
        if self.exponent:
            value = Power(self, self.exponent, at=self.at).attach(value, sheet)
        return value

    def element(self, value, sheet):
        """Return an element of a vector, a row of a matrix, or an element of it."""
        if self.indices is None:
            raise UnreadableError(f"the index {self.below} is no number", self.at)
        position = self.position(sheet)
        if isinstance(value, list):
            return value[position[0]]
        shape = np.shape(value)
        if len(shape) == 2 and shape[1] == 1 and len(position) == 1:
            position = (*position, 0)
        if not shape or len(position) > len(shape):
            raise UnreadableError(f"the index {self.below} of a value of shape {shape}", self.at)
        if any(k >= size for k, size in zip(position, shape, strict=False)):
            raise UnreadableError(f"the index {self.below} is too large for {shape}", self.at)
        return value[position] if len(position) == 2 else value[position[0]][:, None]

    def position(self, sheet):
        """Return the indices, from 0. A target as an index means the right class."""
        if "index_y" in sheet:
            sheet = sheet.change(y=sheet["index_y"])
        try:
            values = [float(index.number(sheet)) for index in self.indices]
        except UnreadableError as error:
            name = f"{getattr(self.base, 'name', '')}_{self.below}"
            raise UnreadableError(
                f"{error}; if it is one symbol, declare {name}", error.at
            ) from None
        if any(v != int(v) or v < 1 for v in values):
            raise UnreadableError(f"the index {self.below} is {values}", self.at)
        return tuple(int(v) - 1 for v in values)
