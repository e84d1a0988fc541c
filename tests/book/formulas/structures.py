"""Read what has arguments of its own: fractions, derivatives, sums, integrals, cases, tables.

Each function goes on where the reader stands: behind the command, which begins at `at`.
"""

from dataclasses import replace

from tests.book.formulas import nodes, operators
from tests.book.formulas.nodes import Name, Number, Script
from tests.book.formulas.relations import All, Cases, Relation
from tests.book.formulas.sheet import UnreadableError


def fraction(reader, at):
    above, below = reader.group(), reader.group()
    texts = [token.text for token in above.tokens]
    if reader.in_integral and texts[:1] == ["d"]:
        reader.differential = symbol(above.whole(variable)[1])
        return nodes.Fraction(Number(1.0), below.whole("sum"), at=at)
    if texts and texts[0] in (r"\partial", "d") and below.peek() == texts[0] and "/" not in texts:
        order, *of = above.whole(derived)
        node = of[0] if of else reader.factor()
        return derivative(order, node, below.whole(variable), at)
    above, below = (part.whole("sum") for part in (above, below))
    return nodes.Fraction(above, below, at=at)


def derived(reader):
    """Read ∂²L or ∂: the order, and what is derived if it stands here."""
    reader.next()
    order = order_of(reader)
    return (order, reader.sum()) if reader.token() else (order,)


def order_of(reader):
    """Read the exponent of ∂², if there is one."""
    return whole_number(reader.group().whole("factor")) if reader.accept("^") else 1


def whole_number(node):
    if not isinstance(node, Number):
        raise UnreadableError("expected the order of a derivative: 2, 3, …", node.at)
    return int(node.constant)


def variable(reader):
    """Read ∂z²: the order and the symbol."""
    reader.next()
    node = reader.factor()
    if isinstance(node, nodes.Power):
        return whole_number(node.exponent), node.base
    if isinstance(node, Script) and node.exponent:
        return whole_number(node.exponent), replace(node, exponent=None)
    return 1, node


def symbol(node):
    if not isinstance(node, Name):
        raise UnreadableError("expected a symbol", node.at)
    return node.name


def derivative(order, of, by, at):
    if order != by[0]:
        raise UnreadableError(f"a derivative of order {order} above and {by[0]} below", at)
    return operators.Derivative(order, of, by[1], at=at)


def slashed_derivative(reader, at):
    """Read ∂L / ∂z."""
    order, of = order_of(reader), reader.factor()
    reader.expect("/")
    if reader.peek() != r"\partial":
        raise reader.unexpected(r"\partial")
    return derivative(order, of, variable(reader), at)


def root(reader, at):
    degree = Number(2.0)
    if reader.accept("["):
        degree = reader.sum()
        reader.expect("]")
    radicand = reader.group().whole("sum")
    return nodes.Power(radicand, nodes.Fraction(Number(1.0), degree), at=at)


def logarithm(function):
    def read(reader, at):
        base = reader.group().whole("sum") if reader.accept("_") else None
        if reader.peek() == "(":
            return operators.Log(function, reader.factor(), base, at=at)
        start, factors = reader.at, [("", reader.factor())]
        while reader.starts_factor() and reader.peek() not in (r"\log", r"\sum"):
            factors.append(("", reader.factor()))
        argument = nodes.Product(tuple(factors), at=start) if len(factors) > 1 else factors[0][1]
        return operators.Log(function, argument, base, at=at)

    return read


def underbrace(reader, at):
    body = reader.group().whole("sum")
    reader.expect("_")
    return operators.Underbrace(body, reader.group().whole("sum"), at=at)


def gradient(reader, at):
    order, by = 1, None
    while token := reader.accept("_", "^"):
        group = reader.group()
        if token.text == "_":
            by = group.spelled()
        else:
            order = whole_number(group.whole("factor"))
    of = reader.factor()
    argument = None
    if reader.peek() == "(" and isinstance(of, (Name, Script)):
        reader.next()
        argument = reader.brackets(")", at)
    return operators.Nabla(order, by, of, argument, at=at)


