"""Check a formula: evaluate every side of it at random points, and compare."""

from itertools import pairwise

import numpy as np

from tests.book.formulas.clauses import read
from tests.book.formulas.nodes import ATOL, Brackets, Name, Number, demand_equal
from tests.book.formulas.operators import Derivative, Integral, Nabla, Order
from tests.book.formulas.relations import HOLDS, All, Cases, Implication, Relation, holds
from tests.book.formulas.sheet import Sheet, UnreadableError, WrongError, parameters

POINTS, DISCRETE_POINTS, INTEGRAL_POINTS = 16, 60, 6
"""How many random points a formula is tried at; more if it has cases or indicators, and fewer if it
has integrals, which take long."""
STEPS = (1e-2, 2e-3, 4e-4, 1e-4)
"""Steps of numerical derivatives. Two that follow each other must agree, or the point is too steep
or too near to a kink, and is left out."""
OPTIONS = ("where", "tight", "edges", "limit", "small", "points")


def check(tex, meanings, seed=0):
    """Raise WrongError if a formula is wrong, and UnreadableError if it cannot be checked.

    Besides symbols, `meanings` may hold

    - ``where``: a function of symbols that says which points are tried;
    - ``tight``: symbols at which the sides of ≤ or ≥ are equal, as a dictionary; or, as text, why
      there are none; of < or > where both sides would be equal, if that is to be checked;
    - ``edges``: points, as such dictionaries, that the conditions ("if a ≤ b") only just admit, so
      that a condition which asks for more than is needed fails;
    - ``limit``: symbols near the limit of →, as a dictionary;
    - ``small``: the symbol that goes to 0 in O(h²);
    - ``points``: how many points are tried, if each costs much, or there are few that differ.
    """
    options = {name: meanings[name] for name in OPTIONS if name in meanings}
    symbols = {name: meaning for name, meaning in meanings.items() if name not in OPTIONS}
    with np.errstate(all="ignore"):
        for number, clause in enumerate(read(tex), 1):
            for case in clause.cases or [None]:
                known = symbols | ({"case": case} if case else {})
                for claim in claims(clause.claim, number, known):
                    try:
                        check_claim(claim, clause.conditions, known, options, seed)
                    except (UnreadableError, WrongError):
                        raise
                    except Exception as error:
                        raise UnreadableError(f"a meaning fails: {error!r}", claim.at) from error


def claims(claim, number, symbols):
    """Return the relations of a clause; an expression alone is compared with its declared value."""
    if isinstance(claim, All):
        return claim.relations
    is_value = isinstance(claim, Cases) and not isinstance(claim.rows[0][0], Relation)
    if hasattr(claim, "holds") and not is_value:
        return [claim]
    if f"clause_{number}" not in symbols:
        raise UnreadableError(
            f"no relation; declare the value of the expression as clause_{number}"
        )
    return [Relation(("=",), (Name(f"clause_{number}"), claim))]


def points_for(claim, parts):
    """Return how many points a claim is tried at."""
    if any(isinstance(part, Integral) for part in parts):
        return INTEGRAL_POINTS
    inner = [part for part in parts if part is not claim]
    discrete = any(isinstance(part, (Relation, Cases, Implication)) for part in inner)
    return DISCRETE_POINTS if discrete else POINTS


def check_claim(claim, conditions, symbols, options, seed):
    """Check a claim at random points that meet its conditions."""
    parts = [part for root in (claim, *conditions) for part in root.parts()]
    derived = any(isinstance(p, (Derivative, Nabla)) or getattr(p, "primes", 0) for p in parts)
    wanted = options.get("points", points_for(claim, parts))
    done, steep, truths = 0, 0, set()
    unmet = {row for c in conditions if isinstance(c, Cases) for row in c.rows}  # y = 1, and y = 0
    for k in range(20 * wanted):
        sheet = Sheet(symbols, [seed, k])
        if not admitted(sheet, conditions, options):
            continue
        unmet -= {row for row in unmet if all(part.holds(sheet) for part in row)}
        if isinstance(claim, Implication):
            seen = claim.truths(sheet)
            truths.add(seen)
            agrees = claim.allows(seen)
        elif isinstance(claim, Relation):
            if not check_relation(claim, sheet, derived, options):
                steep += 1
                if steep > max(4, wanted // 3):
                    raise UnreadableError("too many points are steep or near a kink", claim.at)
                continue
            agrees = True
        else:
            agrees = claim.holds(sheet)
        if not agrees:
            raise WrongError(f"it does not hold for {told(sheet)}")
        if done == 0:
            check_edges(claim, conditions, sheet, options)
        done += 1
        if done >= wanted and not unmet:
            break
    else:
        raise UnreadableError("no points meet its conditions", claim.at)
    if isinstance(claim, Implication) and (len(truths) < 2 or not any(map(all, truths))):
        raise UnreadableError(
            "its sides are always true or always false here, or never true together", claim.at
        )


def check_edges(claim, conditions, sheet, options):
    """Check a claim at the declared points that its conditions only just admit."""
    for names in options.get("edges", ()):
        there = at_point(sheet, names)
        pairs = [pair for condition in conditions for pair in pairwise(condition.sides)]
        inside = all(condition.holds(there) for condition in conditions)
        if not inside or not any(holds("=", *pair, there) for pair in pairs):
            raise WrongError(f"this is no edge of the conditions: {told(there)}")
        if not claim.holds(there):
            raise WrongError(f"it does not hold at the edge: {told(there)}")


def at_point(sheet, names):
    """Return the sheet where symbols have some values, or values that the sheet determines."""
    return sheet.change(**{k: v(sheet) if callable(v) else v for k, v in names.items()})


def admitted(sheet, conditions, options):
    """Say whether a point is one that the claim speaks of."""
    where = options.get("where")
    if where and not where(*(sheet[name] for name in parameters(where))):
        return False
    return all(condition.holds(sheet) for condition in conditions)


def check_relation(relation, sheet, derived, options):
    """Check a chain at one point; say False if its derivatives cannot be told there."""
    if any(isinstance(part, Order) for part in relation.parts()):
        return check_order(relation, sheet, options)
    if "→" in relation.operators:
        return check_limit(relation, sheet, options)
    if not derived:
        compare(relation, values(relation, sheet), sheet, options)
        return True
    before = None
    for step in STEPS:
        sheet = sheet.with_step(step)
        try:
            now = values(relation, sheet)
        except ValueError:  # the step leaves the range of a loss
            continue
        if before is not None and all(map(close, before, now)):
            compare(relation, now, sheet, options)
            return True
        before = now
    return False


def values(relation, sheet):
    """Return the value of each side; of a set or of a list behind ≠, None."""
    sides = []
    for operator, side in zip(("=", *relation.operators), relation.sides, strict=True):
        lists = operator == "≠" and isinstance(side, Brackets)
        sides.append(None if operator == "∈" or lists else side.value(sheet))
    return sides


def close(a, b):
    """Say whether a side came out alike with two steps of its derivatives."""
    if a is None:
        return True
    a, b = np.asarray(a, float), np.asarray(b, float)
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= 1e-8 * np.abs(b) + ATOL / 2))


