"""Read the LaTeX of a displayed formula into trees.

The reader knows the notation of this book and nothing more. What it does not know is an error that
names the position and what was expected: nothing is skipped, save spaces and the sizes of brackets.
"""

import re

from tests.book.formulas import nodes, operators, structures
from tests.book.formulas.nodes import Brackets, Name, Number, Script
from tests.book.formulas.relations import Interval, Relation, Set
from tests.book.formulas.sheet import UnreadableError

RELATIONS = {
    "=": "=", "<": "<", ">": ">", r"\le": "≤", r"\ge": "≥", r"\ne": "≠", r"\approx": "≈",
    r"\in": "∈", r"\to": "→",
}  # fmt: skip
ARROWS = {r"\Longleftrightarrow", r"\Longrightarrow"}
GAPS = {r"\quad", r"\qquad"}
OPERATORS = {r"\cdot": "·", r"\odot": "⊙", "/": "/"}
ACCENTS = {r"\hat", r"\bar", r"\tilde"}
RENAMED = {"lambda": "lam"}  # Python's own word
CONDITION = {"if", "for", "at", "where", "when", "with"}
"""Words after which a condition follows; "at" and "with" introduce a claim."""
CLOSING = {
    *(")", "]", "}", r"\}", r"\rvert", r"\rVert", r"\mid", ",", "&", r"\\", r"\end", ":", "."),
    None,  # the end
}
GREEK = re.compile(
    r"\\(alpha|beta|gamma|[dD]elta|varepsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|[pP]hi"
    r"|omega|ell)"
)


