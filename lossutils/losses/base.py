"""What all losses share: checks, weights and reduction, once.

A loss is a subclass that writes three things: its formula per example (`_value`), the gradient of
that formula (`_gradient`), and which scores and targets it takes, by inheriting from one of
`RealTargets`, `UnitTargets`, `SignTargets` and `ClassTargets`.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..special import Array, Float64Array, to_float64

Reduction = Literal["mean", "sum", "none"]

SUM_TOLERANCE = 1e-6
"""How far the probabilities of one example may sum from 1: what float32 rounding can cause."""


class Loss:
    """A loss with one value per example, and its gradient with respect to the scores.

    All losses are called in the same way::

        loss(scores, targets, *, sample_weight=None, reduction="mean")
        loss.grad(scores, targets, *, sample_weight=None, reduction="mean")
        loss.value_and_grad(scores, targets, *, sample_weight=None, reduction="mean")

    Parameters
    ----------
    scores : array_like, shape (m,) or (m, K)
        What the model says of each of m examples. Integers become float64; float32 scores are
        computed in float64, and the arrays returned are rounded to float32.
    targets : array_like
        The truth; each loss says of what shape and range. Nothing broadcasts.
    sample_weight : array_like, shape (m,), optional
        Non-negative weights, not all zero; a weight of k counts an example k times, and an example
        of weight 0 is left out, whatever its scores.
    reduction : {"mean", "sum", "none"}, default "mean"
        "mean" is the weighted mean, sum(w * l) / sum(w); "sum" is sum(w * l); "none" keeps
        one value w * l per example.

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

    def __call__(
        self,
        scores: ArrayLike,
        targets: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        reduction: Reduction = "mean",
    ) -> float | Array:
        """Return the reduced loss; see `Loss`."""
        s, y, coefficients, dtype = self._prepare(scores, targets, sample_weight, reduction)
        with np.errstate(all="ignore"):
            values = _weigh(coefficients, self._value(s, y, self._shared(s, y)))
            return _reduce(values, reduction, dtype)

    def grad(
        self,
        scores: ArrayLike,
        targets: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        reduction: Reduction = "mean",
    ) -> Array:
        """Return the gradient of the reduced loss with respect to the scores; see `Loss`."""
        s, y, coefficients, dtype = self._prepare(scores, targets, sample_weight, reduction)
        with np.errstate(all="ignore"):
            return _weigh(coefficients, self._gradient(s, y, self._shared(s, y))).astype(dtype)

    def value_and_grad(
        self,
        scores: ArrayLike,
        targets: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        reduction: Reduction = "mean",
    ) -> tuple[float | Array, Array]:
        """Return value and gradient, sharing the work that both need; see `Loss`."""
        s, y, coefficients, dtype = self._prepare(scores, targets, sample_weight, reduction)
        with np.errstate(all="ignore"):
            shared = self._shared(s, y)
            values = _weigh(coefficients, self._value(s, y, shared))
            grad = _weigh(coefficients, self._gradient(s, y, shared))
            return _reduce(values, reduction, dtype), grad.astype(dtype)

    def check(
        self,
        scores: ArrayLike,
        targets: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        reduction: Reduction = "mean",
    ) -> None:
        """Raise ValueError where the loss would; see `Loss`."""
        self._prepare(scores, targets, sample_weight, reduction)

    def score_shape(self, targets: ArrayLike) -> tuple[int, ...]:
        """Return the shape that scores for these targets have: how wide a model must be."""
        raise NotImplementedError

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Keep a subclass that changes a formula from inheriting the old one's kernel."""
        super().__init_subclass__(**kwargs)
        changed = vars(cls).keys() & {"_shared", "_value", "_gradient", "_check_targets"}
        if changed and "_kernel" not in vars(cls):
            cls._kernel = Loss._kernel  # type: ignore[method-assign]

    # What a subclass writes. Arrays are float64 and checked; none may be changed.

    def _shared(self, s: Float64Array, y: Any) -> Any:
        """Return what `_value` and `_gradient` both need, computed once."""
        return None

    def _value(self, s: Float64Array, y: Any, shared: Any) -> Float64Array:
        """Return the loss of each example, shape (m,)."""
        raise NotImplementedError

    def _gradient(self, s: Float64Array, y: Any, shared: Any) -> Float64Array:
        """Return the derivative of each example's loss, the shape of ``s``."""
        raise NotImplementedError

    def _check_targets(self, s: Float64Array, targets: ArrayLike) -> Any:
        """Return the targets in the form that `_value` takes, or raise ValueError."""
        raise NotImplementedError

    def _kernel(self, outputs: tuple[int, ...], rows: int) -> Kernel:
        """Return what works through blocks of scores; only for speed.

        ``outputs`` is the shape of one example's scores, () or (K,); a shard has ``rows`` rows or
        fewer.
        """
        return Kernel(self, rows)

    # Checking, once for all.

    def _prepare(self, scores, targets, sample_weight, reduction):
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(
                f"{self._name}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}"
            )
        s, dtype = _real(self._name, "scores", scores)
        y = self._checked_targets(s, targets)
        return s, y, self._coefficients(sample_weight, len(s), reduction), dtype

    def _checked_targets(self, s, targets):
        if s.ndim not in self._score_ndim:
            raise ValueError(
                f"{self._name}: scores must have shape {self._score_shape}, got {s.shape}"
                + (self._ravel_hint if s.ndim == 2 else "")
            )
        if s.size == 0:
            raise ValueError(
                f"{self._name}: the batch is empty (scores have shape {s.shape}); "
                "a mean over no example is undefined, so skip empty batches"
            )
        return self._check_targets(s, targets)

    def _coefficients(self, sample_weight, m, reduction):
        """Return what each example's value is multiplied by."""
        w = check_weights(self._name, sample_weight, m)
        if w is None:
            return np.full(m, 1.0 / m if reduction == "mean" else 1.0)
        return w / w.sum() if reduction == "mean" else w

    def _same_shape(self, s, targets):
        y, _ = _real(self._name, "targets", targets)
        if y.shape != s.shape:
            raise ValueError(
                f"{self._name}: scores have shape {s.shape} but targets have shape {y.shape}; "
                "nothing broadcasts, so give " + _shape_hint(y.shape, s.shape)
            )
        return y

    @property
    def _name(self) -> str:
        return type(self).__name__


