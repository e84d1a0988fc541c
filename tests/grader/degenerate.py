"""Answers that need no understanding: which of them would a hidden test take for right?

An answer is degenerate if it is a constant, an input or an entry of one, a simple function of
these, or an answer to an earlier call. The rule is the same for all calls of a test, for instance
``rates[3]`` or zeros; each part of a tuple may have a rule of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import combinations, permutations
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

from grader import assignment
from grader.assignment import Assignment, HiddenTest
from lossutils._compare import FLOOR, TOL, agrees, numbers, relative_error

CONSTANTS = (*range(-2, 41), 0.1, 0.25, 0.5, 0.75, -0.5, 1e2, 1e3, np.e, np.nan, np.inf, -np.inf)

FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "{}": np.positive,
    "-{}": np.negative,
    "|{}|": np.abs,
    "-|{}|": lambda x: -np.abs(x),
    "sign({})": np.sign,
    "max({}, 0)": lambda x: np.maximum(x, 0),
    "min({}, 0)": lambda x: np.minimum(x, 0),
    "{} > 0": lambda x: np.where(x > 0, 1.0, 0.0),
    "{}²": np.square,
    "2·{}": lambda x: 2 * x,
    "{}/2": lambda x: x / 2,
    "1/{}": lambda x: 1 / x,
    "1 - {}": lambda x: 1 - x,
    "exp({})": np.exp,
    "log({})": np.log,
}
STATISTICS: dict[str, Callable[..., np.ndarray]] = {
    "min": np.min,
    "max": np.max,
    "mean": np.mean,
    "median": np.median,
    "sum": np.sum,
    "std": np.std,
}

Inputs = dict[str, np.ndarray]
Parts = list[np.ndarray]


class Call:
    """A call of the student's function by a hidden test, and the result that is right.

    Attributes
    ----------
    args : dict of str to argument
        The arguments, by name.
    right : number, array or tuple of these
        The right result.
    inputs : dict of str to array
        The arguments as arrays.
    parts : list of array
        The parts of the right result: one, unless the function returns a tuple.
    tol, floor : float
        What the hidden test tolerates.
    """

    def __init__(self, args: Mapping[str, Any], right: Any, tol: float, floor: float):
        self.args, self.right = args, right
        self.inputs = {name: np.array(value, dtype=np.float64) for name, value in args.items()}
        self.parts = parts(right)
        self.tol, self.floor = tol, floor

    def accepted(self, part: int, earlier: Mapping[str, Parts]) -> set[str]:
        """Names of the rules whose answer to a part would be taken for right."""
        right = self.parts[part]
        rules: set[str] = set()

        def try_all(names: list[str], answers: list[np.ndarray], pattern: str = "{}") -> None:
            if names:
                stack = np.reshape(answers, (len(names), right.size))
                error = relative_error(stack, right.ravel(), self.floor)
                fine = np.flatnonzero((error <= self.tol).all(axis=1))
                rules.update(pattern.format(names[k]) for k in fine)

        with np.errstate(all="ignore"):
            names, values = fitting(simple(self.inputs), right.shape)
            for pattern, function in FUNCTIONS.items():
                try_all(names, [function(np.array(values))] if names else [], pattern)
            try_all(*fitting(pairs(self.inputs), right.shape))
        try_all(*fitting(((f"{value:g}", np.array(value)) for value in CONSTANTS), right.shape))
        old = ((name, p[part]) for name, p in earlier.items() if len(p) == len(self.parts))
        try_all(*fitting(old, right.shape))
        return rules


def parts(result: Any) -> Parts:
    """Parts of a tuple, or the only part of another result."""
    found = [numbers(part) for part in (result if isinstance(result, tuple) else (result,))]
    assert all(part is not None for part in found), "answers are numbers, or tuples of these"
    return [part for part in found if part is not None]


def fitting(
    named: Iterator[tuple[str, np.ndarray]], shape: tuple[int, ...]
) -> tuple[list[str], list[np.ndarray]]:
    """Names and values of what has a shape, or is a single number, which is repeated."""
    fit = [(name, value) for name, value in named if value.shape in ((), shape)]
    return [name for name, _ in fit], [np.broadcast_to(value, shape) for _, value in fit]


def simple(inputs: Inputs) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the inputs, their entries, rows, columns, sizes and statistics."""
    for name, value in inputs.items():
        yield name, value
        if value.ndim == 0:
            continue
        for axis in range(value.ndim):
            yield f"{name}.shape[{axis}]", np.array(value.shape[axis])
        for statistic, function in STATISTICS.items():
            yield f"{statistic}({name})", np.asarray(function(value))
            if value.ndim == 2:
                yield f"{statistic}({name}, axis=0)", function(value, axis=0)
                yield f"{statistic}({name}, axis=1)", function(value, axis=1)
        if value.ndim == 2:
            yield f"{name}.T", value.T
            for k, column in enumerate(value.T):
                yield f"{name}[:, {k}]", column
        ordered = np.sort(value, axis=0)
        for k in range(-min(len(value), 40), min(len(value), 40)):
            yield f"{name}[{k}]", value[k]
            yield f"sort({name})[{k}]", ordered[k]
    for (name, value), (other, key) in permutations(inputs.items(), 2):
        if value.ndim == key.ndim == 1 and len(value) == len(key):
            yield f"{name}[argmin({other})]", value[np.argmin(key)]
            yield f"{name}[argmax({other})]", value[np.argmax(key)]
        if value.ndim > 0 and key.ndim > 0:
            if value.shape[-1] == key.shape[0]:
                yield f"{name}@{other}", np.asarray(value @ key)
            if value.ndim == 2 and len(value) == len(key):
                yield f"{name}.T@{other}", value.T @ key