def compare(relation, sides, sheet, options):
    pairs = zip(relation.operators, pairwise(relation.sides), pairwise(sides), strict=True)
    for operator, (left, right), (a, b) in pairs:
        if operator == "=":
            b = np.zeros(np.shape(a)) if right == Number(0.0) else b  # Xv = 0 may be a vector
            demand_equal(a, b, "the sides")
        elif operator == "≈":
            demand_close(a, b, right)
        elif operator in "∈≠":
            if not holds(operator, left, right, sheet):
                raise WrongError(f"{operator} does not hold for {told(sheet)}")
        elif any(isinstance(side, Brackets) and len(side.items) > 1 for side in (left, right)):
            raise UnreadableError(f"a list on one side of {operator}", relation.at)
        elif not np.all(HOLDS[operator](a, b)):
            raise WrongError(f"{a} {operator} {b} does not hold")
        if operator in "≤≥" or (operator in "<>" and "tight" in options):
            demand_tight(left, right, sheet, options, relation.at)


def demand_close(a, b, right):
    """Demand that a number is rounded as it is printed, or else that both sides agree to 5 %.

    A whole number that ends in two zeros is rounded to hundreds.
    """
    terms = getattr(right, "terms", ())
    number = terms[0][1] if len(terms) == 1 else right  # -0.1 is a sum of one term
    if isinstance(number, Number):
        hundreds = number.decimals == 0 and number.constant % 100 == 0
        tolerance = 50 if hundreds else 0.5 * 10.0**-number.decimals
    else:
        tolerance = 0.05 * np.abs(b)
    if not np.all(np.abs(a - b) <= tolerance * (1 + 1e-9)):
        raise WrongError(f"{a} is not about {b}")


def demand_tight(left, right, sheet, options, at):
    """A bound must be reached at the point that is declared, or a larger bound would pass."""
    tight = options.get("tight")
    if tight is None:
        raise UnreadableError("≤ or ≥: declare with `tight` where both sides are equal", at)
    if not isinstance(tight, str):
        there = at_point(sheet, tight)
        a, b = left.value(there), right.value(there)
        if np.min(np.abs(np.asarray(a) - b)) > 1e-6:
            raise WrongError(f"the bound is not reached: {a} and {b} for {told(there)}")


def check_limit(relation, sheet, options):
    if "limit" not in options:
        raise UnreadableError("→: declare symbols near the limit with `limit`", relation.at)
    a, b = values(relation, sheet.change(**options["limit"]))
    if not (np.isfinite(b).all() and np.all(np.abs(a - b) <= 1e-3 * np.abs(b))):
        raise WrongError(f"{a} does not go to {b}")
    return True


def check_order(relation, sheet, options):
    """Check a = b + O(h²): half of h makes a quarter of the difference, neither more nor less."""
    if "small" not in options:
        raise UnreadableError("O(…): declare with `small` what goes to 0", relation.at)
    name = options["small"]
    (order,) = (part for part in relation.parts() if isinstance(part, Order))
    errors, sizes = [], []
    for part in (1, 0.5):
        there = sheet.change(**{name: part * sheet[name]})
        a, b = values(relation, there)
        errors.append(float(np.squeeze(a - b)))
        sizes.append(float(np.squeeze(order.size.value(there))))
    if abs(errors[0]) < 1e-9:
        return False
    ratio = errors[1] / errors[0] * sizes[0] / sizes[1]
    if not 0.6 < ratio < 1.6:
        raise WrongError(f"half of {name} changes the error by {errors[1] / errors[0]:.3f}")
    return True


def told(sheet):
    """Return the values of the symbols that are numbers, for a message."""
    values = (sheet.values | sheet.changed).items()
    return ", ".join(f"{name} = {v:.4g}" for name, v in values if isinstance(v, (int, float)))
