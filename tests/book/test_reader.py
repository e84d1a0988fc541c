"""The reader of formulas: what it takes for true, what for wrong, and what it refuses."""

import ast

import numpy as np
import pytest
from scipy import special

from tests.book.formulas import checking
from tests.book.formulas.checking import check
from tests.book.formulas.clauses import read
from tests.book.formulas.operators import minimise
from tests.book.formulas.sheet import (
    Candidates,
    Expectation,
    Function,
    Sheet,
    UnreadableError,
    WrongError,
    bit,
    index,
    integer,
    interval,
    real,
    unit,
)
from tools.facts import ROOT

MEANINGS = dict(  # noqa: C408
    m=5,
    n=3,
    K=4,
    i=index("m"),
    j=index("K"),
    k=index("K"),
    a=interval(0.5, 2),
    x=interval(-2, 2),
    y=bit(),
    t=unit(),
    w=real("n"),
    v=real("n"),
    s=real("K"),
    A=real("m", "n"),
    H=lambda A: A.T @ A,
    p=lambda s: special.softmax(s),
    f=Function(np.sin, at="x"),
    r=Function(np.abs),
    max=Function(max),
    E=lambda t: Expectation("y", {0: 1 - t, 1: t}),
    S=lambda: [{1, 2}, {3, 4, 5}],
    spread=lambda: Candidates([{"x": 0.0}, {"x": 2.0}]),
    tight={"x": 0.0},
    small="a",
    limit={"a": 1e-9},
)


def judged(tex, **other):
    check(tex, MEANINGS | other)


