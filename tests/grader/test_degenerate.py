"""No question gives a point to an answer that needs no understanding, whatever the seed."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from grader import assignment, compare
from grader.assignment import Assignment, HiddenTest
from tests.grader.degenerate import parts, passes_without, passing, recorded

NAMES = assignment.chapters()
SEEDS = [f"seed {number}" for number in range(12)]


def checked(chapter):
    """Answers that the visible checks print, for each question."""
    answers = {}

    def check(function, *args, expected, mistakes=None):
        answers.setdefault(function.__name__, []).append(parts(expected))

    names = {"np": np, "check": check, "check_evidence": lambda *args, **among: None}
    for cell in assignment.load_master(chapter)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "lossutils" not in source:
            exec(source, names)
    return answers


def unearned(loaded, checks):
    """Hidden tests that a degenerate answer passes: name, seed, and rules for each part."""
    runs = {seed: {t.name: recorded(t, loaded, seed) for t in loaded.tests} for seed in SEEDS}
    for seed in SEEDS:
        last = []
        for test in loaded.tests:
            calls = runs[seed][test.name]
            earlier = {
                f"the answer with {other}": [call.parts for call in runs[other][test.name]]
                for other in SEEDS
                if other != seed
            }
            earlier["the last answer"] = [last, *(call.parts for call in calls[:-1])]
            for number, answer in enumerate(checks.get(test.question, ())):
                earlier[f"the answer to check {number}"] = [answer] * len(calls)
            last = calls[-1].parts
            if rules := passing(calls, earlier):
                yield test.name, seed, rules


@pytest.mark.parametrize("chapter", NAMES)
def test_degenerate_answer_earns_nothing(chapter):
    found = list(unearned(assignment.load(chapter), checked(chapter)))
    assert not found, [
        (name, seed, [min(part, key=len) for part in rules]) for name, seed, rules in found
    ]


def ignored(loaded, seed):
    """Arguments that a solution may ignore in some tests of a question, but not in all."""
    calls = {test: recorded(test, loaded, seed) for test in loaded.tests}
    for question in loaded.questions:
        tests = [test for test in loaded.tests if test.question == question]
        for name in calls[tests[0]][0].args:
            for constant in (0, 1):
                solution = getattr(loaded.reference, question)
                passed = [
                    t.name for t in tests if passes_without(name, constant, calls[t], solution)
                ]
                if 0 < len(passed) < len(tests):
                    yield passed, name, constant


@pytest.mark.parametrize("chapter", NAMES)
def test_answer_that_ignores_an_argument_earns_nothing(chapter):
    """As the gradient without the weight did, where a test gave only the weight 1."""
    loaded = assignment.load(chapter)
    for seed in SEEDS[:2]:
        assert not list(ignored(loaded, seed))


# ---- the test itself ---------------------------------------------------------------------------


def planted(solution, draw, right=None):
    """An assignment of one hidden test, which draws inputs for several calls."""

    def test(student, reference, rng):
        for given in draw(rng):
            compare(student.question(*given), (right or reference.question)(*given))

    hidden = HiddenTest("planted", "question", 1, "Planted.", test)
    return Assignment("planted", (hidden,), SimpleNamespace(question=solution), "")


def vector(rng):
    return [(rng.normal(size=5),)]


WEAK = {
    "always 0": (lambda x: 0.0, vector, "^0$"),
    "zeros in a tuple": (lambda x: (np.zeros(3), 0.0), vector, "^0$"),
    "always the same, but no round number": (lambda x: 3.21987, vector, "answer with seed"),
    "the input": (lambda x: x, vector, "^x$"),
    "an entry": (lambda x: x[3], vector, r"^x\[3\]$"),
    "an entry from behind": (
        lambda x: x[-2],
        lambda rng: [(rng.normal(size=m),) for m in (4, 7)],
        r"^x\[-2\]$",
    ),
    "the median": (lambda x: np.median(x), vector, r"^median\(x\)$"),
    "the largest size": (lambda x: np.max(x), lambda rng: [([1.0, 9.0],), ([3.0, 2.0],)], "max"),
    "an entry where another is largest": (
        lambda x, y: x[np.argmax(y)],
        lambda rng: [(rng.normal(size=9), rng.normal(size=9)) for _ in range(3)],
        r"^x\[argmax\(y\)\]$",
    ),
    "far off, a line": (
        lambda z: np.logaddexp(0, z),
        lambda rng: [(np.array([-50.0, 70.0]),)],
        r"^max\(z, 0\)$",
    ),
    "a product of two inputs": (
        lambda w, l2: l2 * w,
        lambda rng: [(rng.normal(size=3), 0.3)],
        "^w·l2$",
    ),
}


@pytest.mark.parametrize("name", WEAK)
def test_weak_hidden_test_is_found(name):
    solution, draw, rule = WEAK[name]
    found = list(unearned(planted(solution, draw), {}))
    assert [seed for _, seed, _ in found] == SEEDS
    for _, _, rules in found:
        assert all(any(re.search(rule, each) for each in part) for part in rules), rules


def test_hidden_test_that_repeats_the_last_question_is_found():
    drawn = []

    def first(student, reference, rng):
        drawn[:] = [rng.normal(size=3)]
        compare(student.question(*drawn), reference.question(*drawn))

    def again(student, reference, rng):
        compare(student.question(*drawn), reference.question(*drawn))

    tests = tuple(HiddenTest(t.__name__, "question", 1, "Planted.", t) for t in (first, again))
    solution = SimpleNamespace(question=lambda x: x.sum() ** 3)
    found = list(unearned(Assignment("planted", tests, solution, ""), {}))
    assert [(name, rules) for name, _, rules in found] == [("again", [{"the last answer"}])] * 12


def test_answer_to_a_check_is_found():
    """A hidden test that asks what a check has shown."""
    weak = planted(
        lambda x: x.sum() ** 3, lambda rng: [(np.array([1.0, 2.5, rng.random() / 1e9]),)]
    )
    found = list(unearned(weak, {"question": [parts(42.875)]}))
    assert any("the answer to check 0" in rules[0] for _, _, rules in found)


def test_sound_hidden_test_is_not_reported():
    sound = planted(lambda x: (x.sum() ** 3, np.mean(x) * x), vector)
    assert not list(unearned(sound, {"question": [parts((1.0, np.ones(5)))]}))


def test_ignored_argument_is_found():
    def always_one(student, reference, rng):
        x = rng.normal(size=3)
        compare(student.question(x, 1.0), reference.question(x, 1.0))

    def random(student, reference, rng):
        x, weight = rng.normal(size=3), rng.uniform(2, 3)
        compare(student.question(x, weight), reference.question(x, weight))

    tests = tuple(HiddenTest(t.__name__, "question", 1, "", t) for t in (always_one, random))
    solution = SimpleNamespace(question=lambda x, weight: weight * x)
    loaded = Assignment("planted", tests, solution, "")
    assert list(ignored(loaded, "seed")) == [(["always_one"], "weight", 1)]


def test_test_that_ignores_an_answer_is_refused():
    def test(student, reference, rng):
        student.question(1.0)
        compare(student.question(2.0), 2.0)

    hidden = HiddenTest("planted", "question", 1, "Planted.", test)
    loaded = Assignment("planted", (hidden,), SimpleNamespace(question=lambda x: x), "")
    with pytest.raises(AssertionError, match="compares the result of each call"):
        recorded(hidden, loaded, "seed")
