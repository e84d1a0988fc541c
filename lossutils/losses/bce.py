"""Losses of the chapter on binary cross-entropy: of probabilities, and of logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

import numpy as np

from .._checks import Float64Array
from .targets import UnitTargets, check_columns, class_weights, mean_over_scores, width


@dataclass(frozen=True)
class BCELoss(UnitTargets):
    r"""Binary cross-entropy of probabilities, the negative log-likelihood of a Bernoulli label.

    .. math:: l = -\frac{1}{K} \sum_k \bigl(y_k \log p_k + (1 - y_k) \log(1 - p_k)\bigr), \qquad
              \frac{\partial l}{\partial p_k} = \frac{1}{K} \frac{p_k - y_k}{p_k (1 - p_k)}

    Scores are probabilities p of class 1; targets lie in [0, 1]. Both have the shape (m,), with
    K = 1, or (m, K) for K labels at once, over which the loss of an example is the mean, as in
    PyTorch. A certain mistake costs +inf and has an infinite gradient: nothing is clamped
    (``torch.nn.BCELoss`` cuts the loss off at 100, and with it the gradient). Where 0 log 0 occurs
    it counts as 0. Called as every `Loss`. If you have logits, use `BCEWithLogitsLoss`: p has
    rounded away what they say.

    Raises
    ------
    ValueError
        Also if a score is outside [0, 1].

    Notes
    -----
    Source: claims B3 and B5.

    Examples
    --------
    >>> BCELoss()([0.5, 1.0], [1, 1], reduction="none")
    array([0.69314718, 0.        ])
    """

    def _check_scores(self, s):
        if (s < 0).any() or (s > 1).any():
            raise ValueError(
                "BCELoss: scores must be probabilities in [0, 1], got values from "
                f"{np.nanmin(s):g} to {np.nanmax(s):g}; for logits use BCEWithLogitsLoss, "
                "or sigmoid(scores)"
            )

    def _rule(self, p, y):
        cost_if_1 = np.where(y == 0, 0.0, -y * np.log(p))
        cost_if_0 = np.where(y == 1, 0.0, -(1.0 - y) * np.log1p(-p))

        def gradient():
            # At p = y = 0 or 1 the fraction is 0/0: take the slope of -log(1 - p) or -log p.
            certain_and_right = (p == y) & ((y == 0) | (y == 1))
            slope = np.where(certain_and_right, 1.0 - 2.0 * y, (p - y) / (p * (1.0 - p)))
            return slope / width(p)

        return mean_over_scores(cost_if_1 + cost_if_0), gradient


@dataclass(frozen=True)
class BCEWithLogitsLoss(UnitTargets):
    r"""Binary cross-entropy of logits: `BCELoss` of :math:`\sigma(z)`, stable for every z.

    .. math:: l = -\frac{1}{K} \sum_k
              \bigl(y_k \log \sigma(z_k) + (1 - y_k) \log \sigma(-z_k)\bigr), \qquad
              \frac{\partial l}{\partial z_k} = \frac{1}{K} \bigl(\sigma(z_k) - y_k\bigr)

    Scores are logits z; targets lie in [0, 1]. Both have the shape (m,), with K = 1, or (m, K) for
    K labels at once, of which any number may be 1; then the loss of an example is the mean over its
    labels, as in PyTorch. Convex; the gradient is the error of the prediction (over K), and lies in
    [-1, 1]. For labels 0 and 1 both keep their relative accuracy in the tail (within 2 eps, proved
    for -708 ≤ z ≤ 708), where ``torch.nn.BCEWithLogitsLoss`` rounds the gradient to 0. Infinite
    logits give the limits: z = +inf costs 0 if y = 1, else +inf. Called as every `Loss`.

    Parameters
    ----------
    pos_weight : positive float, or sequence of K positive floats, optional
        Weight of the positive term, :math:`y_k \log \sigma(z_k)`, for all labels or for each: one
        positive example then counts as so many. As in PyTorch, "mean" still divides by the number
        of examples (the sum of their ``sample_weight``), not by the sum of these weights.

    Raises
    ------
    ValueError
        Also if several weights are given, and not one for each column of scores.

    Notes
    -----
    Source: claims A3, B5, B6, E8 and E9.

    Examples
    --------
    >>> loss = BCEWithLogitsLoss()
    >>> loss([0.0, 800.0], [1, 0], reduction="none")
    array([6.93147181e-01, 8.00000000e+02])
    >>> loss.grad([0.0, 800.0], [1, 0], reduction="none")
    array([-0.5,  1. ])
    >>> loss.grad([[0.0, 800.0]], [[1, 0]], reduction="none")  # two labels of one example
    array([[-0.25,  0.5 ]])
    """

    pos_weight: float | Sequence[float] | None = None

    def __post_init__(self) -> None:
        given = self.pos_weight
        if given is not None:
            rows = [given] if isinstance(given, Real) else given
            weights = class_weights("BCEWithLogitsLoss", "pos_weight", rows)
            object.__setattr__(self, "pos_weight", weights[0] if rows is not given else weights)

    def _check_targets(self, shape, targets):
        y = super()._check_targets(shape, targets)
        if isinstance(self.pos_weight, tuple):
            check_columns("BCEWithLogitsLoss", "pos_weight", self.pos_weight, shape)
        return y

    def _rule(self, z, y):
        # l = log(1 + exp(-|z|)) + |z| times the label weight that disagrees with sign(z); with a
        # pos_weight c, the weights of the labels 1 and 0 are c y and 1 - y, which add up to `both`
        positive, both = y, 1.0
        if self.pos_weight is not None:
            positive = np.asarray(self.pos_weight) * y
            both = positive + (1.0 - y)
        e, error = sigmoid_error(z, y, positive)
        against = np.where(z < 0, positive, 1.0 - y)
        value = np.where(against == 0, 0.0, np.abs(z) * against) + both * np.log1p(e)
        return mean_over_scores(value), lambda: error / width(z)


class SigmoidError(NamedTuple):
    """How far the sigmoid is from the target, and the exponential that both losses of it need."""

    e: Float64Array
    """exp(-|z|)"""
    error: Float64Array
    """sigmoid(z) - y"""


def sigmoid_error(
    z: Float64Array, y: Float64Array, positive: Float64Array | None = None
) -> SigmoidError:
    r"""Compute :math:`\sigma(z) - y = (1 - y) \sigma(z) - y \sigma(-z)` without cancellation.

    The right-hand side keeps what the left one loses: for y = 1 it is :math:`-\sigma(-z)`, tiny but
    not 0 at large z. With ``positive``, that stands for the second y.
    """
    positive = y if positive is None else positive
    e = np.exp(-np.abs(z))
    above, below = np.where(z >= 0, 1.0, e), np.where(z >= 0, e, 1.0)
    return SigmoidError(e, ((1.0 - y) * above - positive * below) / (1.0 + e))
