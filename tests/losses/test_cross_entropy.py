"""Softmax cross-entropy and its second variant: accuracy, limits, and their relation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lossutils.losses import CrossEntropyLoss, SoftmaxBCELoss, SoftmaxMSELoss
from tests.cases import each
from tests.reference import (
    assert_accurate,
    labels_for,
    precisions,
    score_rows,
    widths,
)

PAIR = [CrossEntropyLoss(), SoftmaxBCELoss()]
SMOOTH = CrossEntropyLoss(label_smoothing=0.1)


@each([*PAIR, SMOOTH])
@precisions
@widths
def test_accuracy(loss, dtype, K):
    rows = score_rows(dtype, K)
    assert_accurate(loss, rows, labels_for(rows), eps=100)


@each(PAIR)
def test_accuracy_against_soft_targets(loss):
    rows = score_rows(np.float64, 3)
    targets = np.tile([[0.25, 0.0, 0.75], [0.1, 0.2, 0.7], [0.0, 1.0, 0.0]], (len(rows) // 3, 1))
    assert_accurate(loss, rows, targets, eps=100)


@each([*PAIR, SoftmaxMSELoss()])
@precisions
@pytest.mark.parametrize(
    "scores", [[np.inf, 0.0, 3.0], [-np.inf, 0.0, 3.0], [np.inf, -np.inf, 0.0]]
)
@pytest.mark.parametrize("label", [0, 1, 2])
def test_limits(loss, dtype, scores, label):
    assert_accurate(loss, np.array([scores], dtype), [label], eps=4)


@each([*PAIR, SMOOTH])
def test_limits_of_smoothed_targets(loss):
    soft = [[0.25, 0.5, 0.25]]
    assert_accurate(loss, [[np.inf, 0.0, 3.0]], soft, eps=4)
    assert_accurate(loss, [[-np.inf, 0.0, 3.0]], soft, eps=4)


def test_a_score_of_minus_infinity_rules_a_class_out():
    """If all other scores are -inf the label is certain, and the loss of another is infinite."""
    for loss in PAIR:
        assert_accurate(loss, [[-np.inf, -np.inf, 0.5]], [2], eps=0)
        assert_array_equal(loss([[-np.inf, -np.inf, 0.5]], [0], reduction="none"), [np.inf])


@each([*PAIR, SMOOTH, SoftmaxMSELoss()])
@pytest.mark.parametrize("scores", [[np.inf, np.inf, 0.0], [-np.inf, -np.inf, -np.inf]])
def test_scores_without_a_limit_give_nan(loss, scores):
    value, grad = loss.value_and_grad([scores], [0])
    assert np.isnan(value)
    assert np.isnan(grad).any()


@each(PAIR)
@pytest.mark.parametrize("offset", [1e8, -1e8, 1e15, -1e15])
def test_adding_a_constant_to_the_scores_changes_nothing(loss, offset):
    """The scores are multiples of 1/8, so adding the offset needs no rounding."""
    rows = np.random.default_rng(0).integers(-80, 81, size=(100, 4)) / 8
    labels = labels_for(rows)
    for shifted, plain in zip(
        loss.value_and_grad(rows + offset, labels, reduction="none"),
        loss.value_and_grad(rows, labels, reduction="none"),
        strict=True,
    ):
        assert_array_equal(shifted, plain)


def test_equal_huge_scores_cost_ln_2_in_float32():
    scores = np.array([[1e8, 1e8]], np.float32)
    assert CrossEntropyLoss()(scores, [0]) == np.log(2)
    assert_array_equal(CrossEntropyLoss().grad(scores, [0]), np.array([[-0.5, 0.5]], np.float32))


@each([*PAIR, SMOOTH, SoftmaxMSELoss()])
@widths
def test_gradient_sums_to_zero_over_the_classes(loss, K):
    rows = score_rows(np.float64, K)
    grad = loss.grad(rows, labels_for(rows), reduction="none")
    assert_allclose(grad.sum(axis=1), 0.0, atol=1e-15)


def test_label_smoothing_equals_smoothed_targets():
    rows = score_rows(np.float64, 5)
    labels, eps = labels_for(rows), 0.25
    smoothed = (1 - eps) * np.eye(5)[labels] + eps / 5
    for left, right in zip(
        CrossEntropyLoss(label_smoothing=eps).value_and_grad(rows, labels, reduction="none"),
        CrossEntropyLoss().value_and_grad(rows, smoothed, reduction="none"),
        strict=True,
    ):
        assert_allclose(left, right, rtol=1e-15)


@each(PAIR)
def test_labels_equal_one_hot_targets(loss):
    rows = score_rows(np.float64, 3)
    labels = labels_for(rows)
    for left, right in zip(
        loss.value_and_grad(rows, labels, reduction="none"),
        loss.value_and_grad(rows, np.eye(3)[labels], reduction="none"),
        strict=True,
    ):
        assert_array_equal(left, right)


def test_gradient_at_the_minimum_is_zero():
    """The minimum is where the softmax equals the soft targets, for SoftmaxBCELoss too."""
    p = np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])
    for loss in PAIR:
        assert_allclose(loss.grad(np.log(p), p), np.zeros((2, 3)), atol=1e-16)


def test_softmax_bce_of_two_classes_is_twice_cross_entropy():
    """The term of the wrong class then equals the term of the right class."""
    rows = score_rows(np.float64, 2)
    labels = labels_for(rows)
    for left, right in zip(
        SoftmaxBCELoss().value_and_grad(rows, labels, reduction="none"),
        CrossEntropyLoss().value_and_grad(rows, labels, reduction="none"),
        strict=True,
    ):
        assert_allclose(left, 2 * right, rtol=1e-15, atol=1e-323)


@pytest.mark.parametrize("smoothing", [-0.1, 1.5, np.nan])
def test_label_smoothing_must_lie_between_0_and_1(smoothing):
    with pytest.raises(ValueError, match="label_smoothing") as caught:
        CrossEntropyLoss(label_smoothing=smoothing)
    assert str(caught.value) == (
        f"CrossEntropyLoss: label_smoothing must lie in [0, 1], got {smoothing!r}"
    )


def test_accuracy_where_label_smoothing_cancels():
    """The loss subtracts the mean of large, nearly equal scores from one of them."""
    rows = np.random.default_rng(0).uniform(295, 296, size=(100, 2))
    assert_accurate(CrossEntropyLoss(label_smoothing=1.0), rows, labels_for(rows), eps=100)


def test_label_smoothing_may_be_1():
    """1 is the end of the range, where the label no longer matters."""
    loss = CrossEntropyLoss(label_smoothing=1.0)
    assert loss([[1.0, -2.0]], [0]) == loss([[1.0, -2.0]], [1])