TRUE_AND_FALSE = [
    # arithmetic and TeX's spellings
    (r"\frac12 + \tfrac{1}{4} = 0.75", r"\frac13 + \tfrac{1}{4} = 0.75"),
    (r"2\,(a + 1) = 2a + 2", r"2\,(a + 1) = 2a + 1"),
    (r"\sqrt[3]{8} = 2", r"\sqrt{8} = 2"),
    (r"a / a \cdot a = a", r"a / (a \cdot a) = a"),
    (r"325{,}600 = 325600", r"325{,}600 = 325.6"),
    (r"\log 2 \approx 0.693", r"\log 2 \approx 0.694"),
    (r"\log_2 8 = 3", r"\log_8 2 = 3"),
    (r"\log 2 a = \log 2 + \log a", r"\log 2 a = \log 2 \log a"),
    (r"e^{x^2 - a} > e^{-a}", r"e^{x^2 - a} > e^a"),
    # indices, sums, extrema
    (r"\sum_{i=1}^{m} i = \frac{m (m + 1)}{2}", r"\sum_{i=2}^{m} i = \frac{m (m + 1)}{2}"),
    (r"\sum_k p_k = 1", r"\sum_k p_k^2 = 1"),
    (r"\sum_{k \ne j} p_k = 1 - p_j", r"\sum_{k \ne j} p_k = 1"),
    (r"\sum_{k:\, k > 1} p_k = 1 - p_1", r"\sum_{k:\, k > 1} p_k = 1 - p_2"),
    (r"\sum_{i \in S_1} i = 3", r"\sum_{i \in S_2} i = 3"),
    (r"|S_2| = 3", r"|S_1| = 3"),
    (r"\prod_{k=1}^{K} e^{s_k} = e^{\sum_k s_k}", r"\prod_{k=1}^{K} s_k = e^{\sum_k s_k}"),
    (r"\max_k |s_k| = \max(|s_1|, |s_2|, |s_3|, |s_4|)", r"\max_k s_k = \min_k s_k"),
    (r"\max_x (1 - x^2) = 1", r"\max_x (2 - x^2) = 1"),
    (r"\arg\min_x\; (x - \tfrac12)^2 = \tfrac12", r"\arg\min_x\; (x - 1)^2 = \tfrac12"),
    (r"\max_{\text{spread}} x = 2", r"\max_{\text{spread}} x = 1"),
    # vectors and matrices
    (r"w^\top v = \sum_{j=1}^{n} w_j v_j", r"w v^\top = \sum_{j=1}^{n} w_j v_j"),
    (r"\lVert A w \rVert^2 = w^\top H w", r"\lVert A w \rVert = w^\top H w"),
    (r"A w = A w", r"A w = w^\top A^\top"),
    (r"A_i^\top w = (A w)_i", r"A_i^\top v = (A w)_i"),
    (r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix} (a, 1) = (a, 1)",
     r"\begin{pmatrix} 1 & 1 \\ 0 & 1 \end{pmatrix} (a, 1) = (a, 1)"),
    (r"w \odot v = v \odot w", r"w \odot v = w^\top v"),
    # derivatives
    (r"\frac{\partial (x^2)}{\partial x} = 2x", r"\frac{\partial (x^2)}{\partial x} = x"),
    (r"\frac{\partial^2 (x^3)}{\partial x^2} = 6x", r"\frac{\partial^2 (x^3)}{\partial x^2} = 3x"),
    (r"\partial (x^2) / \partial x = 2x", r"\partial (x^2) / \partial x = 2"),
    (r"\nabla_w (w^\top w) = 2w", r"\nabla_w (w^\top w) = 2v"),
    (r"\nabla^2_w (w^\top w) \, v = 2v", r"\nabla^2_w (w^\top w) \, v = v"),
    (r"\frac{\partial p_j}{\partial s_k} = p_j (1_{j=k} - p_k)",
     r"\frac{\partial p_j}{\partial s_k} = p_k (1_{j=k} - p_k)"),
    (r"f''(x) = -f(x)", r"f'(x) = -f(x)"),
    (r"(f')^2 = 1 - f^2", r"(f')^2 = 1 - f"),
    (r"\frac{d|x|}{dx}\, |x| = x", r"\frac{d|x|}{dx}\, |x| = |x|"),
    (r"\int_{0}^{a} \frac{dx}{1 + x} = \log(1 + a)", r"\int_{0}^{a} x\, dx = \log(1 + a)"),
    # conditions, cases, words
    (r"y = 0 \quad (y < 1)", r"y = 1 \quad (y < 1)"),
    (r"y^2 = y, \qquad |y - 1| = 1 - y", r"y^2 = y, \qquad |y - 1| = y"),
    (r"r(x) = \begin{cases} x & \text{if } x > 0 \\ -x & x \le 0 \end{cases}",
     r"r(x) = \begin{cases} x & \text{if } x > 0 \\ x & x \le 0 \end{cases}"),
    (r"r(x) = \begin{cases} x & \text{if } x > 0 \\ -x & x \le 0 \end{cases}",
     r"r(x) = \begin{cases} x & \text{if } x > 0 \\ -x & x \le 1 \end{cases}"),
    (r"\begin{aligned} a \quad & a \\ t \quad & {-1} + t + 1 \end{aligned}",
     r"\begin{aligned} a \quad & a \\ t \quad & {-1} + t \end{aligned}"),
    (r"x > 0 \;\Longleftrightarrow\; e^x > 1", r"x > 0 \;\Longleftrightarrow\; e^x < 1"),
    (r"x > 1 \Longrightarrow x > 0", r"x > 0 \Longrightarrow x > 1"),
    (r"x^2 > y - 2 \text{ for all } x", r"x^2 > y \text{ for all } x"),
    (r"2y = x \text{ for some } x \in [0, 2]", r"2y = x \text{ for some } x \in [0, 1]"),
    (r"y \in \{0, 1\}", r"y \in \{1, 2\}"),
    (r"t \in [0, 1]", r"t \in [1, 2]"),
    (r"E\bigl[(y - t)^2\bigr] = t\,(1 - t)", r"E\bigl[(y - t)^2\bigr] = t\,(1 + t)"),
    (r"[\,y > 0\,] = y", r"[\,y < 1\,] = y"),
    (r"1 + x^2 \ge 1", r"2 + x^2 \ge 1"),
    (r"1 + x^2 > 1", r"2 + x^2 > 1"),
    (r"y = 1 \text{ if } y > 0, \text{ else } 0", r"y = 1 \text{ if } y > 0, \text{ else } 2"),
    (r"e^a = 1 + a + O(a^2)", r"e^a = 1 + a + O(a^3)"),
    (r"e^a = 1 + a + \text{terms in } a^2", r"e^a = 1 + 2a + \text{terms in } a^2"),
    (r"\frac{e^a - 1}{a} \to 1", r"\frac{e^a - 1}{a} \to 2"),
    (r"\underbrace{p_1 + p_2}_{1 - p_3 - p_4} = p_1 + p_2", r"\underbrace{p_1}_{p_2} = p_1"),
    (r"\max(s_1, \dots, s_K) = \max_k s_k", r"\max(s_1, \dots, s_K) = s_1"),
]  # fmt: skip