def over(operator):
    """Read a sum, product or extremum with what it runs over."""

    def read(reader, at):
        if operator in ("max", "min") and reader.peek() != "_":
            return Name(operator, at=at)
        reader.expect("_")
        below = reader.group()
        bound = below.name(below.next("a symbol").text)
        if bound is None:
            raise UnreadableError("expected the symbol that it runs over", at)
        first = condition = last = None
        if below.accept("="):
            first = below.sum()
        elif below.accept(r"\in"):
            condition = below.set()
        elif below.accept(":"):
            condition = below.relation()
        elif below.token():
            below.place = 0
            condition = below.relation()
            if not isinstance(condition, Relation):
                raise UnreadableError("what the index runs over is no relation", condition.at)
        if below.token():
            raise below.unexpected("what the index runs over")
        if reader.accept("^"):
            last = reader.group().whole("sum")
        negative = reader.accept("-")
        body = reader.product()
        body = nodes.Sum(((-1, body),), at=body.at) if negative else body
        return operators.Over(operator, bound, first, last, condition, body, at=at)

    return read


def integral(reader, at):
    reader.expect("_")
    low = reader.group().whole("sum")
    reader.expect("^")
    high = reader.group().whole("sum")
    reader.in_integral, reader.differential = True, None
    body = reader.product()
    reader.in_integral = False
    if reader.differential is None:
        reader.expect("d")
        reader.differential = symbol(reader.factor())
    return operators.Integral(reader.differential, low, high, body, at=at)


def order(reader, at):
    """Read O(h²)."""
    return operators.Order(reader.factor(), at=at)


# ---- environments --------------------------------------------------------------------------------


def environment(reader, at, left=None):
    """Read an environment; `left` is the left side of the relations in its cases."""
    if left is not None:
        reader.expect(r"\begin")
    kind = "".join(token.text for token in reader.group().tokens)
    if kind not in ENVIRONMENTS:
        raise UnreadableError(f"the environment {kind}, expected: {', '.join(ENVIRONMENTS)}", at)
    rows = [ENVIRONMENTS[kind](reader, left)]
    while reader.expect(r"\\", r"\end").text != r"\end":
        rows.append(ENVIRONMENTS[kind](reader, left))
    end = "".join(token.text for token in reader.group().tokens)
    if end != kind:
        raise UnreadableError(f"the end of {end} in {kind}", at)
    return {"cases": Cases, "aligned": All, "pmatrix": operators.Blocks}[kind](tuple(rows), at=at)


def case(reader, left):
    content = reader.relation_after(left) if left is not None else reader.sum()
    reader.expect("&")
    reader.words("if", "for")
    return content, reader.relation()


def line(reader, _):
    """Read a named line of a table, as the claim that the name has this value."""
    name = reader.factor()
    reader.skip_gaps()
    reader.expect("&")
    at, content = reader.at, reader.sum()
    if reader.words("for"):
        rows = [(content, reader.relation())]
        reader.expect(",")
        if not reader.words("else"):
            raise reader.unexpected("else")
        content = Cases((*rows, (reader.sum(), None)), at=at)
    return Relation(("=",), (name, content), at=at)


def matrix_row(reader, _):
    items = [reader.sum()]
    while reader.accept("&"):
        items.append(reader.sum())
    return tuple(items)


ENVIRONMENTS = {"cases": case, "aligned": line, "pmatrix": matrix_row}

READERS = {
    r"\frac": fraction,
    r"\partial": slashed_derivative,
    r"\sqrt": root,
    r"\log": logarithm("log"),
    r"\exp": logarithm("exp"),
    r"\underbrace": underbrace,
    r"\nabla": gradient,
    r"\int": integral,
    r"\begin": environment,
    r"\infty": lambda reader, at: Number(float("inf"), at=at),
    r"\text{terms in }": order,
    **{rf"\{operator}": over(operator) for operator in ("sum", "prod", "max", "min", "argmin")},
}
