"""Binary cross-entropy of probabilities and of logits: accuracy, limits, and their relation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lossutils.losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss
from lossutils.special import sigmoid
from tests.reference import assert_accurate, grid, logits, precisions

LABELS = pytest.mark.parametrize("label", [0, 1])


@LABELS
@precisions
def test_accuracy_of_logits(dtype, label):
    z = logits(dtype)
    assert_accurate(BCEWithLogitsLoss(), z, np.full(len(z), label), eps=2)


@precisions
@pytest.mark.parametrize("target", [1e-300, 1e-3, 0.3, 0.5, 0.999])
def test_accuracy_of_logits_against_soft_targets(dtype, target):
    z = logits(dtype)
    assert_accurate(BCEWithLogitsLoss(), z, np.full(len(z), target), eps=4)


@precisions
def test_accuracy_of_several_labels(dtype):
    """The mean over the labels adds up to two roundings to each summand, and none cancels."""
    z = logits(dtype)[: 3 * (len(logits(dtype)) // 3)].reshape(-1, 3)
    y = np.random.default_rng(0).integers(2, size=z.shape)
    assert_accurate(BCEWithLogitsLoss(), z, y, eps=4)
    p = np.random.default_rng(1).uniform(0.01, 0.99, size=z.shape).astype(dtype)
    assert_accurate(BCELoss(), p, y, eps=4)


@LABELS
@precisions
def test_accuracy_of_probabilities(dtype, label):
    subnormal = [5e-324, 3e-320, 1e-310, 1e-45, 1e-40]
    p = np.array([*subnormal, 1e-300, 1e-38, 1e-17, 0.1, 0.5, 0.9, 1 - 1e-7, 1 - 1e-16], dtype)
    p = p[(p > 0) & (p < 1)]  # float32 rounds some of them to 0 or 1
    p = np.append(p, dtype(label))  # at p = y the slope is that of -log, not 0/0
    assert_accurate(BCELoss(), p, np.full(len(p), label), eps=4)


@pytest.mark.parametrize("target", [1e-300, 0.3, 0.5])
def test_accuracy_of_probabilities_against_soft_targets(target):
    p = np.array([1e-300, 1e-17, 0.1, 0.3, 0.5, 0.9, 1 - 1e-16])
    assert_accurate(BCELoss(), p, np.full(len(p), target), eps=4)


def test_a_certain_mistake_has_an_infinite_loss():
    """Nothing is clamped; PyTorch limits the loss to 100, and its gradient with it."""
    p, y = [0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 0.5, 0.5]
    value, grad = BCELoss().value_and_grad(p, y, reduction="none")
    assert_array_equal(value, [np.inf] * 4)
    assert_array_equal(grad, [-np.inf, np.inf, -np.inf, np.inf])
    assert BCELoss()(p, y) == np.inf


def test_a_certain_right_prediction_has_no_loss():
    value, grad = BCELoss().value_and_grad([0, 1], [0, 1], reduction="none")
    assert_array_equal(value, [0.0, 0.0])
    assert_array_equal(grad, [1.0, -1.0])


@pytest.mark.parametrize("target", [0.0, 1.0, 0.3])
@precisions
def test_limits_of_logits(dtype, target):
    z = np.array([-np.inf, np.inf], dtype)
    assert_accurate(BCEWithLogitsLoss(), z, [target, target], eps=0.5)


def test_bce_with_logits_is_cross_entropy_of_zero_and_z():
    z = np.concatenate([grid(np.float64), [np.inf, -np.inf]])
    z, y = np.tile(z, 2), np.repeat([0, 1], len(z))
    value, grad = BCEWithLogitsLoss().value_and_grad(z, y, reduction="none")
    pairs = np.stack([np.zeros_like(z), z], axis=1)
    expected, expected_grad = CrossEntropyLoss().value_and_grad(pairs, y, reduction="none")
    # exp(-745) = 5e-324 is the smallest float, and the results may differ by it
    assert_allclose(value, expected, rtol=4e-16, atol=5e-324)
    assert_allclose(grad, expected_grad[:, 1], rtol=4e-16, atol=5e-324)


def test_bce_with_logits_is_bce_of_the_sigmoid():
    z, y = np.linspace(-5, 5, 21), np.tile([0.0, 1.0, 0.25], 7)
    p = sigmoid(z)
    of_logits, of_probabilities = BCEWithLogitsLoss(), BCELoss()
    assert_allclose(
        of_logits(z, y, reduction="none"),
        of_probabilities(p, y, reduction="none"),
        rtol=1e-13,
    )
    chained = of_probabilities.grad(p, y, reduction="none") * p * (1 - p)
    assert_allclose(of_logits.grad(z, y, reduction="none"), chained, rtol=1e-12, atol=1e-16)


def test_gradient_at_the_minimum_is_zero():
    """The minimum is at p = y, which is z = log(y / (1 - y))."""
    y = np.array([0.25, 0.5, 0.75])
    assert_array_equal(BCELoss().grad(y, y), np.zeros(3))
    assert_allclose(BCEWithLogitsLoss().grad(np.log(y / (1 - y)), y), np.zeros(3), atol=1e-16)


@pytest.mark.parametrize(
    ("scores", "got"),
    [([-0.25, 0.5], "-0.25 to 0.5"), ([0.5, 2], "0.5 to 2"), ([np.nan, 2], "2 to 2")],
)
def test_scores_must_be_probabilities(scores, got):
    with pytest.raises(ValueError, match="probabilities") as caught:
        BCELoss()(scores, [0, 1])
    assert str(caught.value) == (
        f"BCELoss: scores must be probabilities in [0, 1], got values from {got}; "
        "for logits use BCEWithLogitsLoss, or sigmoid(scores)"
    )
