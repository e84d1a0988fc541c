"""The losses of the course keep every law."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lossutils import laws
from lossutils.laws import of_loss
from lossutils.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    ExpMSELoss,
    FocalLoss,
    GaussianNLLLoss,
    Loss,
    MAELoss,
    MSELoss,
    PoissonNLLLoss,
    ProbitLoss,
    QuantileLoss,
    SigmoidMSELoss,
    SoftmaxBCELoss,
    SoftmaxMSELoss,
)
from lossutils.losses.targets import ClassTargets
from lossutils.special import sigmoid
from tests.cases import ALL, BOUNDED, CLASS, LABELS_ONLY, MULTICLASS, batches, each, example
from tests.reference import reference


def without(losses, *options):
    """Return the losses in which none of these options is set."""
    return [loss for loss in losses if not any(getattr(loss, option, None) for option in options)]


UNBOUNDED = (GaussianNLLLoss, PoissonNLLLoss)
WITH_FLOOR = [loss for loss in ALL if not isinstance(loss, UNBOUNDED)]
SHIFTED = [loss for loss in without(MULTICLASS, "z_loss") if not isinstance(loss, ExpMSELoss)]
"""Losses that know only differences of scores."""
UNNAMED = without(MULTICLASS, "weight", "ignore_index")
"""Losses that treat all classes alike."""


def found(law, loss, *case, **options):
    """Return the finding of a law, for a message that says which case failed."""
    return str(law(of_loss(loss), *case, **options))


def holds(law):
    return f"{law.name}: holds"


# ---- our own losses ------------------------------------------------------------------------------


@each(without(WITH_FLOOR, "decoupled"))
@given(data=st.data())
def test_no_loss_is_below_its_floor(loss, data):
    scores, targets, _ = data.draw(batches(loss))
    if getattr(loss, "ignore_index", None) is not None:
        kept = targets != loss.ignore_index
        scores, targets = scores[kept], targets[kept]
    assert found(laws.floor, loss, scores, targets) == holds(laws.floor)


@given(data=st.data())
def test_the_floor_of_cross_entropy_is_the_entropy_of_the_target(data):
    scores, targets, _ = data.draw(batches(CrossEntropyLoss()))
    assume(np.ndim(targets) == 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropies = -np.where(targets > 0, targets * np.log(targets), 0.0).sum(axis=1)
    finding = found(laws.floor, CrossEntropyLoss(), scores, targets, entropies)
    assert finding == holds(laws.floor)


@pytest.mark.parametrize("log_input", [True, False])
def test_the_floor_of_the_poisson_loss_is_where_the_rate_is_the_count(log_input):
    loss, y = PoissonNLLLoss(log_input=log_input), np.array([1.0, 2.0, 7.0])
    rates = np.array([[0.5, 3.0, 7.0], [1.0, 2.0, 7.0]])
    for s in np.log(rates) if log_input else rates:
        assert found(laws.floor, loss, s, y, y - y * np.log(y)) == holds(laws.floor)


@each(SHIFTED)
@given(data=st.data())
def test_only_differences_of_scores_count(loss, data):
    scores, targets, _ = data.draw(batches(loss))
    assert found(laws.shift, loss, scores, targets) == holds(laws.shift)


@each(UNNAMED)
@given(data=st.data())
def test_classes_may_change_their_order(loss, data):
    scores, targets, _ = data.draw(batches(loss))
    assert found(laws.permutation, loss, scores, targets) == holds(laws.permutation)


@each([loss for loss in UNNAMED if loss in CLASS])
@given(data=st.data())
def test_labels_are_one_hot_rows(loss, data):
    scores, targets, _ = data.draw(batches(loss))
    assume(np.ndim(targets) == 1)
    assert found(laws.one_hot, loss, scores, targets) == holds(laws.one_hot)


@each(ALL)
@given(data=st.data())
def test_the_whole_is_the_sum_of_its_parts(loss, data):
    scores, targets, options = data.draw(batches(loss))
    weights = options["sample_weight"]
    assert found(laws.parts, loss, scores, targets, weights) == holds(laws.parts)


@each(ALL)
@given(data=st.data())
def test_weights_are_repetition(loss, data):
    scores, targets, _ = data.draw(batches(loss))
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(scores), max_size=len(scores)))
    counts[0] += 1
    assert found(laws.repetition, loss, scores, targets, counts) == holds(laws.repetition)


@each(ALL)
def test_an_empty_batch_is_refused(loss):
    assert found(laws.nothing, loss, *example(loss)) == holds(laws.nothing)


@each([loss for loss in ALL if loss not in LABELS_ONLY or not getattr(loss, "weight", None)])
@given(data=st.data())
def test_every_gradient_is_right_far_out(loss, data):
    """The scores are 16 times as large as elsewhere, so that they reach 48 on both sides."""
    scores, targets, _ = data.draw(batches(loss))
    s, y = scores[:1] if loss in BOUNDED else 16 * scores[:1], targets[:1]
    if isinstance(loss, CrossEntropyLoss) and loss.weight and np.ndim(y) == 1:
        y = np.eye(s.shape[1])[y]  # of one label, the mean would divide by its weight
    labels = isinstance(loss, ClassTargets) and np.ndim(y) == 1
    rows = np.eye(s.shape[1])[y] if labels else y
    exact = reference(loss, tuple(np.ravel(s)), tuple(np.ravel(rows)))
    gradient = np.reshape([float(g) for g in exact.grad], s.shape)
    finding = found(laws.tail, loss, s, y, gradient, float(exact.value))
    assert finding == holds(laws.tail)


Q = 0.7
LOGIT = float(np.log(Q / (1 - Q)))
COIN = [([1], Q), ([0], 1 - Q)]
CLASSES = [([1], Q), ([0], 1 - Q)]
THREE = [([0.0], 0.2), ([1.0], 0.3), ([4.0], 0.5)]


def single(t):
    return [t]


def pair(t):
    return [[0.0, t]]


@pytest.mark.parametrize(
    ("loss", "outcomes", "at", "truth"),
    [
        (MSELoss(), THREE, single, 2.3),
        (MAELoss(), [([0.0], 0.2), ([1.0], 0.5), ([4.0], 0.3)], single, 1.0),
        (QuantileLoss(quantile=0.9), THREE, single, 4.0),
        (GaussianNLLLoss(), THREE, lambda t: [[t, 0.5]], 2.3),
        (GaussianNLLLoss(), THREE, lambda t: [[2.3, t]], float(np.log(3.01))),
        (PoissonNLLLoss(), THREE, single, float(np.log(2.3))),
        (PoissonNLLLoss(log_input=False), THREE, lambda t: [np.exp(t)], float(np.log(2.3))),
        (SigmoidMSELoss(), COIN, single, LOGIT),
        (BCEWithLogitsLoss(), COIN, single, LOGIT),
        (BCEWithLogitsLoss(pos_weight=3.0), COIN, single, LOGIT + float(np.log(3.0))),
        (BCELoss(), COIN, lambda t: sigmoid([t]), LOGIT),
        (ProbitLoss(), COIN, single, NormalDist().inv_cdf(Q)),
        (CrossEntropyLoss(), CLASSES, pair, LOGIT),
        (SoftmaxBCELoss(), CLASSES, pair, LOGIT),
        (SoftmaxMSELoss(), CLASSES, pair, LOGIT),
        (ExpMSELoss(), CLASSES, lambda t: [[np.log(1 - Q), t]], float(np.log(Q))),
    ],
    ids=lambda part: repr(part) if isinstance(part, Loss) else "",
)
def test_the_expected_loss_is_least_at_the_truth(loss, outcomes, at, truth):
    assert found(laws.proper, loss, outcomes, at, truth) == holds(laws.proper)


def test_a_focal_loss_says_itself_that_its_minimum_is_elsewhere():
    finding = laws.proper(of_loss(FocalLoss()), COIN, single, LOGIT, say=lambda t: sigmoid(t))
    assert finding.case.startswith("the expected loss is least at 0.578")
    assert "minimum is not the probability" in FocalLoss.__doc__


@each(ALL)
@given(data=st.data())
def test_the_gradient_is_the_slope(loss, data):
    scores, targets, _ = data.draw(batches(loss))
    assert found(laws.slope, loss, scores, targets) == holds(laws.slope)


def test_ignored_labels_count_for_nothing():
    loss = of_loss(CrossEntropyLoss(ignore_index=-100))
    finding = laws.nothing(loss, *example(CrossEntropyLoss()), -100)
    assert str(finding) == holds(laws.nothing)


def test_z_loss_ties_down_what_a_shift_leaves_open():
    loss = of_loss(CrossEntropyLoss(z_loss=0.125))
    assert laws.shift(loss, [[0.0, 0.0]], [0]).case.startswith("with 1 added to all scores")


# ---- class weights, which mean the same as in PyTorch --------------------------------------------


def test_class_weights_divide_labels_and_rows_by_different_sums():
    scores, labels = [[0.2, 0.3, 0.5], [0.5, 0.2, 0.3]], [2, 1]
    weighted = CrossEntropyLoss(weight=(2.0, 4.0, 6.0))
    finding = laws.one_hot(of_loss(weighted), scores, labels)
    assert finding.case == "the labels [2 1] give 1.0598, and their one-hot rows 5.2992"


@pytest.mark.parametrize(("weight", "found"), [(9, "0.67857"), (19, "0.5"), (100, "0.15966")])
def test_smoothing_before_class_weights_moves_the_minimum(weight, found):
    loss = of_loss(CrossEntropyLoss(label_smoothing=0.1, weight=(1.0, weight)))
    finding = laws.proper(loss, [([0], 1.0)], lambda t: [[t, 0.0]], np.log(19), say=sigmoid)
    assert finding.case == f"the expected loss is least at {found}, and the truth is 0.95"
