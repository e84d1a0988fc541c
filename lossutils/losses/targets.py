"""Which scores and targets a loss takes: six kinds, from which every loss inherits one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import named_float64
from .base import Loss

SUM_TOLERANCE = 1e-6
"""Largest error in the sum of an example's probabilities; it allows for float32 rounding."""


class TargetForEachScore(Loss):
    """Losses of scores against targets of the same shape, (m,) or (m, K)."""

    _score_ndim: ClassVar[tuple[int, ...]] = (1, 2)
    _score_shape = "(m,) or (m, K)"

    def score_shape(self, targets: ArrayLike) -> tuple[int, ...]:
        """Return the shape of the targets."""
        return np.shape(targets)

    def _check_targets(self, shape, targets):
        return same_shape(self._name, shape, targets)


class RealTargets(TargetForEachScore):
    """Losses of scores against real targets of the same shape, (m,) or (m, K)."""


class UnitTargets(TargetForEachScore):
    """Losses of scores against targets in [0, 1] of the same shape: (m,), or (m, K) for K labels.

    The labels are K separate questions, of which any number may be answered by yes.
    """

    def _check_targets(self, shape, targets):
        y = super()._check_targets(shape, targets)
        if (y < 0).any() or (y > 1).any():
            raise ValueError(
                f"{self._name}: targets must lie in [0, 1], got values from "
                f"{np.nanmin(y):g} to {np.nanmax(y):g}; labels in {{-1, +1}} become {{0, 1}} "
                "with (targets + 1) / 2"
            )
        return y


class CountTargets(TargetForEachScore):
    """Losses of scores against counts of the same shape, (m,) or (m, K); they need not be whole."""

    def _check_targets(self, shape, targets):
        y = super()._check_targets(shape, targets)
        if (y < 0).any():
            raise ValueError(
                f"{self._name}: targets must be counts, which are never negative, got values from "
                f"{np.nanmin(y):g} to {np.nanmax(y):g}; if they were standardised, take them as "
                "they were counted"
            )
        return y


class GradeTargets(Loss):
    """Losses of the scores of the K items of a list, (m, K), against grades of the same shape.

    Only the order of the grades of a list counts.
    """

    _score_ndim = (2,)
    _score_shape = "(m, K)"

    def score_shape(self, targets: ArrayLike) -> tuple[int, ...]:
        """Return the shape of the targets."""
        return np.shape(targets)

    def _check_targets(self, shape, targets):
        if shape[1] < 2:
            raise ValueError(
                f"{self._name}: scores must have at least two columns, one for each item of a "
                f"list, got shape {shape}"
            )
        y = same_shape(self._name, shape, targets)
        if np.isnan(y).any():
            raise ValueError(
                f"{self._name}: targets must be grades that have an order, got NaN in row "
                f"{int(np.argmax(np.isnan(y).any(axis=1)))}; leave items without a grade out"
            )
        return y


class SignTargets(Loss):
    """Losses of one score per example, (m,), against labels in {-1, +1}."""

    _score_ndim = (1,)
    _score_shape = "(m,)"
    _ravel_hint = "; one column becomes one score per example with scores[:, 0]"

    def score_shape(self, targets: ArrayLike) -> tuple[int, ...]:
        """Return (m,): one score per example."""
        return np.shape(targets)[:1]

    def _check_targets(self, shape, targets):
        y = same_shape(self._name, shape, targets)
        wrong = y[np.abs(y) != 1]
        if wrong.size:
            raise ValueError(
                f"{self._name}: targets must be -1 or +1, got {wrong[0]:g}; "
                "labels in {0, 1} become {-1, +1} with 2 * targets - 1"
            )
        return y


