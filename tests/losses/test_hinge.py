"""The hinge losses: accuracy, limits, kinks, and how the variants are related."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lossutils.losses import HingeLoss, MulticlassHingeLoss, SquaredHingeLoss
from tests.cases import MULTICLASS_HINGE, SIGN, each
from tests.reference import (
    assert_accurate,
    grid,
    labels_for,
    logits,
    precisions,
    score_rows,
    widths,
)

CRAMMER_SINGER, WESTON_WATKINS = MULTICLASS_HINGE[0], MULTICLASS_HINGE[2]


@each([*SIGN, HingeLoss(margin=0.3), SquaredHingeLoss(margin=1e-8)])
@precisions
@pytest.mark.parametrize("label", [-1, 1])
def test_accuracy(loss, dtype, label):
    scores = logits(dtype)
    assert_accurate(loss, scores, np.full(len(scores), label), eps=4)


@each([*MULTICLASS_HINGE, MulticlassHingeLoss(margin=0.3)])
@precisions
@widths
def test_accuracy_of_several_classes(loss, dtype, K):
    rows = score_rows(dtype, K)
    assert_accurate(loss, rows, labels_for(rows), eps=100)


@pytest.mark.parametrize("loss", MULTICLASS_HINGE, ids=repr)
def test_a_violation_that_nearly_cancels_keeps_its_accuracy(loss):
    """The lead misses the margin by 1e-20, but in floats (1 + 1e-20) - 1 is 0."""
    margin = loss.margin
    assert_accurate(loss, [[margin, 1e-20], [margin, -1e-20]], [0, 0], eps=4)


@each(SIGN)
def test_limits(loss):
    assert_accurate(loss, [np.inf, np.inf, -np.inf, -np.inf], [1, -1, 1, -1], eps=0)


@each(MULTICLASS_HINGE)
@pytest.mark.parametrize("label", [0, 1, 2])
def test_limits_of_several_classes(loss, label):
    assert_accurate(loss, [[np.inf, 0.0, 3.0], [-np.inf, 0.0, 3.0]], [label, label], eps=4)


def test_numbers_of_the_source_texts():
    """The numbers are those of claims C16 and C18."""
    values = HingeLoss()([0.2, -0.7, -1.1], [-1, -1, -1], reduction="none")
    assert_allclose(values, [1.2, 0.3, 0.0], rtol=1e-15)
    scores = [[10.0, 9.0, 9.0], [10.0, -10.0, -10.0]]
    for loss in (CRAMMER_SINGER, WESTON_WATKINS):
        assert_array_equal(loss(scores, [0, 0], reduction="none"), [0.0, 0.0])


def test_gradient_at_a_kink_is_zero():
    assert_array_equal(HingeLoss(margin=0.5).grad([0.5, -0.5], [1, -1]), [0.0, 0.0])
    for loss in MULTICLASS_HINGE:
        scores = [[2 * loss.margin, loss.margin, loss.margin]]
        assert_array_equal(loss.grad(scores, [0]), [[0.0, 0.0, 0.0]])


def test_squared_hinge_is_the_square():
    s, y = np.linspace(-3, 3, 13), np.tile([-1, 1], 7)[:13]
    hinge = HingeLoss(margin=2.0)(s, y, reduction="none")
    assert_array_equal(SquaredHingeLoss(margin=2.0)(s, y, reduction="none"), hinge**2)


def test_variants_take_the_largest_violation_or_the_sum():
    scores = [[1.0, 2.0, 0.5, -3.0]]
    assert CRAMMER_SINGER(scores, [0]) == 2.0
    assert_array_equal(CRAMMER_SINGER.grad(scores, [0]), [[-1.0, 1.0, 0.0, 0.0]])
    assert WESTON_WATKINS(scores, [0]) == 2.5
    assert_array_equal(WESTON_WATKINS.grad(scores, [0]), [[-2.0, 1.0, 1.0, 0.0]])


def test_of_equal_violations_the_first_counts():
    assert_array_equal(CRAMMER_SINGER.grad([[0.0, 1.0, 1.0]], [0]), [[-1.0, 1.0, 0.0]])


def test_violations_that_round_to_the_same_are_told_apart_by_their_scores():
    scores = [[1e20, 1.0, 2.0]]
    value, grad = CRAMMER_SINGER.value_and_grad([[-1e20, 1.0, 2.0], *scores], [0, 0])
    assert_array_equal(grad[0], [-0.5, 0.0, 0.5])
    assert value == 5e19


def test_for_two_classes_both_variants_are_the_binary_hinge():
    z = grid(np.float64)
    pairs = np.stack([np.zeros_like(z), z], axis=1)
    for label, sign in ((0, -1), (1, 1)):
        value, grad = HingeLoss().value_and_grad(z, np.full(len(z), sign), reduction="none")
        for loss in (CRAMMER_SINGER, WESTON_WATKINS):
            labels = np.full(len(z), label)
            values, grads = loss.value_and_grad(pairs, labels, reduction="none")
            assert_array_equal(values, value)
            assert_array_equal(grads[:, 1], grad)


@pytest.mark.parametrize("kind", [HingeLoss, SquaredHingeLoss, MulticlassHingeLoss])
@pytest.mark.parametrize("margin", [0, -1.0, np.inf, np.nan])
def test_margin_must_be_positive(kind, margin):
    with pytest.raises(ValueError, match="margin") as caught:
        kind(margin=margin)
    assert str(caught.value) == (
        f"{kind.__name__}: margin must be a positive, finite number, got {margin!r}"
    )


def test_variant_must_be_known():
    with pytest.raises(ValueError, match="variant") as caught:
        MulticlassHingeLoss(variant="crammer")
    assert str(caught.value) == (
        "MulticlassHingeLoss: variant must be 'crammer-singer' or 'weston-watkins', got 'crammer'"
    )


@pytest.mark.parametrize("variant", ["crammer-singer", "weston-watkins"])
@pytest.mark.parametrize("label", [0, 1])
def test_two_scores_of_minus_infinity_have_no_limit(variant, label):
    loss = MulticlassHingeLoss(variant=variant)
    value, grad = loss.value_and_grad([[-np.inf, -np.inf]], [label], reduction="none")
    assert np.isnan(value).all()
    assert np.isnan(grad).all()
