"""Losses of the chapter on comparisons: pairs of a list, candidates, and preferences (DPO).

All are functions of differences of scores, which are formed here without a rounding error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import Float64Array, check_positive
from ..special import exact_difference, exact_product, exact_quotient, softmax_parts
from .cross_entropy import softmax_error
from .targets import ClassTargets, GradeTargets, RealTargets


class Pairs(GradeTargets):
    """Losses that add a cost of each pair of items in a list; see `PairwiseLogisticLoss`."""

    def _cost(self, lead: Float64Array, error: Float64Array):
        """Return the cost of leads, and their slopes; ``error`` is what rounding took off a lead.

        The slopes are those by the lead, and never positive.
        """
        raise NotImplementedError

    def _rule(self, s, y):
        better = y[:, :, None] > y[:, None, :]  # (m, K, K): the first item beats the second
        cost, slope = self._cost(*exact_difference(s[:, :, None], s[:, None, :]))
        unknown = np.where(np.isnan(s), np.nan, 0.0)  # also of an item that is in no pair
        value = np.where(better, cost, 0.0).sum(axis=(1, 2)) + unknown.sum(axis=1)

        def gradient():
            pull = np.where(better, slope, 0.0)
            return pull.sum(axis=2) - pull.sum(axis=1) + unknown

        return value, gradient


@dataclass(frozen=True)
class PairwiseLogisticLoss(Pairs):
    r"""Logistic loss of every pair of a list: the loss of Bradley and Terry, and of RankNet.

    .. math:: l = \sum_i \sum_{j:\, y_j < y_i} \log\bigl(1 + e^{-(s_i - s_j)}\bigr), \qquad
              \frac{\partial l}{\partial s_k} = \sum_{i:\, y_i > y_k} \sigma(s_k - s_i)
              - \sum_{j:\, y_j < y_k} \sigma(s_j - s_k)

    Scores are those of the K ≥ 2 items of each list, shape (m, K); targets are their grades, of
    which only the order counts, of the same shape. Items of equal grade form no pair, so a tie is
    left out, and a list without a pair costs 0. For K = 2 it is the negative log-likelihood of the
    model of Bradley and Terry: `BCEWithLogitsLoss` of the difference, or `CrossEntropyLoss` of the
    two scores. Convex, unchanged when a constant is added to a row of scores, and its gradient sums
    to 0 over the list. Value and gradient keep their relative accuracy where they are tiny. One
    infinite score gives the limit. Called as every `Loss`; "mean" divides by the number of lists,
    not of pairs. Memory grows with K².

    Raises
    ------
    ValueError
        Also if a grade is NaN, which has no order.

    Notes
    -----
    Source: R. A. Bradley and M. E. Terry, "Rank analysis of incomplete block designs", Biometrika
    39 (1952); C. Burges and others, "Learning to rank using gradient descent", ICML (2005).

    Examples
    --------
    >>> loss = PairwiseLogisticLoss()
    >>> loss([[0.0, 0.0]], [[1, 0]])
    0.6931471805599453
    >>> loss.grad([[0.0, 0.0, 9.0]], [[2, 1, 1]]).round(3)
    array([[-1.5,  0.5,  1. ]])
    """

    def _cost(self, lead, error):
        return logistic(lead, error)


@dataclass(frozen=True)
class PairwiseHingeLoss(Pairs):
    r"""Hinge of every pair of a list: the better item must lead by the margin.

    .. math:: l = \sum_i \sum_{j:\, y_j < y_i} \max\bigl(0, \gamma - (s_i - s_j)\bigr)

    An item's gradient is the number of violated pairs in which it should lose, minus the number of
    those that it should win. Scores and targets as for `PairwiseLogisticLoss`. For K = 2 it is the
    margin ranking loss (``torch.nn.MarginRankingLoss``, whose default margin is 0; here it must be
    positive, since equal scores would cost nothing), and with the scores -d, the *triplet loss* of
    the two distances d from an anchor (``torch.nn.TripletMarginLoss``, which adds 1e-6 to each
    coordinate before it takes the distance). At a kink the gradient is 0. One infinite score gives
    the limit; called as every `Loss`.

    Parameters
    ----------
    margin : float, default 1.0
        The margin γ, in the units of the scores; positive.

    Raises
    ------
    ValueError
        Also if a grade is NaN, which has no order.

    Notes
    -----
    Source: R. Herbrich, T. Graepel and K. Obermayer, "Large margin rank boundaries for ordinal
    regression" (2000); F. Schroff and others, "FaceNet" (2015).

    Examples
    --------
    >>> PairwiseHingeLoss(margin=0.5)([[1.0, 0.75]], [[1, 0]])
    0.25
    """

    margin: float = 1.0

    def __post_init__(self) -> None:
        check_positive("PairwiseHingeLoss: margin", self.margin)

    def _cost(self, lead, error):
        violation = np.maximum(0.0, (self.margin - lead) - error)
        return violation, -np.sign(violation)


@dataclass(frozen=True)
class InfoNCELoss(ClassTargets):
    r"""InfoNCE, the contrastive loss: cross-entropy over candidates, of scores over a temperature.

    .. math:: l = \log \sum_k e^{s_k / \tau} - \frac{y^\top s}{\tau}, \qquad
              \nabla_s l = \frac{1}{\tau} \bigl(\operatorname{softmax}(s / \tau) - y\bigr)

    Scores are the similarities of each query to its K ≥ 2 candidates, shape (m, K); targets are the
    indices 0 … K-1 of the right ones, shape (m,). Where the other examples of a batch are the
    candidates, scores are (m, m) and targets ``np.arange(m)``; CLIP adds the same loss of
    ``scores.T``, and takes the mean. A score of -inf leaves a candidate out, as an example is no
    candidate for itself in SimCLR. Value and gradient keep their relative accuracy where they are
    tiny. Called as every `Loss`; it is ``torch.nn.CrossEntropyLoss`` of scores / τ.

    Parameters
    ----------
    temperature : float, default 1.0
        The temperature τ > 0. The gradient is that by the scores, so that it has the factor 1/τ.
    decoupled : bool, default False
        Leave the right candidate out of the sum. Then l may be negative and has no lower bound
        (for K = 2 it is linear), and the pull on the right score is always -1/τ. With -inf for all
        other scores it is NaN.

    Raises
    ------
    ValueError
        If a label is no column, or the temperature is not positive.

    Notes
    -----
    Source: A. van den Oord, Y. Li and O. Vinyals, "Representation learning with contrastive
    predictive coding" (2018); C.-H. Yeh and others, "Decoupled contrastive learning" (2022).

    Examples
    --------
    >>> InfoNCELoss()([[1.0, 1.0, 1.0, 1.0]], [2])
    1.3862943611198906
    >>> InfoNCELoss(temperature=0.5).grad([[0.0, 0.0]], [0])
    array([[-1.,  1.]])
    >>> InfoNCELoss(decoupled=True)([[3.0, 1.0]], [0])
    -2.0
    """

    temperature: float = 1.0
    decoupled: bool = False

    _takes_probabilities = False

    def __post_init__(self) -> None:
        check_positive("InfoNCELoss: temperature", self.temperature)

    def _rule(self, s, y):
        if self.decoupled:
            return self._without_the_right_one(s, y == 1)
        parts = softmax_parts(s, self.temperature)
        value = np.where(y == 1, parts.neg_log_p, 0.0).sum(axis=1)
        return value, lambda: softmax_error(parts, y) / self.temperature

    def _without_the_right_one(self, s, right):
        others = s[~right].reshape(len(s), -1)
        parts = softmax_parts(others, self.temperature)
        best = np.take_along_axis(others, parts.top, axis=1)
        lead, error = exact_difference(best, s[right][:, None])
        lead, error = exact_quotient(lead, error, self.temperature)

        def gradient():
            grad = np.empty_like(s)
            unknown = np.where(np.isnan(s[right]), np.nan, 0.0)
            grad[~right] = (parts.p + unknown[:, None]).ravel()
            grad[right] = -1.0 + 0.0 * parts.rest[:, 0] + unknown
            return grad / self.temperature

        return (lead + (error + np.log1p(parts.rest)))[:, 0], gradient


@dataclass(frozen=True)
class DPOLoss(RealTargets):
    r"""Direct preference optimisation: logistic loss of how much the policy's lead has grown.

    .. math:: l = -(1 - \varepsilon) \log \sigma(h) - \varepsilon \log \sigma(-h), \quad
              h = \beta \bigl((s_1 - r_1) - (s_2 - r_2)\bigr), \qquad
              \frac{\partial l}{\partial s_1} = -\frac{\partial l}{\partial s_2}
              = \beta \bigl(\sigma(h) - 1 + \varepsilon\bigr)

    Scores s are the policy's log-probabilities of the answer that was preferred and of the other,
    in this order, shape (m, 2), each summed over the tokens of the answer. Targets r are the same
    of the reference model, shape (m, 2). The *implicit reward* of an answer is β (s - r).
    Convex in the scores. Value and gradient keep their relative accuracy where they are tiny, also
    where large log-probabilities nearly cancel. One infinite score gives the limit; called as every
    `Loss`.

    Parameters
    ----------
    beta : float, default 0.1
        The price β > 0 of leaving the reference, in the reward from which the loss is derived.
    label_smoothing : float in [0, 0.5), default 0.0
        The share ε of preferences that are taken to be the wrong way round. With 0 the loss of a
        pair has no minimum; else it is least at h = log((1 - ε) / ε).

    Raises
    ------
    ValueError
        If scores have another number of columns than two, or targets another shape.

    Notes
    -----
    The library TRL calls the same loss ``loss_type="sigmoid"``, with ``beta`` and
    ``label_smoothing``.

    Source: R. Rafailov and others, "Direct preference optimization: your language model is secretly
    a reward model", NeurIPS (2023).

    Examples
    --------
    >>> DPOLoss()([[-12.0, -30.0]], [[-12.0, -30.0]])
    0.6931471805599453
    >>> DPOLoss(beta=1.0).grad([[-11.0, -31.0]], [[-12.0, -30.0]]).round(4)
    array([[-0.1192,  0.1192]])
    """

    beta: float = 0.1
    label_smoothing: float = 0.0

    _score_ndim = (2,)
    _score_shape = "(m, 2)"

    def __post_init__(self) -> None:
        check_positive("DPOLoss: beta", self.beta)
        if not 0 <= self.label_smoothing < 0.5:
            raise ValueError(
                f"DPOLoss: label_smoothing must lie in [0, 0.5), got {self.label_smoothing!r}"
            )

    def score_shape(self, targets: ArrayLike) -> tuple[int, ...]:
        """Return (m, 2): two answers for each example."""
        return *np.shape(targets)[:1], 2

    def _check_targets(self, shape, targets):
        if shape[1] != 2:
            raise ValueError(
                f"{self._name}: scores must have two columns, log-probabilities of the answer "
                f"that was preferred and of the other, got shape {shape}"
            )
        return super()._check_targets(shape, targets)

    def _rule(self, s, y):
        # What the policy leads by, minus what the reference leads by. The errors may be all that
        # is left of it, so they are added before the last of them is told apart.
        lead, error = exact_difference(s[:, 0], s[:, 1])
        of_reference, its_error = exact_difference(y[:, 0], y[:, 1])
        growth, rounding = exact_difference(lead, of_reference)
        growth, rounding = exact_difference(growth, (its_error - error) - rounding)
        h, error = exact_product(growth, rounding, self.beta)
        share = self.label_smoothing
        if_right, slope_if_right = logistic(h, error)
        if_wrong, slope_if_wrong = logistic(-h, -error)
        value = (1.0 - share) * if_right + (share * if_wrong if share else 0.0)

        def gradient():
            slope = self.beta * ((1.0 - share) * slope_if_right - share * slope_if_wrong)
            return np.stack([slope, -slope], axis=1)

        return value, gradient


def logistic(x: Float64Array, error: Float64Array) -> tuple[Float64Array, Float64Array]:
    r"""Return :math:`\log(1 + e^{-t})` and its slope :math:`-\sigma(-t)` at t = x + error.

    The error of x is at most half a unit in its last place, so that only the exponential feels it.
    """
    e = np.exp(-np.abs(x)) * (1.0 - np.sign(x) * error)
    value = np.maximum(-x, 0.0) + np.log1p(e)
    return value, -np.where(x >= 0, e, 1.0) / (1.0 + e)