class Kernel:
    """A loss over the rows of a shard, worked through in blocks of scores that stay in cache.

    It starts on shard after shard, in memory that is used again for each. Scores come class-major,
    (K, rows), since NumPy sums along a long last axis or across rows an order of magnitude faster
    than along a short last axis; with one score per example they come as (rows,). This kernel,
    which every loss has, calls the plain formulas. Those that losses write for speed overwrite the
    scores step by step instead, so that no temporary array leaves the cache; they take ordinary
    numbers only, and say so where others came.

    Parameters
    ----------
    loss : Loss
        The loss.
    rows : int
        Most rows of a shard.
    """

    def __init__(self, loss: Loss, rows: int) -> None:
        self.loss, self.values = loss, np.empty(rows)

    def start(self, targets: Array) -> bool:
        """Turn to the rows of a shard, given their unchecked targets.

        Returns whether this kernel takes such targets; the one for every loss takes any, and
        complains of wrong ones when their scores come.
        """
        self.targets = targets
        return True

    def gradient(self, rows: slice, s: Float64Array) -> Float64Array | None:
        """Overwrite the scores of some rows by the gradient of their losses.

        Parameters
        ----------
        rows : slice
            Which rows of the shard; each comes once.
        s : ndarray of float64, shape (rows,) or (K, rows)
            Their scores, contiguous.

        Returns
        -------
        factor : ndarray of shape (rows,), or None
            What the gradient of each row must yet be multiplied by; None stands for 1.
        """
        loss, by_row = self.loss, s.T
        y = loss._checked_targets(by_row, self.targets[rows])
        shared = loss._shared(by_row, y)
        self.values[rows] = loss._value(by_row, y, shared)
        by_row[...] = loss._gradient(by_row, y, shared)
        return None

    def losses(self) -> Float64Array:
        """Return the loss of each row, once all have come.

        If one is infinite or NaN, or their sum is, the rows are worked through once more with the
        plain formulas. So a kernel that met a number that it does not take returns a NaN.
        """
        return self.values[: len(self.targets)]