class ClassTargets(Loss):
    """Losses of K scores per example against a class, as a label or as probabilities."""

    _score_ndim = (2,)
    _score_shape = "(m, K)"
    _takes_probabilities: ClassVar[bool] = True

    def score_shape(self, targets: ArrayLike) -> tuple[int, ...]:
        """Return (m, K), K being one more than the largest label, or the width of the targets.

        K is at least 2, also for targets that are wrong; the loss itself then says why.
        """
        y = np.asarray(targets)
        if y.ndim == 2:
            return len(y), max(2, y.shape[1])
        return len(y), max(2, int(y.max()) + 1 if y.dtype.kind in "iu" else 2)

    def _check_targets(self, shape, targets):
        y, (m, K) = np.asarray(targets), shape
        if K < 2:
            raise ValueError(
                f"{self._name}: scores must have at least two columns, got shape {shape}; "
                "for one logit per example use BCEWithLogitsLoss or HingeLoss"
            )
        if y.ndim == 2 and y.shape[1] != 1 and self._takes_probabilities:
            return self._probabilities(shape, y)
        if y.dtype.kind not in "iu" or y.shape != (m,):
            raise ValueError(
                f"{self._name}: targets must be integer labels of shape {(m,)}"
                + (f" or probabilities of shape {shape}" if self._takes_probabilities else "")
                + f", got dtype {y.dtype} and shape {y.shape}; {_label_hint(y, m)}"
            )
        if y.min() < 0 or y.max() >= K:
            raise ValueError(
                f"{self._name}: labels must be 0 to {K - 1} for scores with "
                f"{K} columns, got labels from {y.min()} to {y.max()}; "
                "labels that count from 1 need targets - 1"
            )
        return self._from_labels(y, K)

    def _from_labels(self, labels, K):
        """Return labels in the form that `_rule` takes: here, rows of probabilities."""
        return np.eye(K)[labels]

    def _probabilities(self, shape, targets):
        y = same_shape(self._name, shape, targets)
        wrong = (y < 0).any(axis=1) | (np.abs(y.sum(axis=1) - 1) > SUM_TOLERANCE)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(
                f"{self._name}: each row of targets must be probabilities that sum to 1, got a "
                f"smallest entry of {np.nanmin(y[row]):g} and a sum of {y[row].sum():g} "
                f"in row {row}; "
                "non-negative counts become probabilities with "
                "targets / targets.sum(axis=1, keepdims=True)"
            )
        return y


def class_weights(name: str, option: str, weights: Any) -> tuple[float, ...]:
    """Return weights of classes as a tuple of floats, or raise unless all are positive."""
    array = np.asarray(weights)
    known = array.ndim == 1 and array.size > 0 and array.dtype.kind in "fiu"
    if not known or not ((array > 0) & (array < np.inf)).all():
        raise ValueError(
            f"{name}: {option} must have a positive, finite number for each class, got {weights!r}"
        )
    return tuple(map(float, array))


def check_columns(name: str, option: str, weights: Sequence[float], shape) -> None:
    """Raise unless there is one weight for each column of scores of a shape."""
    if len(shape) != 2 or shape[1] != len(weights):
        raise ValueError(
            f"{name}: {option} has {len(weights)} entries, so scores must have shape "
            f"(m, {len(weights)}), got {shape}"
        )


def width(s):
    """Return K: the number of scores per example."""
    return s.shape[1] if s.ndim == 2 else 1


def mean_over_scores(values):
    """Return the mean over the scores of each example."""
    return values.mean(axis=1) if values.ndim == 2 else values


def same_shape(name, shape, targets):
    """Return targets as float64 if they have the shape of the scores, else raise."""
    y, _ = named_float64(name, "targets", targets)
    if y.shape != shape:
        raise ValueError(
            f"{name}: scores have shape {shape} but targets have shape {y.shape}; "
            "nothing broadcasts, so give " + _shape_hint(y.shape, shape)
        )
    return y


def _shape_hint(targets, scores):
    """Say how targets get the shape of the scores, without ever mixing examples."""
    if [n for n in targets if n != 1] == [n for n in scores if n != 1]:
        return "both the same shape with np.reshape(targets, scores.shape)"
    if targets == scores[::-1]:
        return "both the same shape with targets.T"
    return "one target for each score"


def _label_hint(y, m):
    """Say how to turn what came into labels."""
    if y.ndim == 2 and y.shape[1] == 1:
        return "one column becomes labels with targets[:, 0]"
    if y.ndim == 2:
        return "one-hot rows become labels with targets.argmax(axis=1)"
    if y.shape == (m,):
        return "whole numbers become labels with targets.astype(int)"
    return "give one label for each row of scores"
