"""A hidden test that fails by itself: the author's mistake, unless a student's result caused it."""

from types import SimpleNamespace

import numpy as np
import pytest

from grader import compare, hidden_test, wire
from grader.assignment import Assignment, HiddenTest
from grader.grading import HiddenTestError, run_test


class Returns:
    """A session whose functions return a value."""

    def __init__(self, value):
        self.value = value

    def call(self, question, function, *args, **kwargs):
        """Send the arguments, and return the value."""
        wire.encode(list(args))
        return self.value


def verdict(function, value):
    """The verdict of a hidden test on a student whose function returns this value."""
    test = HiddenTest(function.__name__, "both", 1, "Two numbers.", function)
    reference = SimpleNamespace(both=lambda *args: (1.0, 2.0))
    return run_test(test, Assignment("mse", (test,), reference, ""), Returns(value), "seed")


@hidden_test("both", points=1, message="Two numbers.")
def unpacks(student, reference, rng):
    """Unpack the student's result, which may be of any kind, instead of comparing it."""
    first, _ = student.both()
    compare(first, reference.both()[0])


@hidden_test("both", points=1, message="Two numbers.")
def is_wrong(student, reference, rng):
    """Fail always."""
    raise KeyError("a name")


@hidden_test("both", points=1, message="Two numbers.")
def sends_too_much(student, reference, rng):
    """Pass more numbers than a message may hold."""
    numbers = np.zeros(wire.MAX_VALUES + 1)
    compare(student.both(numbers), reference.both(numbers))


def test_a_result_that_a_hidden_test_cannot_deal_with_is_wrong():
    assert verdict(unpacks, [1.0, 2.0]).why is None
    for value in (None, 1.0, [1.0], [1.0, 2.0, 3.0]):
        judged = verdict(unpacks, value)
        assert judged.why == "Your result is not of the kind that is expected."
        assert "hidden test unpacks raised " in judged.exception


def test_a_hidden_test_that_fails_on_the_reference_is_wrong():
    with pytest.raises(HiddenTestError, match="is_wrong of mse failed by itself: KeyError"):
        verdict(is_wrong, 1.0)


def test_a_hidden_test_that_sends_too_much_is_wrong():
    with pytest.raises(HiddenTestError, match="cannot be sent: more than 32768 numbers"):
        verdict(sends_too_much, [1.0, 2.0])
