"""What symbols mean: a spreadsheet of sampled values, and of values that others determine.

A meaning is one of

- a `Sample`, such as ``real("m")``: a random value, whose shape is given by other symbols;
- a function whose *parameter names are other symbols*: ``lambda X, w: X @ w``. Change a symbol, and
  all that depends on it is computed again; that is what makes a partial derivative;
- a `Function`: what f means in f(x);
- a constant.

Meanings see vectors as arrays of shape (n,), as NumPy does. Formulas see columns of shape (n, 1),
so that a dropped transpose is an error.
"""

import inspect
import zlib
from dataclasses import dataclass
from functools import cache, partial

import numpy as np


class UnreadableError(Exception):
    """A formula cannot be read or evaluated; `at` is the position in its LaTeX, if known."""

    def __init__(self, message, at=None):
        super().__init__(message)
        self.at = at


class WrongError(AssertionError):
    """A formula was read, and what it states is not so."""


# ---- meanings ------------------------------------------------------------------------------------


class Sample:
    """A random value: ``draw(rng, *values of the symbols that it needs)``."""

    def __init__(self, draw, *needs, low=-20.0, high=20.0, top=None):
        self.draw, self.needs = draw, needs
        self.low, self.high = low, high  # where a minimum over the symbol is searched
        self.top = top  # symbol of the last value, if the value is an index


def sample(draw, *shape, **options):
    """Return a Sample from a drawing function of a generator and a shape of sizes or symbols."""
    names = [size for size in shape if isinstance(size, str)]

    def drawn(rng, *sizes):
        known = dict(zip(names, sizes, strict=True))
        return draw(rng, tuple(int(known.get(size, size)) for size in shape))

    return Sample(drawn, *names, **options)


def real(*shape, scale=2.0):
    return sample(lambda rng, size: scale * rng.normal(size=size), *shape)


def interval(low, high, *shape):
    return sample(lambda rng, size: rng.uniform(low, high, size), *shape, low=low, high=high)


def unit(*shape):
    """Numbers in (0, 1), not too close to its ends."""
    return sample(lambda rng, size: rng.uniform(0.04, 0.96, size), *shape, low=0.0, high=1.0)


def positive(*shape, low=0.5, high=3.0):
    return interval(low, high, *shape)


def choice(*values, shape=()):
    return sample(lambda rng, size: rng.choice(np.array(values, float), size), *shape)


def bit(*shape):
    return choice(0, 1, shape=shape)


def sign(*shape):
    return choice(-1, 1, shape=shape)


def integer(low, high):
    return choice(*range(low, high + 1))


def index(top, *shape):
    """Whole numbers from 1 to the value of the symbol `top`; sums over the symbol run as far."""

    def drawn(rng, last, *sizes):
        known = dict(zip(shape, sizes, strict=True))
        return rng.integers(1, int(last) + 1, tuple(int(known[size]) for size in shape)) + 0.0

    return Sample(drawn, top, *shape, top=top)


def simplex(size):
    """Positive numbers that sum to 1."""
    return Sample(lambda rng, n: rng.dirichlet(np.full(int(n), 2.0)), size)


class Function:
    """What f means in f(x). Without an argument f is the value at the symbol `at`."""

    def __init__(self, call, at=None):
        self.call, self.at = call, at

    def __call__(self, *arguments):
        return self.call(*arguments)


@dataclass
class Expectation:
    """What E means in E[…]: the mean over `values`, a dictionary from values to probabilities."""

    symbol: str
    values: dict


@dataclass
class Candidates:
    """What a minimum over a thing in words runs over: a list of changes of symbols."""

    changes: list


# ---- the spreadsheet -----------------------------------------------------------------------------


@cache
def parameters(function):
    return tuple(inspect.signature(function).parameters)


