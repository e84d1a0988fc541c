"""The losses of the course, and valid inputs for each of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lossutils.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    DiceLoss,
    DPOLoss,
    ExpMSELoss,
    FocalLoss,
    GaussianNLLLoss,
    HingeLoss,
    HuberLoss,
    InfoNCELoss,
    LogCoshLoss,
    MAELoss,
    MSELoss,
    MulticlassHingeLoss,
    PairwiseHingeLoss,
    PairwiseLogisticLoss,
    PoissonNLLLoss,
    ProbitLoss,
    QuantileLoss,
    SigmoidMSELoss,
    SoftmaxBCELoss,
    SoftmaxMSELoss,
    SquaredHingeLoss,
    StudentTLoss,
)
from lossutils.losses.targets import (
    ClassTargets,
    CountTargets,
    GradeTargets,
    RealTargets,
    SignTargets,
    UnitTargets,
)

REAL = [
    MSELoss(),
    MAELoss(),
    HuberLoss(),
    HuberLoss(delta=0.25),
    QuantileLoss(),
    QuantileLoss(quantile=0.9),
    StudentTLoss(),
    StudentTLoss(df=1.0, scale=0.5),
    LogCoshLoss(),
]
MEAN_AND_VARIANCE = [GaussianNLLLoss(), GaussianNLLLoss(full=True)]
UNIT = [
    SigmoidMSELoss(),
    BCELoss(),
    BCEWithLogitsLoss(),
    BCEWithLogitsLoss(pos_weight=3.0),
    ProbitLoss(),
    FocalLoss(),
    FocalLoss(gamma=0.5, alpha=0.25),
]
MASK = [DiceLoss(), DiceLoss(smooth=0.125)]
COUNT = [PoissonNLLLoss(), PoissonNLLLoss(full=True), PoissonNLLLoss(log_input=False)]
SIGN = [HingeLoss(), HingeLoss(margin=0.5), SquaredHingeLoss(), SquaredHingeLoss(margin=2.0)]
CLASS = [
    CrossEntropyLoss(),
    CrossEntropyLoss(label_smoothing=0.1),
    CrossEntropyLoss(weight=(0.5, 2.0, 1.0)),
    CrossEntropyLoss(label_smoothing=0.1, weight=(0.5, 2.0, 1.0)),
    CrossEntropyLoss(z_loss=0.125),
    CrossEntropyLoss(label_smoothing=0.1, weight=(0.5, 2.0, 1.0), z_loss=0.125),
    SoftmaxBCELoss(),
    SoftmaxMSELoss(),
    ExpMSELoss(),
]
MULTICLASS_HINGE = [
    MulticlassHingeLoss(),
    MulticlassHingeLoss(margin=0.5),
    MulticlassHingeLoss(variant="weston-watkins"),
]
LABELS_ONLY = [
    *MULTICLASS_HINGE,
    CrossEntropyLoss(ignore_index=-100),
    CrossEntropyLoss(0.1, weight=(0.5, 2.0, 1.0), ignore_index=255, z_loss=0.125),
]
CANDIDATES = [
    InfoNCELoss(),
    InfoNCELoss(temperature=0.5),
    InfoNCELoss(temperature=0.75, decoupled=True),
]
GRADE = [PairwiseLogisticLoss(), PairwiseHingeLoss(), PairwiseHingeLoss(margin=0.5)]
PREFERENCE = [DPOLoss(), DPOLoss(beta=0.75, label_smoothing=0.1)]
BINARY = UNIT + SIGN
MULTICLASS = CLASS + LABELS_ONLY + CANDIDATES
COLUMNS = REAL + UNIT + COUNT
"""Losses whose targets have the shape of the scores, (m,) or (m, K)."""
ALL = REAL + MEAN_AND_VARIANCE + BINARY + COUNT + MASK + MULTICLASS + GRADE + PREFERENCE
BOUNDED = [BCELoss(), PoissonNLLLoss(log_input=False)]
"""Losses that take only some scores: probabilities, and rates."""


def each(losses):
    """Parametrise a test over losses."""
    return pytest.mark.parametrize("loss", losses, ids=repr)


def example(loss):
    """Return scores of three examples, and their targets."""
    rows = np.array([[0.75, 0.25, 0.5], [-1.5, 2.0, 0.25], [0.5, -0.75, 1.5]])
    if isinstance(loss, GradeTargets):
        return rows, np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 1.0], [1.0, 0.0, 0.5]])
    if isinstance(loss, DPOLoss):
        return rows[:, :2], np.array([[0.5, 0.5], [-1.0, 2.25], [-0.5, 0.25]])
    if isinstance(loss, RealTargets):
        return rows, np.array([[0.0, 1.0, 2.5], [-1.0, 2.0, 3.0], [1.0, 0.0, -1.0]])
    if isinstance(loss, ClassTargets):
        return rows, np.array([2, 0, 1])
    if isinstance(loss, GaussianNLLLoss):
        return rows[:, :2], np.array([0.0, 1.0, 2.5])
    if isinstance(loss, DiceLoss):
        return rows, np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    targets = {SignTargets: [-1, 1, 1], CountTargets: [0, 3, 1], UnitTargets: [0, 1, 0.5]}
    return rows[0], np.array(next(y for kind, y in targets.items() if isinstance(loss, kind)))


def refusal(call, *args, **options):
    """Return the message of the ValueError that a call raises."""
    with pytest.raises(ValueError, match=r".") as caught:
        call(*args, **options)
    return str(caught.value)


@st.composite
def batches(draw, loss):
    """Draw scores, targets and options, with no score within 0.01 of a kink of any loss.

    Kinks lie where two scores, or a score and a target, differ by a multiple of 1/4. Targets are
    multiples of 1/4, and the scores in column k are a multiple of 1/4 plus (k + 1)/64.
    """
    m, K = draw(st.integers(1, 5)), draw(st.integers(2, 5))
    ignored = getattr(loss, "ignore_index", None)
    K = len(getattr(loss, "weight", None) or range(K))
    either = loss._score_ndim == (1, 2) and draw(st.booleans())
    shape = (m, K) if either or loss._score_ndim == (2,) else (m,)
    shape = (m, 2) if isinstance(loss, GaussianNLLLoss | DPOLoss) else shape
    quarters = _arrays(draw, shape, st.integers(-12, 12)) / 4
    scores = quarters + (np.arange(shape[-1]) + 1) / 64 if len(shape) == 2 else quarters + 1 / 64
    if loss in BOUNDED:
        scores = 0.5 + scores / 16
    if isinstance(loss, RealTargets | GaussianNLLLoss):
        shape = (m,) if isinstance(loss, GaussianNLLLoss) else shape
        targets = _arrays(draw, shape, st.integers(-8, 8)) / 4
    elif isinstance(loss, GradeTargets):
        targets = _arrays(draw, shape, st.integers(0, 3))
    elif isinstance(loss, CountTargets):
        targets = _arrays(draw, shape, st.integers(0, 8))
    elif isinstance(loss, UnitTargets):
        targets = _arrays(draw, shape, st.sampled_from([0.0, 1.0, 0.3]))
    elif isinstance(loss, SignTargets):
        targets = _arrays(draw, shape, st.sampled_from([-1, 1]))
    elif loss._takes_probabilities and draw(st.booleans()):
        counts = _arrays(draw, shape, st.integers(0, 4)) + np.eye(K)[0]
        targets = counts / counts.sum(axis=1, keepdims=True)
    else:
        targets = _arrays(draw, (m,), st.integers(0, K - 1))
        if ignored is not None:  # but never the first
            targets[1:][_arrays(draw, (m - 1,), st.booleans()).astype(bool)] = ignored
    reduction = draw(st.sampled_from(["mean", "sum", "none"]))
    weights = None
    if draw(st.booleans()):
        weights = _arrays(draw, (m,), st.integers(0, 4)) / 2
        some = 0 if ignored is not None else draw(st.integers(0, m - 1))
        weights[some] = 1.0  # the weights must not all be 0
    return scores, targets, {"sample_weight": weights, "reduction": reduction}


def _arrays(draw, shape, elements):
    size = int(np.prod(shape))
    return np.reshape(draw(st.lists(elements, min_size=size, max_size=size)), shape)


def linear_problem(loss, m=12, n=3, seed=0, labels=0):
    """Return X, targets, W and b of a linear model that the loss can train.

    With ``labels`` the targets are that many labels 0 and 1 of each example.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, n))
    if labels:
        W, b = rng.normal(size=(n, labels)), rng.normal(size=labels)
        return X, rng.integers(2, size=(m, labels)), W, b
    if isinstance(loss, ClassTargets):
        targets, outputs = np.append(rng.integers(3, size=m - 3), [0, 1, 2]), (3,)
        if getattr(loss, "ignore_index", None) is not None:
            targets[2:-3:3] = loss.ignore_index
    elif isinstance(loss, RealTargets):
        targets, outputs = rng.normal(size=(m, 2)), (2,)
    elif isinstance(loss, GradeTargets):
        targets, outputs = rng.integers(3, size=(m, 4)), (4,)
    elif isinstance(loss, DiceLoss):
        targets, outputs = rng.integers(2, size=(m, 4)), (4,)
    elif isinstance(loss, GaussianNLLLoss):
        targets, outputs = rng.normal(size=m), (2,)
    else:
        targets, outputs = rng.integers(2, size=m), ()
        targets = 2 * targets - 1 if isinstance(loss, SignTargets) else targets
        targets = 3 * targets if isinstance(loss, CountTargets) else targets
    W, b = rng.normal(size=(n, *outputs)), rng.normal(size=outputs)
    if loss in BOUNDED:  # the scores must lie between 0 and 1
        W, b = W / 100, 0.5
    return X, targets, W, b


def in_plain_numpy(loss, X, targets, W, b, l2=0.0, sample_weight=None):
    value, G = loss.value_and_grad(X @ W + b, targets, sample_weight=sample_weight)
    penalty = 0.5 * l2 * np.sum(W**2)
    return value + penalty, X.T @ G + l2 * W, G.sum(axis=0)


X_LAYOUTS = {
    "contiguous": lambda X: X,
    "by columns": np.asfortranarray,
    "every second row and column": lambda X: np.repeat(np.repeat(X, 2, 0), 2, 1)[::2, ::2],
    "every second row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "backwards": lambda X: X[::-1].copy()[::-1],
    "the other byte order": lambda X: X.astype(">f8"),
    "float32": lambda X: X.astype(np.float32),
    "half of a record": lambda X: np.rec.fromarrays([X, X], names="a, b").a,
}


def assert_same(actual, expected, rtol=1e-13, atol=1e-15):
    """Assert that values and gradients agree."""
    for left, right in zip(actual, expected, strict=True):
        assert_allclose(left, right, rtol=rtol, atol=atol)
