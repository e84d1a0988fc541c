"""Measures of predictions, as decisions and as probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import Float64Array, check_count


@dataclass(frozen=True)
class Confusion:
    """Counts of decisions at each threshold, as arrays; made by `confusion`."""

    hits: NDArray[np.intp]
    """Class 1 called 1 (true positives)."""
    false_alarms: NDArray[np.intp]
    """Class 0 called 1 (false positives)."""
    misses: NDArray[np.intp]
    """Class 1 called 0 (false negatives)."""
    rejections: NDArray[np.intp]
    """Class 0 called 0 (true negatives)."""

    @property
    def wrong(self) -> NDArray[np.intp]:
        """Number of wrong decisions."""
        return self.false_alarms + self.misses

    @property
    def error(self) -> Float64Array:
        """Share of wrong decisions."""
        return self.wrong / (self.wrong + self.hits + self.rejections)

    @property
    def balanced_error(self) -> Float64Array:
        """Mean of the error rates of the two classes."""
        missed = self.misses / (self.misses + self.hits)
        alarmed = self.false_alarms / (self.false_alarms + self.rejections)
        return (missed + alarmed) / 2

    @property
    def f1(self) -> Float64Array:
        """Harmonic mean of precision and recall, 2 hits / (2 hits + false alarms + misses)."""
        return 2 * self.hits / (2 * self.hits + self.wrong)


def confusion(probability: ArrayLike, labels: ArrayLike, thresholds: ArrayLike) -> Confusion:
    """Count hits, false alarms, misses and rejections at thresholds.

    Parameters
    ----------
    probability : array_like, shape (m,)
        Predicted probabilities of class 1.
    labels : array_like, shape (m,)
        Labels 0 and 1. Both must occur.
    thresholds : array_like, any shape
        Class 1 is called where the probability exceeds the threshold.

    Returns
    -------
    Confusion
        With arrays of the shape of ``thresholds``.

    Raises
    ------
    ValueError
        If the shapes differ, or the labels are not 0 and 1.
    """
    p, y, t = np.asarray(probability), np.asarray(labels), np.asarray(thresholds)
    if p.ndim != 1 or p.shape != y.shape:
        raise ValueError(
            f"probability and labels must both have shape (m,), got {p.shape} and {y.shape}"
        )
    if set(np.unique(y)) != {0, 1}:
        raise ValueError(f"labels must be 0 and 1, and both must occur, got {np.unique(y)[:5]}")
    # how many of each class lie at or below each threshold, from sorted probabilities
    misses, rejections = (
        np.searchsorted(np.sort(p[y == label]), t, side="right") for label in (1, 0)
    )
    positives = int(np.sum(y == 1))
    return Confusion(positives - misses, len(y) - positives - rejections, misses, rejections)


def accuracy(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return the share of examples with the right predicted label.

    Parameters
    ----------
    scores : array_like, shape (m, K) or (m,)
        The column with the highest score is predicted, and the first of equal ones. With one score
        per example, class 1 is predicted where it is positive.
    labels : array_like, shape (m,)
        Labels 0 ... K-1.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If the shapes do not fit, or labels lie outside 0 ... K-1.
    """
    s, y = np.asarray(scores), np.asarray(labels)
    if s.ndim not in (1, 2) or y.shape != s.shape[:1] or s.size == 0:
        raise ValueError(
            "scores must have shape (m,) or (m, K) and labels (m,), with m at least 1, "
            f"got {s.shape} and {y.shape}"
        )
    classes = s.shape[1] if s.ndim == 2 else 2
    if not np.isin(y, np.arange(classes)).all():
        raise ValueError(
            f"labels must be 0 to {classes - 1}, got values from {y.min()} to {y.max()}; "
            "labels in {-1, +1} become {0, 1} with (labels + 1) // 2"
        )
    return float(np.mean((s.argmax(axis=1) if s.ndim == 2 else s > 0) == y))


@dataclass(frozen=True)
class Reliability:
    """Predicted probability and observed frequency of each bin; made by `reliability`."""

    confidence: Float64Array
    """Mean predicted probability in the bin."""
    frequency: Float64Array
    """Share of the bin's examples where the event happened."""
    count: NDArray[np.intp]
    """Number of examples in the bin."""

    @property
    def ece(self) -> float:
        """Expected calibration error, the mean over examples of abs(frequency - confidence)."""
        gap = np.abs(self.frequency - self.confidence)
        return float(np.sum(self.count * gap) / np.sum(self.count))


