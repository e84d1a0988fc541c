"""What all losses share: checks, weights and reduction, once.

A loss is a subclass that states its rule, `_rule`: the loss of each example, and beside it the
gradient. Which scores and targets it takes, it inherits from one of `RealTargets`, `UnitTargets`,
`CountTargets`, `GradeTargets`, `SignTargets` and `ClassTargets` in the module ``targets``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike

from .._checks import Array, Float64Array, check_weights, named_float64

Reduction = Literal["mean", "sum", "none"]
Gradient = Callable[[], Float64Array]


class Options(TypedDict, total=False):
    """The options of all calls of a loss; see `Loss`."""

    sample_weight: ArrayLike | None
    reduction: Reduction


class Loss:
    """A loss with one value per example, and its gradient with respect to the scores.

    All losses are called in the same way::

        loss(scores, targets, *, sample_weight=None, reduction="mean")
        loss.grad(scores, targets, *, sample_weight=None, reduction="mean")
        loss.value_and_grad(scores, targets, *, sample_weight=None, reduction="mean")

    Parameters
    ----------
    scores : array_like, shape (m,) or (m, K)
        The model's scores of m examples. Integers become float64; float32 scores are
        computed in float64, and the arrays returned are rounded to float32.
    targets : array_like
        The truth; each loss says of what shape and range. Nothing broadcasts.
    sample_weight : array_like, shape (m,), optional
        Non-negative weights, not all zero; a weight of k counts an example k times, and an example
        of weight 0 is left out, whatever its scores. A NaN weight gives a NaN.
    reduction : {"mean", "sum", "none"}, default "mean"
        "mean" is the weighted mean, sum(w * l) / sum(w), unless a loss says that it divides by
        something else; "sum" is sum(w * l); "none" keeps one value w * l per example.

    Returns
    -------
    value : float, or ndarray of shape (m,) for "none"
        The reduced loss, accumulated in float64. A NaN score gives a NaN.
    grad : ndarray, same shape as ``scores``
        The derivative of the reduced value with respect to each score; for "none", of each
        example's own value.

    Raises
    ------
    ValueError
        For a wrong shape, an empty batch, targets outside their set, or invalid weights. The
        message says what came, what was expected and how to convert.
    """

    _score_ndim: ClassVar[tuple[int, ...]]
    _score_shape: ClassVar[str]
    _ravel_hint: ClassVar[str] = ""

    # For subclasses. The arrays are float64 and checked; a rule must not change them.

    def _rule(self, s: Float64Array, y: Any) -> tuple[Float64Array, Gradient]:
        """Return the loss of each example, shape (m,), and a function for its gradient.

        The function takes nothing and returns the derivative of each example's loss with respect
        to its scores, in the shape of ``s``. It shares the local variables of the rule, so that
        what value and gradient have in common is computed once.
        """
        raise NotImplementedError

    def _check_targets(self, shape: tuple[int, ...], targets: ArrayLike) -> Any:
        """Return targets for scores of a shape in the form that `_rule` takes, or raise."""
        raise NotImplementedError

    def _check_scores(self, s: Float64Array) -> None:
        """Raise unless the loss takes such scores; most take any."""

    def _divisor(self, targets: Any, weights: Float64Array | None) -> float:
        """Return what the mean over examples divides by: the sum of their weights.

        A loss with weights of its own, as of classes, may count them in. The targets are those of
        the caller; they have been checked, except where the weight is 0. The divisors of the parts
        of a batch must add up to that of the batch.
        """
        return float(len(targets) if weights is None else weights.sum())

    def _nonzero(self, divisor: float) -> float:
        """Return the divisor of a mean, or raise if it is 0, since all labels were left out."""
        if divisor == 0:
            raise ValueError(
                f"{self._name}: each label is ignore_index, to be left out; a mean over no example "
                "is undefined, so skip such a batch, or take the sum, which is 0"
            )
        return divisor

    def score_shape(self, targets: ArrayLike) -> tuple[int, ...]:
        """Return the shape that scores for these targets have: how wide a model must be."""
        raise NotImplementedError

    # For callers.

    def __call__(
        self, scores: ArrayLike, targets: ArrayLike, **options: Unpack[Options]
    ) -> float | Array:
        """Return the reduced loss; see `Loss`."""
        value, _ = self._evaluate(scores, targets, **options)
        return value

    def grad(self, scores: ArrayLike, targets: ArrayLike, **options: Unpack[Options]) -> Array:
        """Return the gradient of the reduced loss with respect to the scores; see `Loss`."""
        _, gradient = self._evaluate(scores, targets, **options)
        return gradient()

    def value_and_grad(
        self, scores: ArrayLike, targets: ArrayLike, **options: Unpack[Options]
    ) -> tuple[float | Array, Array]:
        """Return value and gradient, sharing the work that both need; see `Loss`."""
        value, gradient = self._evaluate(scores, targets, **options)
        return value, gradient()

    def check(self, scores: ArrayLike, targets: ArrayLike, **options: Unpack[Options]) -> None:
        """Raise ValueError where the loss would; see `Loss`."""
        self._prepare(scores, targets, **options)

    def _evaluate(self, scores, targets, **options: Unpack[Options]):
        """Apply the rule to all examples, weight and reduce."""
        s, y, coefficients, dtype = self._prepare(scores, targets, **options)
        with np.errstate(all="ignore"):
            values, gradient = self._rule(s, y)
            values = _weight(coefficients, values)
            each = options.get("reduction") == "none"
            value = values.astype(dtype) if each else float(values.sum())

        @np.errstate(all="ignore")
        def weighted_gradient():
            return _weight(coefficients, gradient()).astype(dtype)

        return value, weighted_gradient

    def _prepare(
        self,
        scores: ArrayLike,
        targets: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        reduction: Reduction = "mean",
    ):
        """Return checked scores and targets, what multiplies each example, and the precision."""
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(
                f"{self._name}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}"
            )
        s, dtype = named_float64(self._name, "scores", scores)
        y = self._checked_targets(s, targets)
        w = check_weights(self._name, sample_weight, len(s))
        coefficients = np.ones(len(s)) if w is None else w
        if reduction == "mean":
            coefficients = coefficients / self._nonzero(self._divisor(targets, w))
        return s, y, coefficients, dtype

    def _checked_targets(self, s: Float64Array, targets: ArrayLike) -> Any:
        """Return targets as `_rule` takes them, once scores and targets have been checked."""
        self._check_shape(s.shape)
        self._check_scores(s)
        return self._check_targets(s.shape, targets)

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if len(shape) not in self._score_ndim:
            raise ValueError(
                f"{self._name}: scores must have shape {self._score_shape}, got {shape}"
                + (self._ravel_hint if len(shape) == 2 else "")
            )
        if 0 in shape:
            raise ValueError(
                f"{self._name}: the batch is empty (scores have shape {shape}); "
                "a mean over no example is undefined, so skip empty batches"
            )

    @property
    def _name(self) -> str:
        return type(self).__name__


# The signature stands once, in `_prepare`; help and a notebook's tooltips show it for all calls.
_SIGNATURE = inspect.signature(Loss._prepare)
for _call in (Loss.__call__, Loss.grad, Loss.value_and_grad, Loss.check):
    vars(_call)["__signature__"] = _SIGNATURE


def _weight(coefficients, values):
    """Multiply each example by its coefficient; 0 leaves it out, even where it is infinite."""
    c = coefficients.reshape(-1, *[1] * (values.ndim - 1))
    return np.where(c == 0, 0.0, c * values) + 0.0  # adding 0.0 turns -0.0 into 0.0
