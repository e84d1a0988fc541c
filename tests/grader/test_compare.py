"""`compare` calls a result right, a known mistake, or wrong, and shows no hidden value."""

import re
import warnings
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from grader import WrongAnswer, assignment, compare
from lossutils.selfcheck import check, check_answer
from tests.grader.degenerate import instead_of_compare

HIDDEN = 0.123456789


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (HIDDEN * (1 + 1e-9), HIDDEN),
        (np.array(HIDDEN), HIDDEN),
        ([1, 2], np.array([1.0, 2.0])),
        ([[1, 2], 3], (np.array([1, 2]), 3)),
        (True, 1),
        (np.inf, np.inf),
        ([np.nan, 1], np.array([np.nan, 1])),
        (" Softmax ", "softmax"),
        ([], np.array([])),
    ],
    ids=repr,
)
def test_right(answer, expected):
    compare(answer, expected)


@pytest.mark.parametrize(
    ("answer", "expected", "says"),
    [
        (HIDDEN * (1 + 1e-5), HIDDEN, "not the right one"),
        (None, HIDDEN, "`return` missing"),
        ("x", HIDDEN, "not a number or an array"),
        ([1, [2]], HIDDEN, "not a number or an array"),
        ([HIDDEN], HIDDEN, "a vector, expected is a single number"),
        (np.zeros((3, 1)), np.zeros(3), "a matrix, expected is a vector"),
        (np.zeros((3, 3, 3)), np.zeros(3), "3-dimensional, expected is a vector"),
        (np.zeros(4), np.zeros(3), "wrong number of entries"),
        (np.nan, HIDDEN, "infinite or not a number"),
        (0.0, np.inf, "not the right one"),
        (1.0, (1.0, 2.0), "A tuple of 2 results"),
        ([1.0, 3.0], (1.0, 2.0), "Of the 2 results, number 2: Your result is not the right one"),
        ([1.0, None], (1.0, 2.0), "number 2: .*`return`"),
        ("sigmoid", "softmax", "not the right answer"),
        (3, "softmax", "A text is expected"),
    ],
    ids=repr,
)
def test_wrong(answer, expected, says):
    with pytest.raises(WrongAnswer, match=says) as error:
        compare(answer, expected)
    assert str(HIDDEN)[:5] not in str(error.value)


def test_a_mistake_is_named():
    mistakes = {"first": 3.0, "second": 4.0, "third": np.full((2, 2), np.nan)}
    for answer, name in ((3, "first"), (4.0, "second"), ([[np.nan] * 2] * 2, "third")):
        with pytest.raises(WrongAnswer, match=name):
            compare(answer, 2.0, mistakes=mistakes)


def test_a_mistake_with_the_right_result_is_skipped():
    compare(2.0, 2.0, mistakes={"never": 2.0})
    with pytest.raises(WrongAnswer, match="not the right one"):
        compare(2.5, 2.0, mistakes={"never": 2.0})


def test_mistakes_are_computed_only_for_a_wrong_answer():
    compare(2.0, 2.0, mistakes=lambda: pytest.fail("the answer is right"))
    with pytest.raises(WrongAnswer, match="late"):
        compare(3.0, 2.0, mistakes=lambda: {"late": 3.0})


def test_tolerance():
    compare(1.01, 1.0, tol=0.1)
    compare((1.01, 1), (1.0, 1.0), tol=0.1)
    compare(1e-12, 0.0)
    with pytest.raises(WrongAnswer):
        compare(1e-12, 0.0, floor=0)
    with pytest.raises(WrongAnswer, match="Of the 2 results, number 2"):
        compare((1.01, 1.2), (1.0, 1.0), tol=0.1)


def test_a_small_answer_needs_as_many_right_digits_as_a_large_one():
    compare(1e-4 * (1 + 0.9e-5), 1e-4)  # the floor of 0.001 allows an error of 1e-9
    with pytest.raises(WrongAnswer):
        compare(1.005e-4, 1e-4)


# ---- the students' self-checks -----------------------------------------------------------------


def verdicts(answer, expected, capsys):
    """Return whether the grader and the two self-checks call an answer right."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a student must not see NumPy's
        try:
            compare(answer, expected)
            graded = True
        except WrongAnswer:
            graded = False
        check_answer("Q", answer, expected)
        check(lambda: answer, expected=expected)
    first, second = re.findall(r"^.*?: (right\.|not yet|waiting)", capsys.readouterr().out, re.M)
    return graded, first == "right.", second == "right."


NUMBERS = st.floats(width=64) | st.sampled_from(
    [0.0, -0.0, 1.0, 1e-4, -1e-4, 1e-3, 1e-9, 5e-324, 1e-300, 1e300, 1.7e308, np.nan, np.inf]
)
ARRAYS = arrays(np.float64, array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
RESULTS = st.recursive(
    NUMBERS | ARRAYS | st.integers(-3, 3) | st.booleans() | st.sampled_from(["softmax", " A "]),
    lambda results: st.lists(results, max_size=3).map(tuple),
    max_leaves=4,
)
ODD = st.sampled_from([None, "x", "1.0", 1j, [1, [2]], 10**400, {}, (), [], " SOFTMAX", object()])


@st.composite
def answers(draw, expected):
    """Draw an answer that is near the expected result, or something else."""
    if isinstance(expected, tuple):
        return draw(st.sampled_from([tuple, list]))([draw(answers(e)) for e in expected])
    if isinstance(expected, str) or draw(st.integers(0, 4)) == 0:
        return draw(ODD | RESULTS | st.just(expected))
    sizes = [0, 1e-9, 0.9e-6, 1.1e-6, 3e-6, 5e-5, 0.1]
    with np.errstate(all="ignore"):
        near = np.asarray(expected) * (1 + draw(st.sampled_from(sizes)))
        return near + draw(st.sampled_from([0.0, 0.9e-9, 1.1e-9, -1e-7, 1e-3]))


@given(data=st.data())
@settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_the_grader_accepts_what_the_self_checks_call_right_and_nothing_else(data, capsys):
    expected = data.draw(RESULTS, label="expected")
    answer = data.draw(answers(expected), label="answer")
    assert len(set(verdicts(answer, expected, capsys))) == 1


@pytest.mark.parametrize("chapter", assignment.chapters())
def test_graders_and_self_checks_judge_every_assignment_alike(chapter, capsys):
    """The reference solution and the typical wrong answers, on the inputs of the hidden tests.

    Those that set a tolerance of their own are left out.
    """
    loaded = assignment.load(chapter)
    file = assignment.ASSIGNMENTS / chapter / "wrong_answers.py"
    wrong = [f for f in vars(assignment.load_module(file)).values() if hasattr(f, "told")]
    judged = []
    for test in loaded.tests:

        def record(answer, expected, mistakes=None, **own):
            if not own:
                judged.append((answer, expected))

        for function in (None, *(f for f in wrong if f.question == test.question)):
            student = SimpleNamespace(**vars(loaded.reference))
            if function is not None:
                setattr(student, test.question, function)
            with warnings.catch_warnings(), suppress(Exception), instead_of_compare(test, record):
                warnings.simplefilter("ignore")
                test.function(student, loaded.reference, loaded.rng(test, "seed"))
    found = [verdicts(answer, expected, capsys) for answer, expected in judged]
    assert all(len(set(verdict)) == 1 for verdict in found)
    assert len(set(found)) == 2, "some are right and some wrong"
