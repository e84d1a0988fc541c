"""Proofs of inequalities over a whole range: by exact algebra, and by arithmetic with balls.

A polynomial is factored exactly, so that an inequality that holds with equality somewhere is no
harder than another. Any other function is enclosed: a ball of python-flint contains every value of
a function for every argument in another ball.
"""

from collections import deque
from itertools import product

from flint import arb, arb_series, fmpq, fmpq_mpoly_ctx

INFINITY = None
"""The upper end of a range that has none."""
PARTS = 10_000
"""How many parts of a range a proof looks at before it gives up."""


class RefutedError(Exception):
    """The claim is certainly false at a point."""


class UnprovedError(Exception):
    """The claim may be true, but this proof fails."""


# ---- polynomials --------------------------------------------------------------------------------


def prove_polynomial(claim, *box, strict=False):
    """Prove that a polynomial with rational coefficients is never negative on a box.

    Each side of the box is a pair of ends, the upper one possibly `INFINITY`. With ``strict`` the
    polynomial is positive inside the box; on its edges it may be 0.
    """
    for point in product(*map(points, box)):
        if claim(*point) < 0:
            raise RefutedError(point)
    variables = fmpq_mpoly_ctx.get([f"x{i}" for i in range(len(box))], "lex").gens()
    polynomial = claim(*variables) + 0 * variables[0]
    sign, factors = polynomial.factor()
    for factor, power in factors:
        if strict or power % 2:
            sign *= sign_on(factor, box, variables) ** power
    if not (sign > 0 or (polynomial == 0 and not strict)):
        raise UnprovedError(f"{polynomial} on {box}")


def points(side):
    """Return some numbers between two ends, the ends included."""
    low, high = map(rational, side)
    parts = [fmpq(k, 24) for k in range(25)]
    if high is INFINITY:
        return [low + part / (1 - part) for part in parts[:-1]]
    return [low + (high - low) * part for part in parts]


def rational(number):
    return number if number is INFINITY else fmpq(number)


def sign_on(factor, box, variables):
    """Return the sign of a polynomial on a box, 0 if the method does not find it.

    Put x = (low + high y) / (1 + y), or low + y for a side without end, and multiply by the powers
    of 1 + y. Now y is never negative: if no coefficient is, neither is the polynomial.
    """
    total = 0 * variables[0]
    for exponents, coefficient in factor.terms():
        term = coefficient
        sides = zip(exponents, factor.degrees(), box, variables, strict=True)
        for exponent, degree, side, y in sides:
            low, high = map(rational, side)
            if high is INFINITY:
                term = term * (low + y) ** exponent
            else:
                term = term * (low + high * y) ** exponent * (1 + y) ** (degree - exponent)
        total += term
    signs = {1 if coefficient > 0 else -1 for coefficient in total.coeffs()}
    return signs.pop() if len(signs) == 1 else 0


# ---- other functions of one number ---------------------------------------------------------------


def prove(claim, low, high, order=2):
    """Prove that claim(x) is never negative for low ≤ x ≤ high.

    ``claim`` takes and returns an arb_series. Where the claim holds with equality, that point must
    be an end of the range, and the claim must come out as exactly 0 there.
    """

    def series(x):
        return claim(arb_series([x, 1], order + 1))

    def holds(low, high):
        return sign_by_slope(series(low.union(high)), series(low), series(high)) > 0

    bisect(holds, lambda x: series(x)[0] < 0, arb(low), arb(high))


def sign_by_slope(whole, low, high, k=0):
    """Return the sign of derivative k of a series over a range, 0 if it is not known.

    It is that of the enclosure; or if derivative k + 1 has a sign, that of the value at one end.
    """
    if whole[k] >= 0 or whole[k] <= 0:
        return 1 if whole[k] >= 0 else -1
    slope = sign_by_slope(whole, low, high, k + 1) if k + 1 < whole.prec else 0
    least, largest = (low[k], high[k]) if slope > 0 else (high[k], low[k])
    if slope and (least >= 0 or largest <= 0):
        return 1 if least >= 0 else -1
    return 0


def bisect(holds, fails, low, high):
    """Halve a range until ``holds`` is true of each part; try ``fails`` at all ends."""
    parts = deque([(low, high)])
    ends = [low, high]
    for _ in range(PARTS):
        if bad := [x for x in ends if fails(x)]:
            raise RefutedError(bad[0])
        if not parts:
            return
        a, b = parts.popleft()
        ends = []
        if not holds(a, b):
            middle = ((a + b) / 2).mid()
            ends = [middle]
            parts += [(a, middle), (middle, b)]
    raise UnprovedError(f"{len(parts)} parts are left, among them {parts[0]}")
