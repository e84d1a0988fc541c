"""Squared error of a squashed score: on the sigmoid, on the softmax, on the exponential."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..special import softmax_parts
from .bce import sigmoid_error
from .cross_entropy import softmax_error
from .targets import ClassTargets, UnitTargets, mean_over_scores, width


@dataclass(frozen=True)
class SigmoidMSELoss(UnitTargets):
    r"""Half the squared error of a sigmoid, the loss that stalls on confident mistakes.

    .. math:: l = \frac{1}{K} \sum_k \tfrac12 (y_k - \sigma(z_k))^2, \qquad
              \frac{\partial l}{\partial z_k} =
              \frac{1}{K} (\sigma(z_k) - y_k)\, \sigma(z_k)\, \sigma(-z_k)

    Scores are logits z; targets lie in [0, 1]. Both have the shape (m,), with K = 1, or (m, K) for
    K labels at once, over which the loss of an example is the mean. Note the ½, as the source texts
    have it. Not convex: for y = 1 the curvature changes sign at :math:`\sigma(z) = 1/3`, and the
    slope is nowhere steeper than 4/27. Called as every `Loss`.

    Notes
    -----
    Source: claims A1, A5 and C11.

    Examples
    --------
    >>> SigmoidMSELoss()([0.0], [1])
    0.125
    """

    def _rule(self, z, y):
        e, error = sigmoid_error(z, y)
        value = mean_over_scores(0.5 * error**2)
        return value, lambda: error * (e / (1.0 + e) ** 2) / width(z)


@dataclass(frozen=True)
class SoftmaxMSELoss(ClassTargets):
    r"""Mean squared error of a softmax (the Brier score divided by K).

    .. math:: l = \frac{1}{K} \lVert y - p \rVert^2, \quad p = \operatorname{softmax}(s), \qquad
              \nabla_s l = -\frac{2}{K} \bigl(\operatorname{diag}(p) - p p^\top\bigr) (y - p)

    Scores are logits, shape (m, K) with K ≥ 2; targets are integer labels 0 … K-1, shape (m,), or
    probabilities that sum to 1, shape (m, K). Not convex; the gradient vanishes on confident
    mistakes, and for K ≥ 3 it can be negative on a wrong class. Called as every `Loss`.

    Notes
    -----
    Source: claims D3 and D6.

    Examples
    --------
    >>> SoftmaxMSELoss()([[0.0, 0.0]], [0])
    0.25
    """

    def _rule(self, s, y):
        parts = softmax_parts(s)
        error = softmax_error(parts, y)

        def gradient():
            # p_i (r_i - p.r) with r = p - y, written as p_i (r_i (1 - p_i) - sum_{j != i} p_j r_j):
            # the first form cancels to nothing where a prediction is confident and right.
            p, top = parts.p, parts.top
            pull = p * error
            of_others = pull.sum(axis=1, keepdims=True) - pull
            np.put_along_axis(pull, top, 0.0, axis=1)
            np.put_along_axis(of_others, top, pull.sum(axis=1, keepdims=True), axis=1)
            return 2.0 / s.shape[1] * p * (error * parts.q - of_others)

        return (error**2).mean(axis=1), gradient


@dataclass(frozen=True)
class ExpMSELoss(ClassTargets):
    r"""Mean squared error of the exponential of a score, the variant that text 004 proposes.

    .. math:: l = \frac{1}{K} \lVert y - e^s \rVert^2, \qquad
              \nabla_s l = -\frac{2}{K} (y - e^s) \odot e^s

    Scores have shape (m, K) with K ≥ 2; targets are integer labels 0 … K-1, shape (m,), or
    probabilities that sum to 1, shape (m, K). The gradient is positive on every wrong class,
    vanishes as a score falls and grows like :math:`e^{2s}` as it rises. Called as every `Loss`.

    Notes
    -----
    Source: claim D5.

    Examples
    --------
    >>> ExpMSELoss()([[0.0, 0.0]], [0])
    0.5
    """

    def _rule(self, s, y):
        # exp(s) - y, by expm1 where y is 1, since there the two can be nearly equal
        error = np.where(y == 1, np.expm1(s), np.exp(s) - y)
        return (error**2).mean(axis=1), lambda: 2.0 / s.shape[1] * error * np.exp(s)
