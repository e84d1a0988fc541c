"""Losses of the chapter on the hinge: binary, squared, and multiclass in two variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .._checks import check_positive
from ..special import all_but, exact_difference
from .targets import ClassTargets, SignTargets


@dataclass(frozen=True)
class Margin(SignTargets):
    """Losses of how far a score falls short of the margin; see `HingeLoss`."""

    margin: float = 1.0

    def __post_init__(self) -> None:
        check_positive(f"{self._name}: margin", self.margin)

    def _violation(self, s, y):
        """Return how far each score falls short of the margin, shape (m,)."""
        return np.maximum(0.0, self.margin - y * s)


@dataclass(frozen=True)
class HingeLoss(Margin):
    r"""Hinge loss: no cost once the score is on the right side by the margin.

    .. math:: l = \max(0, \gamma - y s), \qquad
              \frac{\partial l}{\partial s} = \begin{cases} -y & y s < \gamma \\ 0 & y s \ge \gamma
              \end{cases}

    Scores have shape (m,), targets are -1 or +1, shape (m,). At the kink y s = γ the gradient is 0,
    one of its subgradients. Infinite scores give the limits. Called as every `Loss`; with γ = 1 its
    mean is ``sklearn.metrics.hinge_loss``.

    Parameters
    ----------
    margin : float, default 1.0
        The margin γ, in the units of the scores; positive.

    Notes
    -----
    Source: claim C16.

    Examples
    --------
    >>> HingeLoss()([0.2, -0.7, -1.1], [-1, -1, -1], reduction="none").round(12)
    array([1.2, 0.3, 0. ])
    """

    def _rule(self, s, y):
        violation = self._violation(s, y)
        return violation, lambda: -y * np.sign(violation)


@dataclass(frozen=True)
class SquaredHingeLoss(Margin):
    r"""Squared hinge loss: the hinge without its kink.

    .. math:: l = \max(0, \gamma - y s)^2, \qquad
              \frac{\partial l}{\partial s} = -2 y \max(0, \gamma - y s)

    Scores have shape (m,), targets are -1 or +1, shape (m,). There is no ½. Called as every `Loss`.

    Parameters
    ----------
    margin : float, default 1.0
        The margin γ, in the units of the scores; positive.

    Notes
    -----
    Source: C. Cortes and V. Vapnik, "Support-vector networks", Machine Learning 20 (1995), whose
    penalty on the slack is squared here.

    Examples
    --------
    >>> SquaredHingeLoss()([0.5, 2.0], [1, 1], reduction="none")
    array([0.25, 0.  ])
    """

    def _rule(self, s, y):
        violation = self._violation(s, y)
        return violation**2, lambda: -2.0 * y * violation


@dataclass(frozen=True)
class MulticlassHingeLoss(ClassTargets):
    r"""Multiclass hinge: the right class's score must lead every other by the margin.

    With the violations :math:`v_j = \max(0, \gamma + s_j - s_y)` of the wrong classes j ≠ y,

    .. math:: l_\text{crammer-singer} = \max_{j \ne y} v_j, \qquad
              l_\text{weston-watkins} = \sum_{j \ne y} v_j

    A class that counts (the largest violation, or each positive one) has gradient +1, and the right
    class minus their number. Scores have shape (m, K) with K ≥ 2, targets are integer labels
    0 … K-1, shape (m,). At a kink a violation of 0 does not count; of several largest ones the
    first does. Called as every `Loss`. Crammer-Singer is scikit-learn's ``hinge_loss``;
    Weston-Watkins is K times ``torch.nn.MultiMarginLoss``.

    Parameters
    ----------
    margin : float, default 1.0
        The margin γ, in the units of the scores; positive.
    variant : {"crammer-singer", "weston-watkins"}, default "crammer-singer"
        Whether the largest violation counts, or their sum.

    Notes
    -----
    Source: K. Crammer and Y. Singer, JMLR 2 (2001); J. Weston and C. Watkins, ESANN (1999);
    claim C18.

    Examples
    --------
    >>> scores, labels = [[10.0, 9.5, 9.25]], [0]
    >>> MulticlassHingeLoss()(scores, labels)
    0.5
    >>> MulticlassHingeLoss(variant="weston-watkins")(scores, labels)
    0.75
    """

    margin: float = 1.0
    variant: Literal["crammer-singer", "weston-watkins"] = "crammer-singer"

    _takes_probabilities = False

    def __post_init__(self) -> None:
        check_positive("MulticlassHingeLoss: margin", self.margin)
        if self.variant not in ("crammer-singer", "weston-watkins"):
            raise ValueError(
                "MulticlassHingeLoss: variant must be 'crammer-singer' or 'weston-watkins', "
                f"got {self.variant!r}"
            )

    def _from_labels(self, labels, K):
        return labels[:, None]

    def _rule(self, s, label):
        wrong = all_but(label, s.shape[1])
        scores = s[wrong].reshape(len(s), -1)
        lead, error = exact_difference(scores, np.take_along_axis(s, label, axis=1))
        # `error` matters where margin + lead nearly cancel: scores (1, 1e-8) and margin 1.
        violation = np.maximum(0.0, (self.margin + lead) + error)
        if self.variant == "crammer-singer":
            # Found by the scores, which are exact: rounded violations can tie where they do not.
            largest = np.argmax(scores, axis=1, keepdims=True)
            violation = np.where(all_but(largest, scores.shape[1]), 0.0, violation)

        def gradient():
            grad = np.zeros_like(s)
            grad[wrong] = np.sign(violation).ravel()
            np.put_along_axis(grad, label, -grad.sum(axis=1, keepdims=True), axis=1)
            return grad

        return violation.sum(axis=1), gradient
