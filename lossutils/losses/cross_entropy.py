"""Losses of the chapter on cross-entropy: softmax cross-entropy and its one-vs-rest variant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..special import Float64Array, SoftmaxParts, all_but, softmax_parts
from .base import ClassTargets, LabelKernel


@dataclass(frozen=True)
class CrossEntropyLoss(ClassTargets):
    r"""Cross-entropy of logits, the negative log-likelihood of a categorical label.

    .. math:: l = \log \sum_k e^{s_k} - y^\top s, \qquad \nabla_s l = \operatorname{softmax}(s) - y

    Scores are logits, shape (m, K) with K ≥ 2; targets are integer labels 0 … K-1, shape (m,), or
    probabilities that sum to 1, shape (m, K). Convex, unchanged when a constant is added to a row
    of scores, and its gradient sums to 0 over the classes. Value and gradient keep their relative
    accuracy where they are tiny. One infinite logit gives the limit; called as every `Loss`. It is
    ``torch.nn.CrossEntropyLoss``.

    Parameters
    ----------
    label_smoothing : float in [0, 1], default 0.0
        Share of the target that is spread evenly over all K classes:
        :math:`(1 - \varepsilon)\, y + \varepsilon / K`.

    Notes
    -----
    Source: claims C5 and D1.

    Examples
    --------
    >>> loss = CrossEntropyLoss()
    >>> loss([[1e8, 1e8]], [0])
    0.6931471805599453
    >>> loss.grad([[0.0, 0.0]], [0])
    array([[-0.5,  0.5]])
    """

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing <= 1:
            raise ValueError(
                "CrossEntropyLoss: label_smoothing must lie in [0, 1], "
                f"got {self.label_smoothing!r}"
            )

    def _check_targets(self, s, targets):
        y = super()._check_targets(s, targets)
        return (1.0 - self.label_smoothing) * y + self.label_smoothing / s.shape[1]

    def _shared(self, s, y):
        return softmax_parts(s)

    def _value(self, s, y, shared):
        return weighted_sum(y, shared.neg_log_p)

    def _gradient(self, s, y, shared):
        return softmax_error(shared, y)

    def _kernel(self, outputs, rows):
        return _SoftmaxKernel(outputs, rows, self.label_smoothing)


class _SoftmaxKernel(LabelKernel):
    r"""`CrossEntropyLoss` of labels, from the sum r of the wrong classes' exponentials.

    .. math:: l = \log\Bigl(1 + \frac{r}{e^{s_y}}\Bigr), \qquad
              \frac{\partial l}{\partial s_j} = \frac{e^{s_j}}{r + e^{s_y}}, \quad
              \frac{\partial l}{\partial s_y} = \frac{-r}{r + e^{s_y}}, \quad
              r = \sum_{j \ne y} e^{s_j}

    Nothing is subtracted, so nothing cancels. Nor need the largest score be taken off first, as
    long as no exponential over- or underflows: that saves two of seven passes over the block.
    Smoothing of the labels adds :math:`\varepsilon\,(s_y - \bar s)` to the loss.
    """

    def __init__(self, outputs: tuple[int, ...], rows: int, smoothing: float) -> None:
        super().__init__(outputs, rows)
        self.smoothing = smoothing
        self.rest, self.e = np.empty(rows), np.empty(rows)
        self.lead = np.empty(rows) if smoothing else None
        # of the scores: e^300 and e^-300 are far from the ends of the floats; and with smoothing,
        # where s_y and the mean do cancel, 30 loses 30 half units in the last place at most
        self.limit = 30.0 if smoothing else 300.0

    def start(self, targets):
        self.lowest = 0.0
        return super().start(targets)

    def gradient(self, rows, s):
        flat, at_label, share = s.reshape(-1), self.at_label(rows, s), self.smoothing
        self.lowest = min(self.lowest, np.minimum.reduce(flat))
        if self.lead is not None:
            np.subtract(flat.take(at_label), s.mean(axis=0), out=self.lead[rows])
        np.exp(s, out=s)
        e = flat.take(at_label, out=self.e[rows], mode="clip")
        flat[at_label] = 0.0
        rest = np.add.reduce(s, axis=0, out=self.rest[rows])
        total = rest + e
        if self.lead is None:
            flat[at_label] = np.negative(rest)
        else:
            spread = share / len(s) * total
            s -= spread
            flat[at_label] = share * e - (1.0 - share) * rest - spread
        return np.divide(1.0, total, out=total)

    def losses(self):
        k = len(self.labels)
        losses, e = self.rest[:k], self.e[:k]
        highest = max(losses.max(), e.max())
        if not (self.lowest > -self.limit and highest < np.exp(self.limit)):  # also if it is NaN
            return np.full(k, np.nan)
        losses /= e
        np.log1p(losses, out=losses)
        return losses if self.lead is None else losses + self.smoothing * self.lead[:k]


@dataclass(frozen=True)
class OneVsRestCrossEntropyLoss(ClassTargets):
    r"""Second variant of cross-entropy: each class of the softmax judged as a binary label.

    .. math:: l = -\sum_j \bigl[ y_j \log p_j + (1 - y_j) \log(1 - p_j) \bigr],
              \quad p = \operatorname{softmax}(s), \qquad
              \frac{\partial l}{\partial s_i} = a_i - p_i \sum_j a_j,
              \quad a_j = -y_j + (1 - y_j) \frac{p_j}{1 - p_j}

    Scores are logits, shape (m, K) with K ≥ 2; targets as for `CrossEntropyLoss`, whose value it
    exceeds by the second term. The gap depends on how the mass is spread over the wrong classes;
    for K = 2 it doubles the loss. Called as every `Loss`.

    Notes
    -----
    Source: claims C7 and C8.

    Examples
    --------
    >>> scores, labels = [[1.0, 0.0, -1.0]], [0]
    >>> OneVsRestCrossEntropyLoss()(scores, labels) > CrossEntropyLoss()(scores, labels)
    True
    """

    def _shared(self, s, y):
        """Return the softmax's parts, those of the classes other than the top, and a mask."""
        parts = softmax_parts(s)
        not_top = all_but(parts.top, s.shape[1])
        return parts, softmax_parts(s[not_top].reshape(len(s), -1)), not_top

    def _value(self, s, y, shared):
        parts, others, not_top = shared
        # At the top class 1 - p can underflow: its log is taken as the log-sum-exp of the others
        # minus that of all. (Infinite where they all are -inf, which have no softmax.)
        lead = parts.gap[not_top].reshape(len(s), -1).min(axis=1, keepdims=True)
        at_top = np.log1p(parts.rest) + lead - np.log1p(others.rest)
        neg_log_q = -np.log1p(-parts.p)
        np.put_along_axis(neg_log_q, parts.top, np.where(lead == np.inf, lead, at_top), axis=1)
        return weighted_sum(y, parts.neg_log_p) + weighted_sum(1.0 - y, neg_log_q)

    def _gradient(self, s, y, shared):
        # With odds r_j = (1 - y_j) p_j / (1 - p_j) the gradient is
        #   (p_i - y_i) + (1 - y_i) p_i - p_i sum_{j != i} r_j.
        # The odds of the top class alone can overflow. Its part of the sum, times p_i, is
        # (1 - y_top) p_top times the share of class i in the classes other than the top.
        parts, others, not_top = shared
        p = parts.p
        doubt = (1.0 - y) * p
        odds = np.where(not_top, doubt / parts.q, 0.0)
        odds_of_others = odds.sum(axis=1, keepdims=True) - odds
        share = np.zeros_like(p)
        share[not_top] = others.p.ravel()
        doubt_top = np.take_along_axis(doubt, parts.top, axis=1)
        from_top = np.where(doubt_top == 0, 0.0, doubt_top * share)
        return softmax_error(parts, y) + doubt - p * odds_of_others - from_top


def softmax_error(parts: SoftmaxParts, y: Float64Array) -> Float64Array:
    """Compute softmax - y as (1 - y) p - y (1 - p), which does not cancel where y is 1."""
    return (1.0 - y) * parts.p - y * parts.q


def weighted_sum(weights: Float64Array, values: Float64Array) -> Float64Array:
    """Sum each row of ``values``; a weight of 0 leaves an entry out, even if it is infinite."""
    return np.where(weights == 0, 0.0, weights * values).sum(axis=1)
