"""Losses of the chapter on binary cross-entropy: of probabilities, and of logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..special import Array, Float64Array
from .base import Kernel, UnitTargets


@dataclass(frozen=True)
class BCELoss(UnitTargets):
    r"""Binary cross-entropy of probabilities, the negative log-likelihood of a Bernoulli label.

    .. math:: l = -y \log p - (1 - y) \log(1 - p), \qquad
              \frac{\partial l}{\partial p} = \frac{p - y}{p (1 - p)}

    Scores are probabilities p of class 1, shape (m,); targets lie in [0, 1], shape (m,). A certain
    mistake costs +inf and has an infinite gradient: nothing is clamped (``torch.nn.BCELoss`` cuts
    the loss off at 100, and with it the gradient). Where 0 log 0 occurs it counts as 0. Called as
    every `Loss`. If you have logits, use `BCEWithLogitsLoss`: p has rounded away what they say.

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

    def _check_targets(self, s, targets):
        if (s < 0).any() or (s > 1).any():
            raise ValueError(
                "BCELoss: scores must be probabilities in [0, 1], got values from "
                f"{np.nanmin(s):g} to {np.nanmax(s):g}; for logits use BCEWithLogitsLoss, "
                "or sigmoid(scores)"
            )
        return super()._check_targets(s, targets)

    def _value(self, s, y, shared):
        cost_if_1 = np.where(y == 0, 0.0, -y * np.log(s))
        cost_if_0 = np.where(y == 1, 0.0, -(1.0 - y) * np.log1p(-s))
        return cost_if_1 + cost_if_0

    def _gradient(self, s, y, shared):
        # at p = y = 0 or 1 the fraction is 0/0; its limit is the slope of -log(1 - p) or -log p
        certain_and_right = (s == y) & ((y == 0) | (y == 1))
        return np.where(certain_and_right, 1.0 - 2.0 * y, (s - y) / (s * (1.0 - s)))


@dataclass(frozen=True)
class BCEWithLogitsLoss(UnitTargets):
    r"""Binary cross-entropy of logits: `BCELoss` of :math:`\sigma(z)`, stable for every z.

    .. math:: l = -y \log \sigma(z) - (1 - y) \log \sigma(-z), \qquad
              \frac{\partial l}{\partial z} = \sigma(z) - y

    Scores are logits z, shape (m,); targets lie in [0, 1], shape (m,). Convex; the gradient is the
    error of the prediction and lies in [-1, 1]. For labels 0 and 1 both keep their relative
    accuracy (2 eps) in the tail, where ``torch.nn.BCEWithLogitsLoss`` rounds the gradient to 0.
    Infinite logits give the limits: z = +inf costs 0 if y = 1, else +inf. Called as every `Loss`.

    Notes
    -----
    Source: claims A3, B5 and B6.

    Examples
    --------
    >>> loss = BCEWithLogitsLoss()
    >>> loss([0.0, 800.0], [1, 0], reduction="none")
    array([6.93147181e-01, 8.00000000e+02])
    >>> loss.grad([0.0, 800.0], [1, 0], reduction="none")
    array([-0.5,  1. ])
    """

    def _shared(self, s, y):
        return sigmoid_error(s, y)

    def _value(self, s, y, shared):
        # l = log(1 + exp(-|z|)) + |z| times the share of the label on the other side of 0 than z
        against = np.where(s < 0, y, 1.0 - y)
        return np.where(against == 0, 0.0, np.abs(s) * against) + np.log1p(shared.e)

    def _gradient(self, s, y, shared):
        return shared.error

    def _kernel(self, outputs, rows):
        return _LogisticKernel(rows) if outputs == () else super()._kernel(outputs, rows)


class _LogisticKernel(Kernel):
    r"""`BCEWithLogitsLoss` of labels 0 and 1, in terms of c = 1 - 2y, which is -1 or 1.

    .. math:: l = \log(1 + e^{cz}), \qquad
              \frac{\partial l}{\partial z} = \frac{c\, e^{cz}}{1 + e^{cz}}

    Nothing is subtracted, so nothing cancels. On a confident mistake the exponential overflows from
    a loss of 709 on; then the loss is infinite here, which sends the rows to the plain formulas.
    """

    def __init__(self, rows: int) -> None:
        self.e = np.empty(rows)
        self.c: Any = None

    def start(self, targets):
        self.c = None  # so that its memory, still in the cache, is used again
        self.c = label_signs(targets)
        return self.c is not None

    def gradient(self, rows, s):
        c = self.c[rows]
        s *= c
        e = np.exp(s, out=self.e[rows])
        np.add(e, ONE, out=s)
        np.divide(e, s, out=s)
        s *= c

    def losses(self):
        e = self.e[: len(self.c)]
        return np.log1p(e, out=e)


def label_signs(labels: Array) -> Float64Array | None:
    """Return 1 - 2 labels if they are all 0 or 1, else None.

    For speed some wrong integers pass, as NaN, which no sum hides: so the loss comes out as NaN,
    and the plain formulas complain.
    """
    if labels.ndim != 1:
        return None
    if labels.dtype.kind in "iub":
        try:
            return SIGNS.take(labels.astype(np.intp, copy=False))
        except IndexError:
            return None
    binary = labels.dtype.kind == "f" and ((labels == 0) | (labels == 1)).all()
    return SIGNS.take(labels.astype(np.intp)) if binary else None


SIGNS = np.array([1.0, -1.0, np.nan, np.nan])
"""By label; the last two also for -1 and -2, which NumPy counts from the end."""
ONE = np.array(1.0)
"""Which NumPy adds in two thirds of the time that it takes for a Python float."""


class SigmoidError(NamedTuple):
    """The sigmoid's distance from the target, and what it was made of."""

    e: Float64Array
    """exp(-|z|)"""
    error: Float64Array
    """sigmoid(z) - y"""


def sigmoid_error(z: Float64Array, y: Float64Array) -> SigmoidError:
    r"""Compute :math:`\sigma(z) - y = (1 - y) \sigma(z) - y \sigma(-z)` without cancellation.

    The right-hand side keeps what the left one loses: for y = 1 it is :math:`-\sigma(-z)`, tiny but
    not 0 at large z.
    """
    e = np.exp(-np.abs(z))
    above, below = np.where(z >= 0, 1.0, e), np.where(z >= 0, e, 1.0)
    return SigmoidError(e, ((1.0 - y) * above - y * below) / (1.0 + e))
