"""Squared error of a sigmoid, softmax or exponential: accuracy, limits, claims of the texts."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lossutils.losses import ExpMSELoss, SigmoidMSELoss, SoftmaxMSELoss
from lossutils.verify import numerical_derivative
from tests.cases import each
from tests.reference import (
    assert_accurate,
    grid,
    labels_for,
    logits,
    precisions,
    score_rows,
    widths,
)

SEVERAL = [SoftmaxMSELoss(), ExpMSELoss()]


@precisions
@pytest.mark.parametrize("label", [0, 1])
def test_accuracy_of_the_sigmoid(dtype, label):
    z = logits(dtype)
    assert_accurate(SigmoidMSELoss(), z, np.full(len(z), label), eps=4)


@pytest.mark.parametrize("target", [1e-300, 0.6, 0.999])
def test_accuracy_of_the_sigmoid_against_soft_targets(target):
    z = grid(np.float64)  # no sigmoid is so near the target that the loss is nearly 0
    assert_accurate(SigmoidMSELoss(), z, np.full(len(z), target), eps=4)


@each(SEVERAL)
@precisions
@widths
def test_accuracy(loss, dtype, K):
    rows = score_rows(dtype, K)
    assert_accurate(loss, rows, labels_for(rows), eps=100)


@each(SEVERAL)
def test_accuracy_against_soft_targets(loss):
    rows = score_rows(np.float64, 3)
    targets = np.tile([[0.25, 0.0, 0.75], [0.1, 0.2, 0.7], [0.0, 1.0, 0.0]], (len(rows) // 3, 1))
    assert_accurate(loss, rows, targets, eps=100)


@pytest.mark.parametrize("target", [0.0, 1.0, 0.3])
def test_limits_of_the_sigmoid(target):
    assert_accurate(SigmoidMSELoss(), [-np.inf, np.inf], [target, target], eps=2)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_limits_of_the_exponential(label):
    rows = [[np.inf, 0.0, 3.0], [-np.inf, 0.0, 3.0], [-np.inf, -np.inf, -np.inf]]
    assert_accurate(ExpMSELoss(), rows, [label] * 3, eps=4)


def test_gradient_at_the_minimum_is_zero():
    p = np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])
    for loss in SEVERAL:
        assert_allclose(loss.grad(np.log(p), p), np.zeros((2, 3)), atol=1e-16)
    assert_array_equal(SigmoidMSELoss().grad([0.0], [0.5]), [0.0])


def test_slope_and_curvature_of_the_sigmoid():
    """Claim A5: the slope is at most 4/27, where the curvature changes sign, at p = 1/3."""
    loss = SigmoidMSELoss()
    z = np.linspace(-8, 8, 1001)
    slopes = np.abs(loss.grad(z, np.ones_like(z), reduction="none"))
    turn = -np.log(2)
    assert_allclose(np.abs(loss.grad([turn], [1])), [4 / 27], rtol=1e-15)
    assert slopes.max() <= 4 / 27
    curvature = numerical_derivative(lambda t: loss.grad(t, np.ones_like(t), reduction="none"), z)
    assert_array_equal(np.sign(curvature[z < turn]), -1)
    assert_array_equal(np.sign(curvature[z > turn]), 1)


def test_softmax_mse_can_raise_a_wrong_class():
    """Claim D6: for p = (0.01, 0.98, 0.01), descent raises the third class, which is wrong."""
    grad = SoftmaxMSELoss().grad(np.log([[0.01, 0.98, 0.01]]), [0])[0]
    assert grad[0] < 0 < grad[1]
    assert grad[2] < 0


def test_exp_mse_lowers_every_wrong_class():
    """Claim D5: descent never raises a wrong class."""
    rows = score_rows(np.float64, 3)
    grad = ExpMSELoss().grad(rows, np.zeros(len(rows), int), reduction="none")
    assert (grad[:, 1:] >= 0).all()