@pytest.mark.parametrize("formula", [true for true, _ in TRUE_AND_FALSE])
def test_a_true_formula_agrees(formula):
    judged(formula)


@pytest.mark.parametrize("formula", [false for _, false in TRUE_AND_FALSE])
def test_a_false_formula_does_not(formula):
    with pytest.raises((WrongError, UnreadableError)):
        judged(formula)


UNREADABLE = {
    r"a = b": "nothing is declared for the symbol b",
    r"a = \chi": "a number or a symbol that is known",
    r"a = ": "found the end, expected: a number",
    r"a = (a": r"expected: , or \mid or )",
    r"a = a)": "found ), expected",
    r"a = 1 1 a": "before a number",
    r"a = - - a": "a number, a symbol or a bracket",
    r"a = \frac{a}": "expected: an argument",
    r"a^12 = a^{12}": "TeX takes only the first digit of 12",
    r"a = a_{": "expected: }",
    r"a = \text{roughly } a": "nothing is declared for the symbol roughly",
    r"\begin{array} a & b \end{array}": "expected: cases, aligned, pmatrix",
    r"\frac{\partial^2 f}{\partial x} = 1": "order 2 above and 1 below",
    r"a_1 = a": "the index 1 of a value of shape ()",
    r"s_5 = 1": "too large",
    r"w + s = w": "do not add",
    r"A s = w": "do not multiply",
    r"x^2 \ge 0": "declare with `tight`",
    r"s^{()} = a": "expected: one number of steps in brackets",
    r"\sum_{j k} s_j = 1": "is no relation",
    r"a = a + O(a^2)": "declare with `small`",
    r"a \to 0": "declare symbols near the limit",
    r"a + a + x + \dots \to 0": "a term, as those before differ",
    r"a + a - \dots \to 0": "a term, as those before differ",
    r"t < (2, 3)": "a list on one side of <",
    r"a": "declare the value of the expression as clause_1",
    r"a = a \quad (y > 2)": "no points meet its conditions",
    r"x > 9 \Longrightarrow x > 8": "always true or always false",
    r"P(z = 1 \mid x) = 1": "expected y = … before the bar",
}


@pytest.mark.parametrize(("formula", "message"), UNREADABLE.items())
def test_what_cannot_be_read_is_an_error_that_says_why(formula, message):
    symbols = {k: v for k, v in MEANINGS.items() if k not in checking.OPTIONS}
    with pytest.raises(UnreadableError) as error:
        check(formula, symbols)
    assert message in str(error.value)


def test_an_error_says_where():
    with pytest.raises(UnreadableError) as error:
        read(r"a + b = \frac{a}{\oops}")
    assert error.value.at == r"a + b = \frac{a}{\oops}".index(r"\oops")


def test_a_bound_must_be_reached():
    with pytest.raises(WrongError, match="the bound is not reached"):
        judged(r"|x| \le 2 + a", tight={"x": 2.0})
    judged(r"|x| \le 2", tight={"x": 2.0})


