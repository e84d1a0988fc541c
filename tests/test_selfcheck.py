"""Self-checks print a message, and never raise an error."""

import numpy as np
import pytest

from lossutils import selfcheck
from lossutils.selfcheck import check_answer


@pytest.fixture(autouse=True)
def _no_guess_yet(monkeypatch):
    monkeypatch.setattr(selfcheck, "_first_guesses", {})


@pytest.mark.parametrize(
    ("answer", "expected", "says"),
    [
        (None, 1.0, "waiting for your answer. Replace None and run the cell again."),
        (1 / 3, 0.33333333, "right."),
        (0.3, 1 / 3, "not yet. Yours is too low."),
        ([0.5, 1], [0.5, 1.0], "right."),
        ([0.5, 2], [0.5, 1.0], "not yet. Yours is too high at position 1."),
        ([1.0], 1.0, "not yet. Yours has the wrong shape, (1,)."),
        (np.nan, 1.0, "not yet. Yours is nan."),
        (-np.inf, 1.0, "not yet. Yours is too low."),
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


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([0, 0, 0], "Yours is too low."),
        ([0, 5, 0, 7], "Yours is 7, expected is 3.14159."),
        ([0, 5, 0], "Yours is too low."),
        (["x", None, [0.0, 0.0], 0], "Yours is too low."),
        ([0, [1.0, 2.0]], "Yours has the wrong shape, (2,)."),
        ([np.nan, 0], "Yours is 0, expected is 3.14159."),
    ],
    ids=str,
)
def test_only_a_second_guess_is_told_what_is_expected(answers, says, capsys):
    for answer in answers:
        check_answer("Exercise 1", answer, np.pi)
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == f"Exercise 1: not yet. {says}"
    assert "3.14" not in said[0]


def test_each_exercise_has_a_first_guess(capsys):
    for name in ("Exercise 1", "Exercise 2"):
        check_answer(name, 0, 2.5)
    assert capsys.readouterr().out.count("Yours is too low.") == 2


def test_a_guess_is_kept_when_its_array_changes(capsys):
    answer = np.zeros(2)
    check_answer("Exercise 1", answer, np.ones(2))
    answer[:] = [2, 1]
    check_answer("Exercise 1", answer, np.ones(2))
    assert "Yours is 2 at position 0, expected is 1." in capsys.readouterr().out