class LabelKernel(Kernel):
    """What kernels of class labels share: where the scores of the right classes stand."""

    def __init__(self, outputs: tuple[int, ...], rows: int) -> None:
        self.outputs, self.columns = outputs, np.arange(rows)

    def start(self, targets: Array) -> bool:
        """Turn to the rows of a shard, if their targets are labels; see `Kernel`."""
        labels = valid_labels(targets, self.outputs)
        if labels is None:
            return False
        self.labels = labels
        return True

    def at_label(self, rows: slice, s: Float64Array) -> NDArray[np.intp]:
        """Return the places of the right classes' scores in ``s.reshape(-1)``, (rows,)."""
        width = s.shape[1]
        places = self.labels[rows] * width
        places += self.columns[:width]
        return places


def valid_labels(targets: Array, outputs: tuple[int, ...]) -> NDArray[np.intp] | None:
    """Return labels from 0 to K - 1, for scores of shape (K,), or None if they are anything else.

    A kernel needs them checked without a temporary array of their one-hot rows.
    """
    if len(outputs) != 1 or outputs[0] < 2 or targets.ndim != 1 or targets.dtype.kind not in "iu":
        return None
    labels = targets.astype(np.intp, copy=False)
    # One look at both ends: as an unsigned number a negative one is huge.
    return labels if labels.view(np.uintp).max() < outputs[0] else None


class RealTargets(Loss):
    """Losses of scores against real targets of the same shape, (m,) or (m, K)."""

    _score_ndim = (1, 2)
    _score_shape = "(m,) or (m, K)"

    def score_shape(self, targets: ArrayLike) -> tuple[int, ...]:
        """Return the shape of the targets."""
        return np.shape(targets)

    def _check_targets(self, s, targets):
        return self._same_shape(s, targets)


class OneScore(Loss):
    """Losses of one score per example, (m,)."""

    _score_ndim = (1,)
    _score_shape = "(m,)"
    _ravel_hint = "; one column becomes one score per example with scores[:, 0]"

    def score_shape(self, targets: ArrayLike) -> tuple[int, ...]:
        """Return (m,): one score per example."""
        return np.shape(targets)[:1]


class UnitTargets(OneScore):
    """Losses of one score per example against targets in [0, 1]."""

    def _check_targets(self, s, targets):
        y = self._same_shape(s, targets)
        if (y < 0).any() or (y > 1).any():
            raise ValueError(
                f"{self._name}: targets must lie in [0, 1], got values from "
                f"{np.nanmin(y):g} to {np.nanmax(y):g}; labels in {{-1, +1}} become {{0, 1}} "
                "with (targets + 1) / 2"
            )
        return y


class SignTargets(OneScore):
    """Losses of one score per example against labels in {-1, +1}."""

    def _check_targets(self, s, targets):
        y = self._same_shape(s, targets)
        wrong = y[np.abs(y) != 1]
        if wrong.size:
            raise ValueError(
                f"{self._name}: targets must be -1 or +1, got {wrong[0]:g}; "
                "labels in {0, 1} become {-1, +1} with 2 * targets - 1"
            )
        return y