class Sheet:
    """The values of all symbols at one random point.

    `step` is the step of numerical derivatives: see `slope`.
    """

    def __init__(self, meanings, seed, step=1e-2):
        self.meanings, self.seed, self.step = meanings, seed, step
        self.changed, self.values, self.known_needs, self.open = {}, {}, {}, []
        self.before, self.new = None, {}  # the sheet before the last change, and what is new here

    def __contains__(self, name):
        return name in self.changed or name in self.meanings

    def __getitem__(self, name):
        for known in (self.changed, self.values):
            if name in known:
                return known[name]
        if name not in self.meanings:
            raise UnreadableError(f"nothing is declared for the symbol {name}")
        meaning = self.meanings[name]
        if self.before is not None and self.needs(name).isdisjoint(self.new):
            self.values[name] = self.before[name]
            return self.values[name]
        if name in self.open:
            raise UnreadableError(f"{name} depends on itself: {' -> '.join([*self.open, name])}")
        self.open.append(name)
        try:
            if isinstance(meaning, Sample):
                rng = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
                self.values[name] = meaning.draw(rng, *(self[need] for need in meaning.needs))
            elif inspect.isfunction(meaning):
                self.values[name] = meaning(*(self[need] for need in parameters(meaning)))
            else:
                return meaning
            return self.values[name]
        finally:
            self.open.remove(name)

    def needs(self, name):
        """Return all symbols that determine a symbol."""
        if name not in self.known_needs:
            self.known_needs[name] = {name}
            meaning = self.meanings.get(name)
            direct = getattr(meaning, "needs", ())
            if inspect.isfunction(meaning):
                direct = parameters(meaning)
            self.known_needs[name] = {name}.union(*map(self.needs, direct))
        return self.known_needs[name]

    def change(self, **changes):
        """Return the sheet after a change of symbols: what depends on them is computed again."""
        other = Sheet(self.meanings, self.seed, self.step)
        other.changed = {**self.changed, **changes}
        other.known_needs = self.known_needs
        other.before, other.new = self, changes
        return other

    def with_step(self, step):
        other = self.change()
        other.step = step
        return other

    def last(self, name, at=None):
        """Return how far an index runs."""
        top = getattr(self.meanings.get(name), "top", None)
        if top is None:
            raise UnreadableError(f"how far does {name} run? Declare it as index(...)", at)
        return int(self[top])


# ---- derivatives ---------------------------------------------------------------------------------

WEIGHTS = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))


def slope(f, step):
    """Return f'(0) by central differences of order 8."""
    return sum(c * (f(k * step) - f(-k * step)) for k, c in WEIGHTS) / step


def derivative_of(function, step):
    """Return the derivative of a Function of one number."""
    return Function(
        lambda x: slope(lambda h: np.asarray(function(x + h), float), step), function.at
    )


def partial_derivative(value, name, at, sheet):
    """Return the derivative of ``value(sheet)`` by a symbol, or by its element number `at`."""
    x = np.asarray(sheet[name], float)
    value(sheet)  # so that what does not depend on the symbol is computed once
    if at is None and x.ndim:
        parts = [partial_derivative(value, name, k, sheet) for k in np.ndindex(x.shape)]
        if any(part.size != 1 for part in parts):
            raise UnreadableError(f"the derivative of an array by the array {name}")
        return column(np.reshape(parts, x.shape))
    if at is not None and len(at) != x.ndim:
        raise UnreadableError(f"{len(at)} indices for {name}, of shape {x.shape}")

    def moved(h):
        y = x + 0.0
        if at is None:
            y = y + h
        else:
            y[at] += h
        return np.asarray(value(sheet.change(**{name: y})))

    return slope(moved, sheet.step)


def hessian(value, name, sheet):
    x = np.asarray(sheet[name], float)
    rows = [
        partial_derivative(partial(partial_derivative, value, name, k), name, None, sheet)
        for k in np.ndindex(x.shape)
    ]
    return np.array(rows)[..., 0]


# ---- between the two views of vectors ------------------------------------------------------------


def column(value):
    """Return a value as formulas see it."""
    if isinstance(value, (Function, Expectation, Candidates, set, frozenset, list)):
        return value
    value = np.asarray(value, float)
    return value[:, None] if value.ndim == 1 else value


def plain(value):
    """Return a value as meanings see it."""
    if not isinstance(value, np.ndarray):
        return value
    if value.size == 1:
        return value.item()
    return value[:, 0] if value.shape[1] == 1 else value
