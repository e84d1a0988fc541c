"""Losses of the chapter on the hinge: binary, squared, and multiclass in two variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..special import all_but, exact_difference
from .base import ClassTargets, LabelKernel, SignTargets, check_positive


@dataclass(frozen=True)
class Margin(SignTargets):
    """Losses of how far a score falls short of the margin; see `HingeLoss`."""

    margin: float = 1.0

    def __post_init__(self) -> None:
        check_positive(self._name, "margin", self.margin)

    def _shared(self, s, y):
        """Return the violation of the margin, shape (m,)."""
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

    def _value(self, s, y, shared):
        return shared

    def _gradient(self, s, y, shared):
        return -y * np.sign(shared)


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

    def _value(self, s, y, shared):
        return shared**2

    def _gradient(self, s, y, shared):
        return -2.0 * y * shared


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
        check_positive("MulticlassHingeLoss", "margin", self.margin)
        if self.variant not in ("crammer-singer", "weston-watkins"):
            raise ValueError(
                "MulticlassHingeLoss: variant must be 'crammer-singer' or 'weston-watkins', "
                f"got {self.variant!r}"
            )

    def _from_labels(self, labels, s):
        return labels[:, None]

    def _shared(self, s, y):
        """Return the violations that count, (m, K - 1), and where the wrong classes stand."""
        wrong = all_but(y, s.shape[1])
        scores = s[wrong].reshape(len(s), -1)
        lead, error = exact_difference(scores, np.take_along_axis(s, y, axis=1))
        # `error` matters where margin + lead nearly cancel: scores (1, 1e-8) and margin 1
        violation = np.maximum(0.0, (self.margin + lead) + error)
        if self.variant == "crammer-singer":
            # by the scores, which are exact: rounded violations can tie where the scores do not
            largest = np.argmax(scores, axis=1, keepdims=True)
            violation = np.where(all_but(largest, scores.shape[1]), 0.0, violation)
        return violation, wrong

    def _value(self, s, y, shared):
        violation, _ = shared
        return violation.sum(axis=1)

    def _gradient(self, s, y, shared):
        violation, wrong = shared
        grad = np.zeros_like(s)
        grad[wrong] = np.sign(violation).ravel()
        np.put_along_axis(grad, y, -grad.sum(axis=1, keepdims=True), axis=1)
        return grad

    def _kernel(self, outputs, rows):
        kernel = _LargestViolation if self.variant == "crammer-singer" else _AllViolations
        return kernel(outputs, rows, self.margin)


class _LargestViolation(LabelKernel):
    """`MulticlassHingeLoss`, Crammer-Singer: of each row two scores matter."""

    def __init__(self, outputs: tuple[int, ...], rows: int, margin: float) -> None:
        super().__init__(outputs, rows)
        self.margin, self.values = margin, np.empty(rows)

    def gradient(self, rows, s):
        flat, at_label = s.reshape(-1), self.at_label(rows, s)
        right = flat.take(at_label)
        flat[at_label] = -np.inf
        at_largest = s.argmax(axis=0) * s.shape[1] + self.columns[: s.shape[1]]
        lead, error = exact_difference(flat.take(at_largest), right)
        violation = np.maximum(0.0, (self.margin + lead) + error, out=self.values[rows])
        counts = np.sign(violation)
        s.fill(0.0)
        flat[at_largest] = counts
        flat[at_label] = -counts

    def losses(self):
        return self.values[: len(self.labels)]


class _AllViolations(_LargestViolation):
    """`MulticlassHingeLoss`, Weston-Watkins: the wrong classes' violations are added up."""

    def gradient(self, rows, s):
        flat, at_label = s.reshape(-1), self.at_label(rows, s)
        right = flat.take(at_label)
        flat[at_label] = -np.inf
        lead, error = exact_difference(s, right)
        lead += self.margin
        lead += error
        np.maximum(lead, 0.0, out=lead)
        np.add.reduce(lead, axis=0, out=self.values[rows])
        np.sign(lead, out=s)
        flat[at_label] = -np.add.reduce(s, axis=0)
