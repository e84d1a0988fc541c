"""MSE, MAE and Huber: accuracy, limits, and how they are related."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lossutils.losses import HuberLoss, MAELoss, MSELoss
from tests.cases import REAL, each
from tests.reference import assert_accurate, precisions, score_rows, widths


@each([*REAL, HuberLoss(delta=1e-8), HuberLoss(delta=40.0)])
@precisions
def test_accuracy(loss, dtype):
    pairs = score_rows(dtype, 2)
    assert_accurate(loss, pairs[:, 0], pairs[:, 1], eps=4)


@each(REAL)
@precisions
@widths
def test_accuracy_of_several_scores(loss, dtype, K):
    rows = score_rows(dtype, K)
    assert_accurate(loss, rows, rows[::-1], eps=4)


@each(REAL)
def test_limits(loss):
    assert_accurate(loss, [np.inf, -np.inf, 1.0, 1.0], [0.5, 0.5, np.inf, -np.inf], eps=0)
    assert_accurate(loss, [[np.inf, -np.inf]], [[0.5, 0.5]], eps=0)


@pytest.fixture
def batch():
    scores = np.random.default_rng(0).normal(scale=3, size=(2, 50, 3))
    return scores[0], scores[1]


def test_huge_huber_is_half_of_mse(batch):
    for left, right in zip(
        HuberLoss(delta=1e9).value_and_grad(*batch), MSELoss().value_and_grad(*batch), strict=True
    ):
        assert_allclose(left, np.divide(right, 2), rtol=1e-15)


def test_tiny_huber_is_delta_times_mae(batch):
    delta = 1e-12
    for left, right in zip(
        HuberLoss(delta=delta).value_and_grad(*batch), MAELoss().value_and_grad(*batch), strict=True
    ):
        assert_allclose(left, delta * np.asarray(right), rtol=1e-11)


@each(REAL)
def test_gradient_at_the_minimum_is_exactly_zero(loss):
    """For MAE the minimum is a kink, where we promise the subgradient 0."""
    assert_array_equal(loss.grad([[1.5, -2.0]], [[1.5, -2.0]]), [[0.0, 0.0]])
    assert loss([[1.5, -2.0]], [[1.5, -2.0]]) == 0.0


def test_huber_turns_linear_at_delta():
    value, grad = HuberLoss(delta=2.0).value_and_grad([1.0, 2.0, 5.0], [0.0] * 3, reduction="none")
    assert_array_equal(value, [0.5, 2.0, 8.0])
    assert_array_equal(grad, [1.0, 2.0, 2.0])


@pytest.mark.parametrize("delta", [0, -1.0, np.inf, np.nan])
def test_delta_must_be_positive(delta):
    with pytest.raises(ValueError, match="delta") as caught:
        HuberLoss(delta=delta)
    assert str(caught.value) == f"HuberLoss: delta must be a positive, finite number, got {delta!r}"
