"""Metrics of decisions and of calibration equal those of a plain loop and of scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from lossutils.metrics import accuracy, confusion, reliability

rng = np.random.default_rng(0)
P = np.round(rng.uniform(size=200), 1)  # rounded, so some equal a threshold
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
        ([0.1, 0.2], [-1, 1], "labels must be 0 and 1, and both must occur, got [-1  1]"),
        ([0.1, 0.2], [1, 1], "labels must be 0 and 1, and both must occur, got [1]"),
    ],
)
def test_confusion_refuses_bad_input(p, y, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        confusion(p, y, 0.5)
    assert str(error.value) == message


def test_accuracy_equals_that_of_scikit_learn():
    scores, labels = rng.normal(size=(200, 3)), rng.integers(0, 3, size=200)
    assert accuracy(scores, labels) == metrics.accuracy_score(labels, scores.argmax(axis=1))
    assert accuracy(scores[:, 0], Y) == metrics.accuracy_score(Y, scores[:, 0] > 0)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1.0], [0, 1], "scores must have shape (m,) or (m, K) and labels (m,)"),
        ([], [], "scores must have shape (m,) or (m, K) and labels (m,)"),
        ([1.0, 2.0], [-1, 1], "labels must be 0 to 1, got values from -1 to 1; labels in {-1, +1}"),
        ([[1.0, 2.0]], [2], "labels must be 0 to 1, got values from 2 to 2"),
    ],
)
def test_accuracy_refuses_bad_input(scores, labels, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        accuracy(scores, labels)
    assert str(error.value).startswith(message)


def test_reliability_equals_a_plain_count():
    p = np.append(P, [0.3, 1.0, 0.0])  # on the edges of bins
    y = np.append(Y, [1, 1, 0])
    bins = [[i for i in range(203) if k <= round(p[i] * 5, 9) < k + 1 + (k == 4)] for k in range(5)]
    r = reliability(p, y, bins=5)
    assert r.count.tolist() == [len(b) for b in bins]
    np.testing.assert_allclose(r.confidence, [p[b].mean() for b in bins])
    np.testing.assert_allclose(r.frequency, [y[b].mean() for b in bins])
    gaps = [len(b) * abs(p[b].mean() - y[b].mean()) for b in bins]
    assert r.ece == pytest.approx(sum(gaps) / 203)


def test_a_calibrated_forecast_lies_on_the_diagonal_and_an_overconfident_one_does_not():
    p = rng.uniform(size=100_000)
    happened = rng.uniform(size=p.size) < p
    assert reliability(p, happened).ece < 0.01
    assert reliability(np.where(p > 0.5, 1.0, 0.0), happened).ece == pytest.approx(0.25, abs=0.01)


def test_bins_without_an_example_are_left_out():
    r = reliability([0.05, 0.95, 0.96], [0, 1, 1])
    assert (r.count.tolist(), len(r.confidence)) == ([1, 2], 2)


@pytest.mark.parametrize(
    ("p", "y", "options", "message"),
    [
        ([0.1], [0, 1], {}, "probability and outcome must both have shape (m,), with m at least 1"),
        ([], [], {}, "probability and outcome must both have shape (m,), with m at least 1"),
        ([0.1, 1.5], [0, 1], {}, "probabilities must lie in [0, 1], got 0.1 to 1.5"),
        ([0.1, np.nan], [0, 1], {}, "probabilities must lie in [0, 1], got nan to nan"),
        ([0.1, 0.5], [-1, 1], {}, "outcomes must be 0 or 1, got [-1  1]"),
        ([0.1, 0.5], [0, 1], {"bins": 0}, "bins must be a whole number of at least 1, got 0"),
    ],
)
def test_reliability_refuses_bad_input(p, y, options, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        reliability(p, y, **options)
    assert str(error.value).startswith(message)


def test_a_whole_number_of_bins_may_be_a_float():
    assert reliability([0.2, 0.8], [0, 1], bins=2.0).count.tolist() == [1, 1]
    with pytest.raises(ValueError, match="bins must be a whole number of at least 1, got 'two'"):
        reliability([0.2, 0.8], [0, 1], bins="two")
