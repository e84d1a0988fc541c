"""Bounds of the rounding errors of a formula, for every argument in a range.

The model: a sum, a quotient or a product is rounded to the nearest float; the exponential and
log1p come as close as `EXP` and `LOG1P` say. Results must be normal numbers.
"""

from math import frexp

from flint import arb, ctx

from tests.book.intervals import bisect

EPS = arb(2) ** -52
NEAREST = arb(0.5)
INFINITE = arb.pos_inf()
EXP, LOG1P = arb(0.75), arb(1)
"""Largest errors of NumPy's functions, in spacings of the floats around the true value."""


class Computed:
    """What a formula returns: a ball of true values, and a bound of the relative error."""

    def __init__(self, true, error, off, largest=INFINITE):
        """Round: the last operation is off by so many spacings of a float below ``largest``."""
        self.true = true
        least = true.abs_lower() * (1 - error)
        largest = min(largest, true.abs_upper() * (1 + error))
        spacing = EPS * arb(2) ** (frexp(float(largest))[1] - 1)
        last = off * min((spacing / least).upper(), EPS)
        self.error = (error + last + error * last).upper()

    def one_plus(self):
        share = 1 - 1 / (1 + self.true)
        return Computed(1 + self.true, at_most_1(share) * self.error, NEAREST)

    def divided_by(self, other):
        error = (self.error + other.error) / (1 - other.error)
        return Computed(self.true / other.true, error, NEAREST)

    def log1p(self):
        # The condition number q / ((1 + q) log(1 + q)) is at most 1, by log t >= 1 - 1/t.
        condition = at_most_1(self.true / ((1 + self.true) * self.true.log1p()))
        return Computed(self.true.log1p(), condition * self.error / (1 - self.error), LOG1P)

    def plus(self, x):
        """Add a float that is not negative."""
        share = self.true / (self.true + x)
        return Computed(self.true + x, at_most_1(share) * self.error, NEAREST)


def at_most_1(ball):
    """Return an upper bound of numbers that are known to lie between 0 and 1."""
    largest = ball.abs_upper()
    return largest if largest < 1 else arb(1)


ONE = Computed(arb(1), arb(0), arb(0))


def exp_minus(x):
    """Compute exp(-x) of a float that is not negative: less than 1, and exactly 1 at 0."""
    return Computed((-x).exp(), arb(0), EXP, largest=1 - EPS)


def off_by(value, true):
    """Return the relative error of a float in units of eps."""
    return abs(arb(float(value)) / true - 1) / EPS


def prove_rounding(formula, true, value, low, high, bound):
    """Prove that a formula's relative error is at most ``bound`` eps, for every float in a range.

    ``formula`` makes a `Computed` from a ball. At the ends of every part of the range that the
    proof looks at, ``value`` is the float that the package returns and ``true`` the true value.
    """

    def fails(x):
        with ctx.workprec(200):
            return off_by(value(float(x)), true(x)) > bound

    bisect(lambda a, b: formula(a.union(b)).error <= bound * EPS, fails, arb(low), arb(high))
