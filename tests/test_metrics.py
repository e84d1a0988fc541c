"""Counts of decisions, against a plain loop and against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from lossutils.metrics import confusion

rng = np.random.default_rng(0)
P = np.round(rng.uniform(size=200), 1)  # rounded, so that some equal a threshold
Y = rng.integers(0, 2, size=200)
THRESHOLDS = [0.0, 0.1, 0.5, 0.85, 1.0]


@pytest.mark.parametrize("t", THRESHOLDS)
def test_counts_equal_a_plain_count(t):
    counts = confusion(P, Y, t)
    assert counts.hits == sum((p > t) and y == 1 for p, y in zip(P, Y, strict=True))
    assert counts.false_alarms == sum((p > t) and y == 0 for p, y in zip(P, Y, strict=True))
    assert counts.misses == sum((p <= t) and y == 1 for p, y in zip(P, Y, strict=True))
    assert counts.rejections == sum((p <= t) and y == 0 for p, y in zip(P, Y, strict=True))


@pytest.mark.parametrize("t", THRESHOLDS[:-1])
def test_rates_equal_those_of_scikit_learn(t):
    counts, called = confusion(P, Y, t), t < P
    assert counts.wrong == counts.false_alarms + counts.misses
    assert counts.error == pytest.approx(1 - metrics.accuracy_score(Y, called))
    assert counts.balanced_error == pytest.approx(1 - metrics.balanced_accuracy_score(Y, called))
    assert counts.f1 == pytest.approx(metrics.f1_score(Y, called))


def test_thresholds_of_any_shape():
    assert confusion(P, Y, THRESHOLDS).error.shape == (5,)
    assert confusion(P, Y, np.full((2, 3), 0.5)).hits.shape == (2, 3)


@pytest.mark.parametrize(
    ("p", "y", "message"),
    [
        ([0.1, 0.2], [0], "probability and labels must both have shape (m,), got (2,) and (1,)"),
        ([[0.1]], [[1]], "probability and labels must both have shape (m,), got (1, 1) and (1, 1)"),
        ([0.1, 0.2], [-1, 1], "labels must be 0 and 1, of which both occur, got [-1  1]"),
        ([0.1, 0.2], [1, 1], "labels must be 0 and 1, of which both occur, got [1]"),
    ],
)
def test_bad_input_is_named(p, y, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        confusion(p, y, 0.5)
    assert str(error.value) == message
