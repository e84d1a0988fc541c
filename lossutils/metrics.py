"""How good predicted probabilities are as decisions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .special import Float64Array


@dataclass(frozen=True)
class Confusion:
    """Counts of decisions at each threshold, an array each; made by `confusion`."""

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
    """Count hits, false alarms, misses and rejections when 1 is called above a threshold.

    Parameters
    ----------
    probability : array_like, shape (m,)
        Predicted probabilities of class 1.
    labels : array_like, shape (m,)
        Labels 0 and 1, of which both occur.
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
        raise ValueError(f"labels must be 0 and 1, of which both occur, got {np.unique(y)[:5]}")
    # how many of each class lie at or below each threshold, from sorted probabilities
    misses, rejections = (
        np.searchsorted(np.sort(p[y == label]), t, side="right") for label in (1, 0)
    )
    positives = int(np.sum(y == 1))
    return Confusion(positives - misses, len(y) - positives - rejections, misses, rejections)