def pairs(inputs: Inputs) -> Iterator[tuple[str, np.ndarray]]:
    """Yield products, quotients, sums and differences of two inputs, or of their logarithms."""
    logs = {f"log({name})": np.log(value) for name, value in inputs.items()}
    for (a, x), (b, y) in combinations((inputs | logs).items(), 2):
        if x.shape == y.shape or () in (x.shape, y.shape):
            yield f"{a}·{b}", x * y
            yield f"{a}/{b}", x / y
            yield f"{b}/{a}", y / x
            yield f"{a} + {b}", x + y
            yield f"{a} - {b}", x - y


@contextmanager
def instead_of_compare(test: HiddenTest, function: Callable) -> Iterator[None]:
    """Let a hidden test call another function than `compare`, itself or through `judge`."""
    with ExitStack() as stack:
        for scope in (vars(assignment), test.function.__globals__):
            if "compare" in scope:
                stack.enter_context(patch.dict(scope, compare=function))
        yield


def recorded(test: HiddenTest, loaded: Assignment, seed: str) -> list[Call]:
    """Run a hidden test on the reference solution; return its calls, with the right results."""
    calls: list[Call] = []
    asked: list[tuple[Mapping[str, Any], Any]] = []
    solution = getattr(loaded.reference, test.question)
    names = solution.__code__.co_varnames

    def answer(*args: Any) -> Any:
        asked.append((dict(zip(names, args, strict=False)), solution(*args)))
        return asked[-1][1]

    def compare(given: Any, right: Any, mistakes: Any = None, **how: float) -> None:
        arguments, answered = asked.pop()
        assert not asked, "a test compares the result of each call"
        assert given is answered, "each result goes to `compare` as it is"
        as_graded(given, right, **how)
        calls.append(Call(arguments, right, how.get("tol", TOL), how.get("floor", FLOOR)))

    as_graded, student = assignment.compare, SimpleNamespace(**{test.question: answer})
    with np.errstate(all="ignore"), instead_of_compare(test, compare):
        test.function(student, loaded.reference, loaded.rng(test, seed))
    assert calls, "a test calls the student's function"
    assert not asked, "a test compares the result of each call"
    return calls


def passing(calls: list[Call], earlier: Mapping[str, list[Parts]]) -> list[set[str]]:
    """Return the rules that pass all calls of a test, for each part; nothing if none does.

    ``earlier`` holds answers that a student may have from elsewhere: for each name, the parts of
    the answer to each call.
    """
    rules: list[set[str]] = []
    for part in range(len(calls[0].parts)):
        common: set[str] = set()
        for k, call in enumerate(calls):
            old = {name: answers[k] for name, answers in earlier.items() if k < len(answers)}
            accepted = call.accepted(part, old)
            common = accepted if k == 0 else common & accepted
            if not common:
                return []
        rules.append(common)
    return rules


def passes_without(name: str, constant: int, calls: list[Call], solution: Callable) -> bool:
    """Whether the reference passes a test with a constant in place of an argument."""
    for call in calls:
        value = call.args[name]
        put = np.full_like(value, constant) if np.ndim(value) else type(value)(constant)
        try:
            with np.errstate(all="ignore"):
                answer = solution(**{**call.args, name: put})
        except Exception:  # no class, no step: the constant makes no sense here
            return False
        if not agrees(answer, call.right, tol=call.tol, floor=call.floor):
            return False
    return True