def test_a_condition_asks_for_no_more_than_is_needed():
    edges = [{"x": 1.0}]
    judged(r"\max(x, 1) = 1 \quad \text{if} \quad x \le 1", edges=edges)
    for bound in ("0", "2"):
        with pytest.raises(WrongError, match="no edge"):
            judged(rf"\max(x, 1) = 1 \quad \text{{if}} \quad x \le {bound}", edges=edges)


def test_an_endless_sum_of_rounded_numbers_halts():
    rounded = {"fl": Function(lambda x: float(np.float16(x))), "limit": {}, "a": 2.0**-9}
    judged(r"a + a + \dots \to 2^{11} a", **rounded)
    with pytest.raises(WrongError, match="does not go to"):
        judged(r"a + a + \dots \to 2^{12} a", **rounded)
    with pytest.raises(UnreadableError, match="does not halt"):
        judged(r"a + a + \dots \to a", **rounded | {"fl": Function(float)})


def test_infinity_equals_infinity_only():
    exponential = {"f": Function(lambda x: float(np.float16(np.exp(x)))), "x": interval(10, 12)}
    judged(r"f(x) = \infty \Longleftrightarrow x > \log 65520", **exponential)
    with pytest.raises(WrongError):
        judged(r"f(x) = \infty \Longleftrightarrow x > 11", **exponential)


def test_a_change_is_seen_by_all_that_depends_on_it():
    sheet = Sheet({"a": real(), "b": lambda a: 2 * a, "c": lambda b: b + 1, "d": real()}, seed=0)
    before = sheet["c"], sheet["d"]
    assert sheet.change(a=5.0)["c"] == 11
    assert sheet.change(b=5.0)["c"] == 6
    assert sheet.change(a=5.0)["d"] == before[1]
    assert sheet["c"] == before[0]


def test_what_a_change_leaves_as_it_is_is_computed_once():
    seen = []
    sheet = Sheet({"a": real(), "b": lambda a: seen.append(a) or a, "d": real()}, seed=0)
    values = {sheet.change(d=1.0).change(d=float(k))["b"] for k in range(3)}
    assert seen == list(values) == [sheet["a"]]


def test_a_circle_of_meanings_is_named():
    sheet = Sheet({"a": lambda b: b, "b": lambda a: a}, seed=0)
    with pytest.raises(UnreadableError, match="a -> b -> a"):
        sheet["a"]


def test_steep_places_and_kinks_are_met_by_smaller_steps(monkeypatch):
    near_kink = {"x": interval(0.003, 0.006)}
    formula = r"\frac{d|x|}{dx} = 1"
    judged(formula, **near_kink)
    monkeypatch.setattr(checking, "STEPS", checking.STEPS[:2])
    with pytest.raises((UnreadableError, WrongError)):
        judged(formula, **near_kink)


@pytest.mark.parametrize("steeper", [1, 1.15, 2])
def test_a_minimum_is_found_in_a_bend_and_in_a_kink(steeper):
    bend = minimise(lambda x: np.exp(x) - (1 + steeper) * x, -3, 3)
    assert bend == pytest.approx(np.log(1 + steeper), abs=1e-9)
    kink = minimise(lambda x: max(1 - x, steeper * (x - 1)), -3, 3)
    assert kink == pytest.approx(1, abs=1e-7)


def test_every_seed_gives_other_points_and_the_same_seed_the_same():
    meanings = {"a": real("n"), "n": integer(2, 3)}
    first, again, other = (Sheet(meanings, seed)["a"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_reader_knows_nothing_of_the_package():
    for path in (ROOT / "tests/book/formulas").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.module.split(".")[0] in {
                    "collections", "dataclasses", "functools", "itertools", "scipy",
                } or node.module.startswith("tests.book.formulas"), node.module  # fmt: skip
