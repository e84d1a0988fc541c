"""Losses of the chapter on decisions: focal loss, and Dice loss of a mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import Float64Array
from .targets import UnitTargets, mean_over_scores, width


@dataclass(frozen=True)
class FocalLoss(UnitTargets):
    r"""Focal loss: `BCEWithLogitsLoss` in which what is predicted well counts less.

    .. math:: l = -\frac{1}{K} \sum_k \bigl(y_k\, \sigma(-z_k)^\gamma \log \sigma(z_k)
              + (1 - y_k)\, \sigma(z_k)^\gamma \log \sigma(-z_k)\bigr), \qquad
              \frac{\partial l}{\partial z_k} = \frac{1}{K} \bigl((1 - y_k)\, \phi(z_k)
              - y_k\, \phi(-z_k)\bigr), \quad
              \phi(x) = \sigma(x)^\gamma \bigl(\sigma(x) - \gamma\, \sigma(-x) \log \sigma(-x)\bigr)

    Scores are logits z; targets lie in [0, 1]. Both have the shape (m,), with K = 1, or (m, K) for
    K labels at once, over which the loss of an example is the mean. Each term has the factor of its
    own label, also for targets between 0 and 1. (``torchvision.ops.sigmoid_focal_loss`` takes the
    factor of their mixture there; for labels 0 and 1 both agree, with its ``alpha=-1`` for None.)
    Not convex for γ > 0, and its minimum is not the probability but a number nearer to ½. Value
    and gradient are finite and keep their relative accuracy in both tails for every γ, and nothing
    is clamped; if γ < 1, torchvision and fvcore return NaN as a gradient there, because the slope
    of :math:`(1 - p)^\gamma` at p = 1 is infinite. Infinite logits give the limits. Called as every
    `Loss`.

    Parameters
    ----------
    gamma : float, default 2.0
        Exponent γ ≥ 0 of the factor; 0 gives `BCEWithLogitsLoss`.
    alpha : float in [0, 1], optional
        Weight of the term of label 1; that of label 0 gets 1 - alpha. By default both have weight
        1, as no alpha gives.

    Notes
    -----
    Source: T.-Y. Lin and others, "Focal loss for dense object detection" (2017); claims E12, E13.

    Examples
    --------
    >>> FocalLoss()([0.0], [1])
    0.17328679513998632
    >>> FocalLoss(gamma=0.5).grad([100.0, -100.0], [1, 1])
    array([-5.38...e-66, -5.00...e-01])
    """

    gamma: float = 2.0
    alpha: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.gamma < np.inf:
            raise ValueError(
                f"FocalLoss: gamma must be non-negative and finite, got {self.gamma!r}"
            )
        if self.alpha is not None and not 0 <= self.alpha <= 1:
            raise ValueError(f"FocalLoss: alpha must lie in [0, 1] or be None, got {self.alpha!r}")

    def _rule(self, z, y):
        of_1, of_0 = (1.0, 1.0) if self.alpha is None else (self.alpha, 1.0 - self.alpha)
        cost_if_1, slope_if_1 = self._of_margin(z)
        cost_if_0, slope_if_0 = self._of_margin(-z)
        weight_1, weight_0 = of_1 * y, of_0 * (1.0 - y)

        def gradient():
            return (weight_1 * slope_if_1() - weight_0 * slope_if_0()) / width(z)

        return mean_over_scores(times(weight_1, cost_if_1) + times(weight_0, cost_if_0)), gradient

    def _of_margin(self, t: Float64Array):
        """Return the loss of label 1 at the logit t, and a function for its slope: no term cancels.

        Both have the factor q to the γ, where q is the probability of the other label.
        """
        e = np.exp(-np.abs(t))
        p, q = np.where(t >= 0, 1.0, e) / (1.0 + e), np.where(t >= 0, e, 1.0) / (1.0 + e)
        factor = q**self.gamma
        minus_log_p = np.maximum(-t, 0.0) + np.log1p(e)
        return factor * minus_log_p, lambda: -factor * (self.gamma * times(p, minus_log_p) + q)


@dataclass(frozen=True)
class DiceLoss(UnitTargets):
    r"""Dice loss of a mask: one minus twice the overlap over the sum of both sizes.

    .. math:: l = 1 - \frac{2 \sum_k p_k y_k + \varepsilon}{\sum_k p_k + \sum_k y_k + \varepsilon},
              \quad p_k = \sigma(z_k), \qquad
              \frac{\partial l}{\partial z_k} = p_k (1 - p_k)
              \frac{(1 - y_k) (1 - l) - y_k (1 + l)}{\sum_j p_j + \sum_j y_j + \varepsilon}

    Scores are logits z of the K pixels of each image, shape (m, K); targets are the masks, in
    [0, 1], of the same shape. The loss of an image lies in [0, 1] and is no mean over its pixels:
    a small object weighs as much as a large one. Not convex. Value and gradient keep their relative
    accuracy for masks of 0 and 1. Called as every `Loss`.

    Parameters
    ----------
    smooth : float, default 1.0
        The non-negative number ε. If the mask is empty, it sets how small the sum of all p must
        become before the loss falls; with 0, an empty mask costs 1 whatever is predicted, and its
        gradient is 0, also in the limit of scores of -inf, where the fraction is 0/0. (optax counts
        it twice, so that its ``binary_dice_loss(smooth=1)`` is ours with 2; ``keras.losses.Dice``
        has 1e-7, and only in the denominator, so that an empty mask always costs 1.)

    Notes
    -----
    Source: F. Milletari and others, "V-Net" (2016), who square p and y in the denominator; claim
    E14.

    Examples
    --------
    >>> DiceLoss(smooth=0.0)([[0.0, 0.0]], [[1, 0]])
    0.5
    >>> DiceLoss().grad([[0.0, 0.0]], [[0, 0]])
    array([[0.0625, 0.0625]])
    """

    _score_ndim = (2,)
    _score_shape = "(m, K)"

    smooth: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.smooth < np.inf:
            raise ValueError(
                f"DiceLoss: smooth must be non-negative and finite, got {self.smooth!r}"
            )

    def _rule(self, z, y):
        e = np.exp(-np.abs(z))
        p, q = np.where(z >= 0, 1.0, e) / (1.0 + e), np.where(z >= 0, e, 1.0) / (1.0 + e)
        # Both 1 + l and 1 - l are sums of positive terms over the same size.
        overlap = 2.0 * (p * y).sum(axis=1) + self.smooth
        size = p.sum(axis=1) + y.sum(axis=1) + self.smooth
        nothing = size == 0  # neither mask nor prediction: the limit, as p goes to 0
        size = np.where(nothing, 1.0, size)
        value = np.where(nothing, 1.0, (p * (1.0 - y) + y * q).sum(axis=1) / size)

        def gradient():
            if_0, if_1 = (overlap / size)[:, None], (1.0 + value)[:, None]
            return p * q * ((1.0 - y) * if_0 - y * if_1) / size[:, None]

        return value, gradient


def times(weights: Float64Array, values: Float64Array) -> Float64Array:
    """Multiply; a weight of 0 leaves a value out, even if it is infinite."""
    return np.where(weights == 0, 0.0, weights * values)
