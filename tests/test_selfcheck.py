"""Self-checks print a message, and never raise an error."""

import numpy as np
import pytest

from lossutils.selfcheck import check_answer


@pytest.mark.parametrize(
    ("answer", "expected", "says"),
    [
        (None, 1.0, "waiting for your answer. Replace None and run the cell again."),
        (1 / 3, 0.33333333, "right."),
        (0.3, 1 / 3, "not yet. Yours is 0.3, expected is 0.333333."),
        ([0.5, 1], [0.5, 1.0], "right."),
        ([0.5, 2], [0.5, 1.0], "not yet. Yours is 2 at position 1, expected is 1."),
        ([1.0], 1.0, "not yet. Your answer has shape (1,), expected is ()."),
        (np.nan, 1.0, "not yet. Yours is nan, expected is 1."),
        (1e9, 1e9 + 1, "right."),
        ("x", 1.0, "not yet. Your answer 'x' is not a number or an array of numbers."),
    ],
)
def test_each_answer_gets_its_message(answer, expected, says, capsys):
    check_answer("Exercise 1", answer, expected)
    assert capsys.readouterr().out == f"Exercise 1: {says}\n"


def test_tolerance(capsys):
    check_answer("Exercise 1", 1.001, 1.0, tol=1e-2)
    assert capsys.readouterr().out == "Exercise 1: right.\n"