class Reader:
    """Reads a list of tokens by recursive descent."""

    def __init__(self, tokens, end=None, products=None):
        self.tokens, self.place = tokens, 0
        self.end = end if end is not None else (tokens[-1].at + 1 if tokens else 0)
        self.in_bars = self.in_integral = False
        self.products = [] if products is None else products  # (first, last token) of each factor

    # ---- tokens ----------------------------------------------------------------------------------

    def token(self, ahead=0):
        place = self.place + ahead
        return self.tokens[place] if place < len(self.tokens) else None

    def peek(self, ahead=0):
        token = self.token(ahead)
        return token.text if token else None

    @property
    def at(self):
        return self.token().at if self.token() else self.end

    def next(self, expected="more"):
        if not self.token():
            raise UnreadableError(f"the formula ends; expected: {expected}", self.end)
        self.place += 1
        return self.tokens[self.place - 1]

    def expect(self, *texts):
        if self.peek() not in texts:
            raise self.unexpected(" or ".join(texts))
        return self.next()

    def accept(self, *texts):
        return self.next() if self.peek() in texts else None

    def unexpected(self, expected):
        found = self.peek() or "the end"
        return UnreadableError(f"found {found}, expected: {expected}", self.at)

    def group(self):
        """Return a reader of one TeX argument: a group, or one token with its own arguments."""
        start = self.place
        if self.peek() != "{":
            token = self.next("an argument")
            if len(token.text) > 1 and token.text.isdigit():
                raise UnreadableError(f"TeX takes only the first digit of {token.text}", token.at)
            for _ in range({r"\frac": 2}.get(token.text, token.text in ACCENTS)):
                self.group()
            return self.inner(start, self.place)
        depth = 0
        while True:
            depth += {"{": 1, "}": -1}.get(self.next("}").text, 0)
            if depth == 0:
                return self.inner(start + 1, self.place - 1)

    def inner(self, start, stop):
        end = self.tokens[stop].at if stop < len(self.tokens) else self.end
        reader = Reader(self.tokens[start:stop], end, self.products)
        reader.in_integral = self.in_integral
        return reader

    def whole(self, rule):
        """Read all tokens by a rule: a function of a reader, or the name of a method."""
        node = getattr(self, rule)() if isinstance(rule, str) else rule(self)
        if self.token():
            raise self.unexpected("the end of the group")
        return node

    def words(self, *known):
        """Accept \\text{…} with one of some words."""
        token = self.token()
        return self.next().words if token and token.words in known else None

    # ---- relations ------------------------------------------------------------------------------

    def skip_gaps(self):
        while self.accept(*GAPS):
            pass

    def relation(self):
        """Read a side, or a chain of sides."""
        at = self.at
        sides, operators = [self.sum()], []
        if self.starts_cases_of_relations():
            return structures.environment(self, at, sides[0])
        while self.peek() in RELATIONS:
            operators.append(RELATIONS[self.next().text])
            self.skip_gaps()
            sides.append(self.set() if operators[-1] == "∈" else self.sum())
            if operators[-1] == "≠" and self.peek() == "," and not self.in_bars:
                sides[-1] = self.listed(sides[-1])
        return Relation(tuple(operators), tuple(sides), at=at) if operators else sides[0]

    def relation_after(self, left):
        """Read "= 1" or "∈ [0, 1]", whose left side stands elsewhere."""
        operator = RELATIONS[self.expect(*RELATIONS).text]
        return Relation((operator,), (left, self.set() if operator == "∈" else self.sum()))

    def starts_cases_of_relations(self):
        """Say whether cases such as "= 0 if …" come."""
        return self.peek() == r"\begin" and self.peek(len("{cases}") + 1) in RELATIONS

    def listed(self, first):
        """Read the rest of "i ≠ j, y"."""
        items = [first]
        while self.peek() == "," and self.peek(1) not in GAPS and self.token(1):
            self.next()
            items.append(self.sum())
        return Brackets(tuple(items)) if len(items) > 1 else first

    def set(self):
        """Read [a, b], {a, b}, or the name of a set."""
        at = self.at
        if opening := self.accept("[", r"\{"):
            items = [self.sum()]
            while self.accept(","):
                items.append(self.sum())
            self.expect("]" if opening.text == "[" else r"\}")
            return Interval(*items, at=at) if opening.text == "[" else Set(tuple(items))
        return self.factor()

    def is_condition(self):
        """Say whether the brackets that come are a condition: they hold a relation and no bar."""
        depth = found = 0
        for ahead in range(len(self.tokens) - self.place):
            text = self.peek(ahead)
            depth += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
            if depth == 0:
                return bool(found)
            if depth == 1 and text == r"\mid":
                return False
            found += depth == 1 and text in RELATIONS
        return False

    # ---- sums and products -----------------------------------------------------------------------

    def sum(self):
        at, terms = self.at, []
        while True:
            sign = 1
            if token := self.accept("+", "-", r"\pm", r"\mp"):
                sign = {"+": 1, "-": -1, r"\pm": 2, r"\mp": -2}[token.text]
            if terms and self.peek() == r"\dots":
                return self.endless([*terms, (sign, terms[0][1])], at)
            term = self.product()
            terms.append((sign, term))
            if self.peek() not in ("+", "-", r"\pm", r"\mp"):
                break
        return term if len(terms) == 1 and sign == 1 else nodes.Sum(tuple(terms), at=at)

    def endless(self, terms, at):
        """Read the dots of a + a + a + …"""
        if any(term != (1, terms[0][1]) for term in terms):
            raise self.unexpected("a term, as those before differ in themselves or in sign")
        self.next()
        return operators.EndlessSum(terms[0][1], at=at)

    def starts_factor(self):
        token, text = self.token(), self.peek()
        if text in CLOSING or text in RELATIONS or text in GAPS or text in ARROWS:
            return False
        if text in ("+", "-", r"\pm", r"\mp", "^", "_", "'", "!", *OPERATORS):
            return False
        if token.words in CONDITION | {"for all", "for some", "else"}:
            return False
        if token.words and token.words.startswith("("):
            return False
        if text == "|" and self.in_bars:
            return False
        if text == "d" and self.in_integral:
            return False
        if self.starts_cases_of_relations():
            return False
        return not (text == "(" and self.is_condition())

    def product(self):
        at, factors, operator = self.at, [], ""
        spans = []
        while True:
            if not self.starts_factor():
                raise self.unexpected("a number, a symbol or a bracket")
            first = self.token().number
            if factors and not operator and self.peek()[0].isdigit():
                raise self.unexpected(r"\cdot or an operator before a number")
            factors.append((operator, self.factor()))
            spans.append((first, self.tokens[self.place - 1].number))
            operator = ""
            if token := self.accept(*OPERATORS):
                operator = OPERATORS[token.text]
            elif not self.starts_factor():
                break
        if len(factors) == 1:
            return factors[0][1]
        self.products += spans
        return nodes.Product(tuple(factors), at=at)

    # ---- factors ---------------------------------------------------------------------------------

    def factor(self):
        at, text = self.at, self.next("a number or a symbol").text
        if text[0].isdigit():
            digits = text.replace("{,}", "")
            decimals = len(digits.partition(".")[2])
            return self.scripts(Number(float(digits), decimals, at=at))
        if text == "(":
            return self.scripts(self.brackets(")", at))
        if text == "[":
            return self.scripts(self.brackets("]", at))
        if text == "{":
            self.place -= 1
            return self.scripts(self.group().whole("sum"))
        if text in ("|", r"\lvert", r"\lVert"):
            return self.scripts(self.bars(text, at))
        if text == "O" and self.peek() == "(":
            return structures.order(self, at)
        if text in structures.READERS:
            return self.scripts(structures.READERS[text](self, at))
        name = self.name(text)
        if name is None:
            self.place -= 1
            raise self.unexpected("a number or a symbol that is known")
        return self.scripts(Name(name, at=at))

    def name(self, text):
        """Return the name of a symbol, as the meanings spell it."""
        if text in ACCENTS:
            return text[1:] + "_" + self.group().spelled()
        if match := re.fullmatch(r"\\(mathcal|mathbb|mathbf)\s*\{?([A-Za-z]+)\}?", text):
            return {"mathcal": "cal_", "mathbb": "bb_", "mathbf": "bold_"}[match[1]] + match[2]
        if match := re.fullmatch(r"\\(?:text|operatorname|mathrm)\s*\{(.*)\}", text):
            return re.sub(r"\W+", "_", match[1].strip())
        if text in (r"\max", r"\min", r"\cosh", r"\tanh"):  # the first two in a subscript
            return text[1:]
        if GREEK.fullmatch(text) or re.fullmatch("[A-Za-z]", text):
            return RENAMED.get(text.lstrip("\\"), text.lstrip("\\"))
        return None

    def spelled(self):
        """Return a subscript as a part of a name."""
        words = []
        while self.token():
            text = self.next().text
            words.append(text if text.isdigit() else self.name(text) or text)
        return "".join(words)

    def brackets(self, closing, at):
        in_bars, self.in_bars = self.in_bars, False
        items = []
        if not self.accept(closing):
            while True:
                items.append(nodes.Dots(at=self.at) if self.accept(r"\dots") else self.argument())
                self.skip_gaps()
                if self.expect(",", r"\mid", closing).text == closing:
                    break
        self.in_bars = in_bars
        return Brackets(tuple(items), at=at)

    def argument(self):
        """Read one of the items in brackets. P(y = 1 | x) means P(1 | x)."""
        self.words("class")
        item = self.relation()
        if self.peek() == r"\mid" and isinstance(item, Relation):
            if item.operators != ("=",) or item.sides[0] != Name("y"):
                raise UnreadableError("expected y = … before the bar", item.at)
            return item.sides[1]
        return item

    def bars(self, opening, at):
        closing = {"|": "|", r"\lvert": r"\rvert", r"\lVert": r"\rVert"}[opening]
        in_bars, self.in_bars = self.in_bars, opening == "|"
        inside = self.relation()
        self.expect(closing)
        self.in_bars = in_bars
        return (operators.Norm if opening == r"\lVert" else operators.Bars)(inside, at=at)

    def scripts(self, node):
        """Read primes, subscripts and superscripts."""
        found, exponent = {}, None
        while self.peek() in ("_", "^", "'"):
            kind = self.next().text
            if kind == "'":
                found["primes"] = found.get("primes", 0) + 1
            elif kind == "_":
                if "below" in found:
                    raise self.unexpected("one subscript")
                found["below"], found["indices"] = self.group().subscript()
            elif exponent or "above" in found or "transposed" in found or "step" in found:
                raise self.unexpected("one superscript")
            else:
                group = self.group()
                texts = [token.text for token in group.tokens]
                if texts == [r"\top"]:
                    found["transposed"] = True
                elif texts == ["*"]:
                    found["above"] = "star"
                elif len(texts) == 1 and group.token().words:
                    found["above"] = group.token().words
                elif texts[:1] == ["("] and texts[-1:] == [")"]:
                    step = group.whole("factor")
                    if not isinstance(step, Brackets) or len(step.items) != 1:
                        raise self.unexpected("one number of steps in brackets")
                    found["step"] = step.items[0]
                else:
                    exponent = group.whole("sum")
        if found:
            node = Script(node, exponent=exponent, at=node.at, **found)
        elif exponent:
            node = nodes.Power(node, exponent, at=node.at)
        return operators.Factorial(node, at=node.at) if self.accept("!") else node

    def subscript(self):
        """Return a subscript as a part of a name, and as indices if it can be read so."""
        if not self.token():
            raise self.unexpected("a subscript")
        spelled = Reader(self.tokens, self.end).spelled()
        try:
            if any(token.text in RELATIONS for token in self.tokens):
                return spelled, (self.whole("relation"),)
            if any(token.text in "+-" for token in self.tokens):
                return spelled, (self.whole("sum"),)
            indices = []
            while self.token():
                indices.append(self.factor())
                self.accept(",")
            return spelled, tuple(indices)
        except UnreadableError:
            return spelled, None