class ClassTargets(Loss):
    """Losses of K scores per example against a class, as a label or as probabilities."""

    _score_ndim = (2,)
    _score_shape = "(m, K)"
    _takes_probabilities: ClassVar[bool] = True

    def score_shape(self, targets: ArrayLike) -> tuple[int, ...]:
        """Return (m, K), K being one more than the largest label, or the width of the targets.

        K is at least 2, also for targets that are wrong, of which the loss itself will complain.
        """
        y = np.asarray(targets)
        if y.ndim == 2:
            return len(y), max(2, y.shape[1])
        return len(y), max(2, int(y.max()) + 1 if y.dtype.kind in "iu" else 2)

    def _check_targets(self, s, targets):
        y = np.asarray(targets)
        if s.shape[1] < 2:
            raise ValueError(
                f"{self._name}: scores must have at least two columns, got shape {s.shape}; "
                "for one logit per example use BCEWithLogitsLoss or HingeLoss"
            )
        if y.ndim == 2 and y.shape[1] != 1 and self._takes_probabilities:
            return self._probabilities(s, y)
        if y.dtype.kind not in "iu" or y.shape != s.shape[:1]:
            raise ValueError(
                f"{self._name}: targets must be integer labels of shape {s.shape[:1]}"
                + (f" or probabilities of shape {s.shape}" if self._takes_probabilities else "")
                + f", got dtype {y.dtype} and shape {y.shape}; {_label_hint(y, len(s))}"
            )
        if y.min() < 0 or y.max() >= s.shape[1]:
            raise ValueError(
                f"{self._name}: labels must be 0 to {s.shape[1] - 1} for scores with "
                f"{s.shape[1]} columns, got labels from {y.min()} to {y.max()}; "
                "labels that count from 1 need targets - 1"
            )
        return self._from_labels(y, s)

    def _from_labels(self, labels, s):
        """Return labels in the form that `_value` takes: here, rows of probabilities."""
        return np.eye(s.shape[1])[labels]

    def _probabilities(self, s, targets):
        y = self._same_shape(s, targets)
        wrong = (y < 0).any(axis=1) | (np.abs(y.sum(axis=1) - 1) > SUM_TOLERANCE)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(
                f"{self._name}: each row of targets must be probabilities that sum to 1, got a "
                f"smallest entry of {np.nanmin(y[row]):g} and a sum of {y[row].sum():g} "
                f"in row {row}; "
                "non-negative counts become probabilities with "
                "targets / targets.sum(axis=1, keepdims=True)"
            )
        return y


def _shape_hint(targets, scores):
    """Say how targets get the shape of the scores, without ever mixing examples."""
    if [n for n in targets if n != 1] == [n for n in scores if n != 1]:
        return "both the same shape with np.reshape(targets, scores.shape)"
    if targets == scores[::-1]:
        return "both the same shape with targets.T"
    return "one target for each score"


def _label_hint(y, m):
    """Say how what came instead of labels becomes labels."""
    if y.ndim == 2 and y.shape[1] == 1:
        return "one column becomes labels with targets[:, 0]"
    if y.ndim == 2:
        return "one-hot rows become labels with targets.argmax(axis=1)"
    if y.shape == (m,):
        return "whole numbers become labels with targets.astype(int)"
    return "give one label for each row of scores"


def check_weights(name: str, sample_weight: ArrayLike | None, m: int) -> Float64Array | None:
    """Return weights of m examples as float64, or None; raise ValueError in ``name``'s name."""
    if sample_weight is None:
        return None
    w, _ = _real(name, "sample_weight", sample_weight)
    if w.shape != (m,):
        raise ValueError(
            f"{name}: sample_weight must have shape {(m,)}, one weight for each example, "
            f"got {w.shape}"
        )
    with np.errstate(over="ignore"):
        finite = not np.isinf(w.sum())
    if (w < 0).any() or not w.any() or not finite:
        raise ValueError(
            f"{name}: sample_weight must be non-negative, finite and not all zero, "
            f"got weights from {np.nanmin(w):g} to {np.nanmax(w):g}; "
            "a weight of 0 leaves an example out"
        )
    return w


def check_positive(loss: str, name: str, value: float) -> None:
    """Raise ValueError unless a parameter of a loss is a positive, finite number."""
    if not 0 < value < np.inf:
        raise ValueError(f"{loss}: {name} must be a positive, finite number, got {value!r}")


def _real(name, what, x):
    try:
        return to_float64(x)
    except ValueError as error:
        raise ValueError(f"{name}: {what}: {error}") from None


def _weigh(coefficients, values):
    """Multiply each example by its coefficient; 0 leaves it out, even where it is infinite."""
    c = coefficients.reshape(-1, *[1] * (values.ndim - 1))
    return np.where(c == 0, 0.0, c * values) + 0.0  # adding 0.0 turns -0.0 into 0.0


def _reduce(values, reduction, dtype):
    return values.astype(dtype) if reduction == "none" else float(values.sum())
