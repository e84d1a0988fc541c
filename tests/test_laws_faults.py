"""A planted fault breaks exactly the law that it should, and a right loss breaks none."""

import dataclasses

import numpy as np
import pytest

from lossutils import laws
from lossutils.laws import LAWS, Subject, of_loss
from lossutils.losses import CrossEntropyLoss
from lossutils.special import softmax


def cross_entropy(s, y):
    """Return the loss of each example, and its gradient, for labels or rows."""
    s = np.asarray(s, dtype=np.float64)
    rows = np.eye(s.shape[1])[y] if np.ndim(y) == 1 else np.asarray(y)
    gap = s.max(axis=1, keepdims=True) - s
    lse = np.log(np.exp(-gap).sum(axis=1, keepdims=True))
    p = np.exp(-gap - lse)
    others = 1 - np.eye(s.shape[1])
    # the error of class k is the sum of p y over pairs, which does not cancel
    error = p * (rows @ others) - rows * (p @ others)
    return (rows * (gap + lse)).sum(axis=1), error


def weighted_mean(values, w):
    w = np.ones(len(values)) if w is None else np.asarray(w)
    if len(values) == 0:
        raise ValueError("no example")
    return float(np.dot(w, values) / w.sum())


def value(s, y, w):
    return weighted_mean(cross_entropy(s, y)[0], w)


def grad(s, y, w):
    w = np.ones(len(s)) if w is None else np.asarray(w)
    return w[:, None] * cross_entropy(s, y)[1] / w.sum()


RIGHT = Subject(value, grad)


def replaced(value=value, grad=grad):
    return dataclasses.replace(RIGHT, value=value, grad=grad)


def below_zero(s, y, w):
    return value(s, y, w) - 1.0


def z_loss(s, y, w):
    s = np.asarray(s, dtype=np.float64)
    lse = s.max(axis=1) + np.log(np.exp(s - s.max(axis=1, keepdims=True)).sum(axis=1))
    return value(s, y, w) + weighted_mean(1e-3 * lse**2, w)


def z_loss_grad(s, y, w):
    s = np.asarray(s, dtype=np.float64)
    lse = s.max(axis=1) + np.log(np.exp(s - s.max(axis=1, keepdims=True)).sum(axis=1))
    w = np.ones(len(s)) if w is None else np.asarray(w)
    return grad(s, y, w) + (w * 2e-3 * lse / w.sum())[:, None] * softmax(s)


def tie_break(s, y, w):
    first = np.asarray(y) == 0 if np.ndim(y) == 1 else np.asarray(y)[:, 0]
    return weighted_mean(cross_entropy(s, y)[0] + 0.1 * first, w)


def mean_over_classes(s, y, w):
    return value(s, y, w) / (1 if np.ndim(y) == 1 else np.shape(s)[1])


def sharing(s, y, w):
    n = RIGHT.size(y, w)
    return value(s, y, w) / np.sqrt(n) if n else value(s, y, w)


def sharing_grad(s, y, w):
    return grad(s, y, w) / np.sqrt(RIGHT.size(y, w))


def over_the_batch(s, y, w):
    weights = np.ones(len(s)) if w is None else np.asarray(w)
    return value(s, y, w) * weights.sum() / len(s) if len(s) else value(s, y, w)


def not_refused(s, y, w):
    return value(s, y, w) if len(s) else np.nan


def clipped(s, y, w):
    return weighted_mean(np.minimum(cross_entropy(s, y)[0], -np.log(1e-7)), w)


def clipped_grad(s, y, w):
    inside = cross_entropy(s, y)[0] < -np.log(1e-7)
    return grad(s, y, w) * inside[:, None]


def doubtful(s, y, w):
    p = softmax(s).max(axis=1) if len(s) else np.zeros(0)
    return value(s, y, w) + weighted_mean(0.5 * (p * (1 - p)) ** 2, w)


