"""Losses of the chapter on cross-entropy: softmax cross-entropy, and its second variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from .._checks import Float64Array
from ..special import SoftmaxParts, all_but, exact_difference, softmax_parts
from .targets import ClassTargets, check_columns, class_weights


@dataclass(frozen=True)
class CrossEntropyLoss(ClassTargets):
    r"""Cross-entropy of logits, the negative log-likelihood of a categorical label.

    .. math:: l = \log \sum_k e^{s_k} - y^\top s, \qquad \nabla_s l = \operatorname{softmax}(s) - y

    Scores are logits, shape (m, K) with K ≥ 2; targets are integer labels 0 … K-1, shape (m,), or
    probabilities that sum to 1, shape (m, K). Convex, unchanged when a constant is added to a row
    of scores, and its gradient sums to 0 over the classes (both but for ``z_loss``). Value and
    gradient keep their relative accuracy where they are tiny. One infinite logit gives the limit;
    called as every `Loss`. It is ``torch.nn.CrossEntropyLoss``, which has no ``z_loss``.

    Parameters
    ----------
    label_smoothing : float in [0, 1], default 0.0
        Share of the target that is spread evenly over all K classes:
        :math:`(1 - \varepsilon)\, y + \varepsilon / K`.
    weight : sequence of K positive floats, optional
        Weight of each class: the k-th entry of the target is multiplied by it, smoothed or not. As
        in PyTorch, "mean" then divides by different things. For *labels* it divides by the sum of
        the weights of the right classes (each times its ``sample_weight``), so that a batch of one
        example has no weight. For *probabilities* it divides by the number of examples (the sum of
        their ``sample_weight``), as without weights. To leave a class out, give its examples the
        ``sample_weight`` 0.
    ignore_index : int, optional
        A label that says "no target here", such as PyTorch's -100; it may be that of a class. An
        example that has it is left out, whatever its scores: its loss and its gradient are 0, and
        "mean" does not count it. If all are left out, "mean" raises, as it does for an empty batch
        (PyTorch returns NaN, with a gradient of 0), while "sum" gives 0 and "none" zeros, so that
        the sums over the parts of a batch add up to the sum over the batch. Targets must then be
        labels.
    z_loss : float, default 0.0
        Adds ``z_loss`` times :math:`(\log \sum_k e^{s_k})^2` to each example, which ties down the
        constant that could be added to a row. With ``weight``, it is multiplied by the sum of the
        weighted target, as the first term is: for a label, by the weight of its class.

    Raises
    ------
    ValueError
        Also if there is not one weight for each column of scores, and for a mean in which all
        labels are ignored.

    Notes
    -----
    Source: claims C5, D1 and E10; for ``z_loss``, the appendix of *PaLM* (Chowdhery et al., 2022).

    Examples
    --------
    >>> loss = CrossEntropyLoss()
    >>> loss([[1e8, 1e8]], [0])
    0.6931471805599453
    >>> loss.grad([[0.0, 0.0]], [0])
    array([[-0.5,  0.5]])
    >>> CrossEntropyLoss(ignore_index=-100)([[0.0, 0.0], [5.0, 7.0]], [0, -100])
    0.6931471805599453
    """

    label_smoothing: float = 0.0
    weight: Sequence[float] | None = None
    ignore_index: int | None = None
    z_loss: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing <= 1:
            raise ValueError(
                "CrossEntropyLoss: label_smoothing must lie in [0, 1], "
                f"got {self.label_smoothing!r}"
            )
        if self.weight is not None:
            weights = class_weights("CrossEntropyLoss", "weight", self.weight)
            object.__setattr__(self, "weight", weights)
        if self.ignore_index is not None and not _is_whole(self.ignore_index):
            raise ValueError(
                "CrossEntropyLoss: ignore_index must be a whole number, a label to leave out, "
                f"got {self.ignore_index!r}"
            )
        if not 0 <= self.z_loss < np.inf:
            raise ValueError(
                "CrossEntropyLoss: z_loss must be a finite number that is not negative, "
                f"got {self.z_loss!r}"
            )

    @property
    def _takes_probabilities(self) -> bool:  # type: ignore[override]
        return self.ignore_index is None

    def _ignored(self, targets: Any) -> Any:
        """Return which labels are to be left out: a mask, or False for none."""
        return self.ignore_index is not None and np.asarray(targets) == self.ignore_index

    def score_shape(self, targets):
        """Return (m, K); with a weight for each class, there are as many classes."""
        ignored = self._ignored(targets)
        m, K = super().score_shape(np.where(ignored, 0, targets) if np.any(ignored) else targets)
        return m, K if self.weight is None or np.ndim(targets) == 2 else len(self.weight)

    def _check_targets(self, shape, targets):
        ignored = self._ignored(targets)
        if np.any(ignored):
            targets = np.where(ignored, 0, targets)  # a row of zeros below
        y = super()._check_targets(shape, targets)
        if self.label_smoothing:
            y = (1.0 - self.label_smoothing) * y + self.label_smoothing / shape[1]
        if self.weight is not None:
            check_columns("CrossEntropyLoss", "weight", self.weight, shape)
            y = y * self.weight
        if np.any(ignored):
            y[ignored] = 0.0
        return y

    def _divisor(self, targets, weights):
        labels = np.asarray(targets)
        if labels.ndim == 2 or (self.weight is None and self.ignore_index is None):
            return super()._divisor(targets, weights)
        kept = np.logical_not(self._ignored(labels)) & (True if weights is None else weights != 0)
        if np.ndim(kept):
            labels, weights = labels[kept], None if weights is None else weights[kept]
        if self.weight is None:
            return super()._divisor(labels, weights)
        of_class = np.bincount(labels.astype(np.intp, copy=False), weights, len(self.weight))
        return float(of_class @ self.weight)

    def _rule(self, s, y):
        parts = softmax_parts(s)
        value = weighted_sum(y, parts.neg_log_p)
        if self.weight is None and self.ignore_index is None and not self.z_loss:
            return value, lambda: softmax_error(parts, y)
        total = y.sum(axis=1, keepdims=True)  # 0 for an example that is left out
        if not self.z_loss:
            return value, lambda: left_out(total, softmax_error(parts, y, total))
        log_sum = np.take_along_axis(s, parts.top, axis=1) + np.log1p(parts.rest)

        def gradient():
            pull = times_softmax(2.0 * self.z_loss * log_sum, s, parts)
            return left_out(total, softmax_error(parts, y, total) + total * pull)

        return value + weighted_sum(total, self.z_loss * log_sum**2), gradient


@dataclass(frozen=True)
class SoftmaxBCELoss(ClassTargets):
    r"""Second variant of cross-entropy: each class of the softmax judged as a binary label.

    .. math:: l = -\sum_j \bigl[ y_j \log p_j + (1 - y_j) \log(1 - p_j) \bigr],
              \quad p = \operatorname{softmax}(s), \qquad
              \frac{\partial l}{\partial s_i} = a_i - p_i \sum_j a_j,
              \quad a_j = -y_j + (1 - y_j) \frac{p_j}{1 - p_j}

    Scores are logits, shape (m, K) with K ≥ 2; targets as for `CrossEntropyLoss`, whose value it
    exceeds by the second term. (Elsewhere "one-vs-rest" means K separate sigmoids; this loss judges
    each class of one softmax.) The gap depends on how the mass is spread over the wrong classes;
    for K = 2 it doubles the loss. Called as every `Loss`.

    Notes
    -----
    Source: claims C7 and C8.

    Examples
    --------
    >>> scores, labels = [[1.0, 0.0, -1.0]], [0]
    >>> SoftmaxBCELoss()(scores, labels) > CrossEntropyLoss()(scores, labels)
    True
    """

    def _rule(self, s, y):
        parts = softmax_parts(s)
        not_top = all_but(parts.top, s.shape[1])
        others = softmax_parts(s[not_top].reshape(len(s), -1))
        # At the top class 1 - p can underflow: its log is taken as the log-sum-exp of the others
        # minus that of all. (Infinite where they all are -inf, which have no softmax.)
        lead = parts.gap[not_top].reshape(len(s), -1).min(axis=1, keepdims=True)
        at_top = np.log1p(parts.rest) + lead - np.log1p(others.rest)
        neg_log_q = -np.log1p(-parts.p)
        np.put_along_axis(neg_log_q, parts.top, np.where(lead == np.inf, lead, at_top), axis=1)

        def gradient():
            # With odds r_j = (1 - y_j) p_j / (1 - p_j) the gradient is
            #   (p_i - y_i) + (1 - y_i) p_i - p_i sum_{j != i} r_j.
            # The odds of the top class alone can overflow. Its part of the sum, times p_i, is
            # (1 - y_top) p_top times the share of class i in the classes other than the top.
            p = parts.p
            doubt = (1.0 - y) * p
            odds = np.where(not_top, doubt / parts.q, 0.0)
            odds_of_others = odds.sum(axis=1, keepdims=True) - odds
            share = np.zeros_like(p)
            share[not_top] = others.p.ravel()
            doubt_top = np.take_along_axis(doubt, parts.top, axis=1)
            from_top = np.where(doubt_top == 0, 0.0, doubt_top * share)
            return softmax_error(parts, y) + doubt - p * odds_of_others - from_top

        value = weighted_sum(y, parts.neg_log_p) + weighted_sum(1.0 - y, neg_log_q)
        return value, gradient


def softmax_error(
    parts: SoftmaxParts, y: Float64Array, total: float | Float64Array = 1.0
) -> Float64Array:
    """Compute total p - y, for the softmax p and rows y that sum to ``total``.

    As (total - y) p - y (1 - p) it does not cancel where y is all of the total.
    """
    return (total - y) * parts.p - y * parts.q


def weighted_sum(weights: Float64Array, values: Float64Array) -> Float64Array:
    """Sum each row of ``values``; a weight of 0 leaves an entry out, even if it is infinite."""
    return np.where(weights == 0, 0.0, weights * values).sum(axis=1)


def times_softmax(factor: Float64Array, s: Float64Array, parts: SoftmaxParts) -> Float64Array:
    """Compute a factor of each row times the softmax of the row, where the softmax underflows, too.

    An infinite factor times 0 is 0: it is of a row with an infinite score, and that is the limit.
    """
    gap, error = exact_difference(np.take_along_axis(s, parts.top, axis=1), s)
    half = np.exp(-0.5 * gap)
    small = factor * half * (half * (1.0 - error) / (1.0 + parts.rest))
    return np.where(parts.p > 1e-290, factor * parts.p, np.where(half == 0, 0.0, small))


def left_out(total: Float64Array, slopes: Float64Array) -> Float64Array:
    """Return slopes, with 0 in the rows whose target sums to 0, even if they are not finite."""
    return np.where(total == 0, 0.0, slopes)


def _is_whole(number: Any) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool)
