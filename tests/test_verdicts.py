"""Verdicts are told only if they hold, and `make robust` can change what they rest on."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lossutils import verdicts
from lossutils.metrics import compare_pairs
from lossutils.train import EdgeError, best_lr, tune_lr
from lossutils.verdicts import KINDS, PERTURBATIONS, conclude, vary

VALUES = {"steps": 7, "rates": [4.0, 1.0, 16.0], "seeds": range(3), "split": 5}


@pytest.fixture
def perturb(monkeypatch):
    """Return a function that sets the perturbation by its name."""
    return lambda name: monkeypatch.setenv(verdicts.PERTURBATION, name)


def test_a_statement_that_holds_is_returned():
    assert conclude("Water is wet.", True) == "Water is wet."
    assert conclude("Water is wet.", np.bool_(True)) == "Water is wet."


def test_a_statement_that_does_not_hold_is_an_error_with_its_numbers():
    with pytest.raises(AssertionError, match=r"'It is ahead.'\n  BCE: 0.1\n  MSE: 0.2"):
        conclude("It is ahead.", False, numbers={"BCE": 0.1, "MSE": 0.2})


@pytest.mark.parametrize("holds", [1, None, "yes", np.array([True, True]), 0.0])
def test_a_condition_is_true_or_false(holds):
    with pytest.raises(ValueError, match="True or False"):
        conclude("It is ahead.", holds)


def test_what_is_given_can_be_varied():
    with pytest.raises(ValueError, match=r"got \['step'\]"):
        conclude("It is ahead.", True, given=["step"])


def test_verdicts_are_recorded_instead_of_raised(monkeypatch, tmp_path):
    monkeypatch.setenv(verdicts.RECORD, str(tmp_path / "verdicts"))
    assert conclude("After 5 steps it is ahead.", False, given=["steps"])
    assert conclude("It is level.", True)
    lines = (tmp_path / "verdicts").read_text("utf8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"statement": "After 5 steps it is ahead.", "holds": False, "given": ["steps"]},
        {"statement": "It is level.", "holds": True, "given": []},
    ]


def in_order(value):
    return np.sort(np.ravel(value))


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_perturbation_nothing_varies(kind):
    assert_allclose(in_order(vary(kind, VALUES[kind])), in_order(VALUES[kind]))


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_a_perturbation_changes_only_its_kind(perturb, name):
    perturb(name)
    for kind in KINDS:
        changed = not np.array_equal(in_order(vary(kind, VALUES[kind])), in_order(VALUES[kind]))
        assert changed == (kind == PERTURBATIONS[name].kind)


def test_the_perturbations(perturb):
    wanted = {
        "half the steps": ("steps", 3),
        "twice the steps": ("steps", 14),
        "ten times the steps": ("steps", 70),
        "rates twice as fine": ("rates", [1, 2, 4, 8, 16]),
        "rates twice as wide": ("rates", [1 / 16, 1 / 4, 1, 4, 16, 64, 256]),
        "other seeds": ("seeds", [1000, 1001, 1002]),
        "another split": ("split", 1005),
    }
    assert wanted.keys() == PERTURBATIONS.keys()
    for name, (kind, value) in wanted.items():
        perturb(name)
        assert_allclose(vary(kind, VALUES[kind]), value)


def test_at_least_one_step_remains(perturb):
    perturb("half the steps")
    assert vary("steps", 1) == 1


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("rates", [1.0], "at least two positive numbers"),
        ("rates", [0.0, 1.0], "at least two positive numbers"),
        ("rates", [1.0, np.inf], "at least two positive numbers"),
        ("steps", 1.5, "whole number"),
        ("split", -1, "whole number"),
        ("rate", 1, "one of steps, rates, seeds, split"),
    ],
)
def test_what_cannot_be_varied(kind, value, message):
    with pytest.raises(ValueError, match=message):
        vary(kind, value)


def test_an_unknown_perturbation_is_an_error(perturb):
    perturb("more luck")
    with pytest.raises(ValueError, match="must name one of half the steps"):
        vary("steps", 1)


# ---- learning rates at an edge of their grid -----------------------------------------------------


@pytest.mark.parametrize(
    ("best", "message"),
    [(1, "1, is the smallest of the grid.*add smaller"), (8, "8, is the largest.*add larger")],
)
def test_no_race_is_won_at_the_edge_of_its_grid(perturb, best, message):
    def race(**options):
        return tune_lr(lambda lr: lr, lambda lr: -abs(lr - best), [1, 2, 4, 8], **options)

    with pytest.raises(EdgeError, match=message):
        race()
    assert race(edge=True).lr == best
    perturb("half the steps")
    assert race().lr == best


def test_a_tie_with_the_smallest_rate_is_a_win_at_the_edge():
    with pytest.raises(EdgeError):
        best_lr({1: 0.5, 2: 0.5, 4: 0.1})
    assert best_lr({1: 0.4, 2: 0.5, 4: 0.5}) == 2


def test_rates_without_a_finite_score():
    with pytest.raises(ValueError, match="none of the learning rates"):
        best_lr({1: -np.inf, 2: -np.inf})
    with pytest.raises(ValueError, match="none of the learning rates"):
        best_lr({})


# ---- paired comparisons --------------------------------------------------------------------------


def test_pairs_are_counted_on_both_sides():
    found = compare_pairs([3, 3, 1] * 4, [2, 3, 2] * 4)
    assert (found.ahead, found.behind, found.tied) == (4, 4, 4)
    assert str(found) == "ahead 4, behind 4, tied 4"
    assert not found.differs
    assert found.p_value == 1


def test_a_difference_must_exceed_its_noise():
    zeros = np.zeros(12)
    ten, nine = np.repeat([1, -1], [10, 2]), np.repeat([1, -1], [9, 3])
    assert compare_pairs(ten, zeros).better
    assert compare_pairs(ten, zeros, higher_is_better=False).worse
    assert not compare_pairs(nine, zeros).differs
    assert_allclose(compare_pairs(ten, zeros).p_value, 2 * (1 + 12 + 66) / 4096)
    assert compare_pairs(zeros, zeros).p_value == 1


def test_small_differences_can_be_ties():
    found = compare_pairs(np.full(12, 0.5), np.full(12, 0.49), tie=0.02)
    assert found.tied == 12
    assert_allclose(found.median, 0.01)
    assert_allclose(found.spread, (0.01, 0.01))


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.ones(11), np.ones(11), "11 pairs are too few"),
        (np.ones(12), np.ones(13), "shape"),
        (np.ones((12, 2)), np.ones((12, 2)), "shape"),
        (np.full(12, np.nan), np.ones(12), "finite"),
    ],
)
def test_pairs_that_cannot_be_compared(first, second, message):
    with pytest.raises(ValueError, match=message):
        compare_pairs(first, second)