def doubtful_grad(s, y, w):
    p = softmax(s)
    top = np.eye(p.shape[1])[p.argmax(axis=1)]
    of_top = p.max(axis=1, keepdims=True)
    w = np.ones(len(s)) if w is None else np.asarray(w)
    rise = of_top * (1 - of_top) * (1 - 2 * of_top) * of_top * (top - p)
    return grad(s, y, w) + w[:, None] * rise / w.sum()


def too_long(s, y, w):
    return 1.001 * grad(s, y, w)


FAULTS = {
    "floor": replaced(below_zero),
    "shift": replaced(z_loss, z_loss_grad),
    "permutation": replaced(tie_break),
    "one_hot": replaced(mean_over_classes),
    "parts": replaced(sharing, sharing_grad),
    "repetition": replaced(over_the_batch),
    "nothing": replaced(not_refused),
    "tail": replaced(clipped, clipped_grad),
    "proper": replaced(doubtful, doubtful_grad),
    "slope": replaced(grad=too_long),
}


def normalised(t):
    """Return scores of two classes whose log-sum-exp is 0, where a z-loss is 0."""
    s = np.array([[0.0, t]])
    return s - np.log(np.exp(s).sum())


def broken_laws(loss):
    """Return the names of the laws that a loss of three classes breaks."""
    scores = np.array([[0.75, 0.25, -0.5], [-1.5, 2.0, 0.25], [0.5, -0.75, 1.5]])
    labels = np.array([1, 1, 0])
    far, q = np.array([[0.0, -40.0]]), np.exp(-40.0)
    cases = {
        "floor": [((scores, labels), {})],
        "shift": [((scores, labels), {})],
        "permutation": [((scores, labels), {})],
        "one_hot": [((scores, labels), {})],
        "parts": [((scores, labels), {})],
        "repetition": [((scores, labels, [2, 0, 3]), {})],
        "nothing": [((scores, labels), {})],
        "tail": [((far, [1], [[1.0, -1.0]], 40.0), {}), ((far, [0], [[-q, q]], q), {})],
        "proper": [(([([1], 0.7), ([0], 0.3)], normalised, np.log(7 / 3)), {})],
        "slope": [((scores, labels), {})],
    }
    by_name = {law.name: law for law in LAWS}
    assert list(cases) == list(by_name)
    return [
        name
        for name, tried in cases.items()
        if not all(by_name[name](loss, *case, **options).holds for case, options in tried)
    ]


def test_a_right_loss_breaks_no_law():
    assert broken_laws(RIGHT) == []
    assert broken_laws(of_loss(CrossEntropyLoss())) == []


def test_there_is_a_fault_for_each_law():
    assert list(FAULTS) == [law.name for law in LAWS]


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_breaks_exactly_its_law(name):
    assert broken_laws(FAULTS[name]) == [name]


def test_what_is_ignored_adds_nothing():
    def of_two(s, y, w):
        kept = np.asarray(y) != -1
        return value(np.asarray(s)[kept], np.asarray(y)[kept], w)

    def over_all(s, y, w):
        return of_two(s, y, w) * np.mean(np.asarray(y) != -1)

    scores, labels = np.eye(2), np.array([0, 1])
    assert laws.nothing(Subject(of_two), scores, labels, -1).holds
    finding = laws.nothing(Subject(over_all), scores, labels, -1)
    assert finding.case == "one ignored label makes 0.15663 of 0.31326"


def test_a_law_names_formula_and_reason():
    for law in LAWS:
        assert law.formula
        assert law.reason.endswith(".")
        assert law.__doc__
        assert getattr(laws, law.name) is law


def test_laws_of_the_gradient_ask_for_one():
    with pytest.raises(ValueError, match="needs a gradient"):
        laws.slope(Subject(value), np.eye(2), [0, 1])
    with pytest.raises(ValueError, match="needs a gradient"):
        laws.tail(Subject(value), np.eye(2), [0, 1], np.eye(2), 1.0)
