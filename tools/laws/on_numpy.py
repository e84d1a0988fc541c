"""Losses of scikit-learn and of this course, as plain functions of arrays."""

from __future__ import annotations

import numpy as np
from sklearn import metrics
from sklearn._loss import HalfBinomialLoss, HalfMultinomialLoss

from lossutils import losses, special
from lossutils.laws import Subject, of_loss
from lossutils.verify import numerical_gradient

from . import cases
from .cases import OURS, RIGHT, SKLEARN, WRONG, Called, is_rows


def by_differences(value):
    """Return the slope of a value, where a library gives no gradient."""
    return lambda s, y, w: numerical_gradient(lambda x: value(x, y, w), s)


def half_loss(half, *, classes=False):
    """Wrap a loss with which scikit-learn trains; it returns a value for each example."""

    def parts(s, y, w):
        loss = half(n_classes=np.shape(s)[1]) if classes else half()
        raw = np.ascontiguousarray(s, dtype=np.float64)
        y = np.asarray(y, dtype=np.float64)
        value, gradient = loss.loss(y, raw), loss.gradient(y, raw)
        w = np.ones(len(value)) if w is None else np.asarray(w)
        return value, gradient, w / w.sum()

    def total(s, y, w):
        value, _, share = parts(s, y, w)
        return float(share @ value)

    def slope(s, y, w):
        _, gradient, share = parts(s, y, w)
        return gradient * (share[:, None] if gradient.ndim == 2 else share)

    return Subject(total, slope)


def sklearn():
    """Return what is tried of scikit-learn."""

    def log_loss(s, y, w):
        p = special.softmax(s)
        labels = None if is_rows(y) else np.arange(p.shape[1])
        return float(metrics.log_loss(y, p, sample_weight=w, labels=labels))

    yield Called(
        SKLEARN,
        "sklearn.metrics.log_loss of softmax(s)",
        Subject(log_loss, by_differences(log_loss)),
        cases.of_classes("slope", RIGHT),
        {WRONG: "scikit-learn/scikit-learn/pull/28851"},
        {WRONG: "It is a metric, without a gradient; this one is by differences of the value."},
    )
    multinomial = cases.of_classes("one_hot", "nothing")
    multinomial["permutation"] = cases.of_classes()["permutation"]
    yield Called(
        SKLEARN,
        "sklearn._loss.HalfMultinomialLoss, which trains LogisticRegression",
        half_loss(HalfMultinomialLoss, classes=True),
        {row: tried for row, tried in multinomial.items() if row not in (WRONG, RIGHT, "proper")},
    )
    yield Called(
        SKLEARN,
        "sklearn._loss.HalfBinomialLoss, which trains LogisticRegression",
        half_loss(HalfBinomialLoss),
        cases.of_yes_no("nothing"),
        {WRONG: "scikit-learn/scikit-learn/issues/28046"},
    )

    def squared(s, y, w):
        return float(metrics.mean_squared_error(y, s, sample_weight=w))

    yield Called(
        SKLEARN,
        "sklearn.metrics.mean_squared_error",
        Subject(squared),
        cases.of_numbers("slope"),
    )


def ours():
    """Return what is tried of the course's own losses that others have, too."""
    weighted = cases.of_classes("proper", "repetition", "permutation", "nothing", WRONG, RIGHT)
    weighted["one_hot"] = (cases.of(cases.laws.one_hot, *cases.ISSUE_25571),)
    numbers = cases.of_numbers()
    median = cases.of_numbers(elicited="median")
    for loss, tried in (
        (losses.CrossEntropyLoss(), cases.of_classes()),
        (losses.BCEWithLogitsLoss(), cases.of_yes_no()),
        (losses.FocalLoss(), cases.of_focal(2.0)),
        (losses.FocalLoss(gamma=0.5), cases.of_focal(0.5)),
        (losses.MSELoss(), numbers),
        (losses.MAELoss(), median),
    ):
        yield Called(OURS, repr(loss), of_loss(loss), tried)
    yield Called(
        OURS,
        "CrossEntropyLoss(weight=(2, 4, 6))",
        of_loss(losses.CrossEntropyLoss(weight=(2.0, 4.0, 6.0))),
        weighted,
        notes={"one_hot": "The option means what it means in PyTorch; the docstring says so."},
    )
    yield Called(
        OURS,
        "CrossEntropyLoss(weight=(1, 9), label_smoothing=0.1)",
        of_loss(losses.CrossEntropyLoss(weight=(1.0, 9.0), label_smoothing=0.1)),
        cases.smoothed_and_weighted(),
        notes={"proper": "The options mean what they mean in PyTorch; the docstring says so."},
    )
    yield Called(
        OURS,
        "DiceLoss()",
        of_loss(losses.DiceLoss()),
        cases.of_masks(),
        notes={"proper": "It is meant for masks of 0 and 1."},
    )
