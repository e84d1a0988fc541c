"""Comparing a student's result: right, a known mistake, or wrong, without showing values."""

import numpy as np
import pytest

from grader import WrongAnswer, compare

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


def test_a_right_answer_is_never_called_a_mistake():
    compare(2.0, 2.0, mistakes={"never": 2.0})
    with pytest.raises(WrongAnswer, match="not the right one"):
        compare(2.5, 2.0, mistakes={"never": 2.0})


def test_mistakes_are_computed_only_when_needed():
    compare(2.0, 2.0, mistakes=lambda: pytest.fail("the answer is right"))
    with pytest.raises(WrongAnswer, match="late"):
        compare(3.0, 2.0, mistakes=lambda: {"late": 3.0})


def test_tolerance():
    compare(1.01, 1.0, rtol=0.1)
    compare(1e-12, 0.0)
    with pytest.raises(WrongAnswer):
        compare(1e-12, 0.0, atol=0)