def reliability(probability: ArrayLike, outcome: ArrayLike, *, bins: int = 10) -> Reliability:
    """Compare predicted probabilities with observed frequencies in equal bins of [0, 1].

    For K classes, ask whether the most probable class was right:
    ``reliability(p.max(axis=1), p.argmax(axis=1) == labels)``.

    Parameters
    ----------
    probability : array_like, shape (m,)
        Predicted probability of the event.
    outcome : array_like, shape (m,)
        Whether the event happened: booleans, or 0 and 1.
    bins : int, default 10
        Number of bins. A probability on an edge belongs to the bin above it, and 1 to the last.

    Returns
    -------
    Reliability
        Without the empty bins.

    Raises
    ------
    ValueError
        If the shapes differ, a probability lies outside [0, 1] or is NaN, or an outcome is neither
        0 nor 1.

    Notes
    -----
    Source: M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities
    using Bayesian binning", AAAI (2015).
    """
    p, happened = np.asarray(probability, dtype=np.float64), np.asarray(outcome)
    if p.ndim != 1 or p.shape != happened.shape or p.size == 0:
        raise ValueError(
            "probability and outcome must both have shape (m,), with m at least 1, "
            f"got {p.shape} and {happened.shape}"
        )
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"probabilities must lie in [0, 1], got {p.min():g} to {p.max():g}")
    if not np.isin(happened, (0, 1)).all():
        raise ValueError(f"outcomes must be 0 or 1, got {np.unique(happened)[:5]}")
    bins = check_count("bins", bins, 1)
    index = np.searchsorted(np.arange(1, bins) / bins, p, side="right")
    count = np.bincount(index, minlength=bins)
    used = count > 0
    sums = [np.bincount(index, weights=w, minlength=bins)[used] for w in (p, happened)]
    return Reliability(sums[0] / count[used], sums[1] / count[used], count[used])


LEAST_PAIRS = 12
"""Fewest repetitions that `compare_pairs` accepts."""


@dataclass(frozen=True)
class Comparison:
    """Two competitors on the same repetitions; made by `compare_pairs`. Prints as a sentence."""

    ahead: int
    """Repetitions in which the first is ahead."""
    behind: int
    """Repetitions in which the first is behind."""
    tied: int
    """Repetitions without a difference."""
    median: float
    """Median of the differences, first minus second if higher is better; positive if ahead."""
    spread: tuple[float, float]
    """Quartiles of the differences."""

    @property
    def p_value(self) -> float:
        r"""How often fair coins are as one-sided as the untied repetitions (two-sided sign test).

        .. math:: p = \min\Big(1, 2 \sum_{i \le k} \binom{n}{i} 2^{-n}\Big),
            \quad n = \text{ahead} + \text{behind}, \ k = \min(\text{ahead}, \text{behind})
        """
        n, fewer = self.ahead + self.behind, min(self.ahead, self.behind)
        return min(1.0, 2 * sum(comb(n, i) for i in range(fewer + 1)) / 2**n)

    @property
    def differs(self) -> bool:
        """Whether the difference is more than its noise, with a `p_value` below 0.05."""
        return self.p_value < 0.05

    @property
    def better(self) -> bool:
        """Whether the first is ahead by more than the noise."""
        return self.differs and self.ahead > self.behind

    @property
    def worse(self) -> bool:
        """Whether the first is behind by more than the noise."""
        return self.differs and self.ahead < self.behind

    def __str__(self) -> str:
        return f"ahead {self.ahead}, behind {self.behind}, tied {self.tied}"


def compare_pairs(
    first: ArrayLike, second: ArrayLike, *, higher_is_better: bool = True, tie: float = 0.0
) -> Comparison:
    """Compare two competitors that met under the same conditions, such as the same seeds.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        Results of both, in the same order of conditions; n is at least 12.
    higher_is_better : bool, default True
        False for errors, losses and times.
    tie : float, default 0
        Differences up to this size are ties.

    Returns
    -------
    Comparison
        Counts on both sides, ties, and the spread of the differences.

    Raises
    ------
    ValueError
        If the shapes differ, a result is not finite, or there are fewer than 12 pairs.

    Examples
    --------
    >>> right, wrong = [0.9] * 9 + [0.8] * 3, [0.8] * 12
    >>> print(compare_pairs(right, wrong))
    ahead 9, behind 0, tied 3
    """
    a, b = (np.asarray(side, dtype=np.float64) for side in (first, second))
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"both must have shape (n,), got {a.shape} and {b.shape}")
    if len(a) < LEAST_PAIRS:
        raise ValueError(
            f"{len(a)} pairs are too few to tell a difference from noise; "
            f"give at least {LEAST_PAIRS}, for instance more seeds"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("every result must be finite, got infinite ones or NaN")
    difference = a - b if higher_is_better else b - a
    ahead, behind = int(np.sum(difference > tie)), int(np.sum(difference < -tie))
    low, high = np.quantile(difference, [0.25, 0.75])
    middle = float(np.median(difference))
    return Comparison(ahead, behind, len(a) - ahead - behind, middle, (float(low), float(high)))
