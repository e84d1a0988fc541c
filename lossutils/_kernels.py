"""Kernels: they compute a block's losses, and overwrite its scores with their gradient.

Any loss has one, which follows its rule; three losses have a faster one.

The classes in `lossutils.losses` teach; these only save time. A kernel overwrites a block of scores
by its gradient step by step, so that no temporary array leaves the cache. It supports ordinary
labels and ordinary numbers, and says no to everything else; the loss's own rule then does the work.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._checks import Array, Float64Array
from .losses import BCEWithLogitsLoss, CrossEntropyLoss, Loss, MulticlassHingeLoss
from .special import exact_difference


class Kernel:
    """The rule of any loss, applied to the rows of a shard block by block.

    A kernel begins shard after shard and uses its memory again for each. Scores come class by
    class, (K, rows), since NumPy sums along a long last axis or across rows ten times faster than
    along a short last axis; with one score per example they come as (rows,).

    Parameters
    ----------
    loss : Loss
        The loss.
    outputs : tuple of int
        Shape of one example's scores, () or (K,).
    rows : int
        Most rows of a shard.
    """

    def __init__(self, loss: Loss, outputs: tuple[int, ...], rows: int) -> None:
        self.loss, self.outputs = loss, outputs
        self.values = np.empty(rows)
        self.count = 0

    def begin(self, targets: Array) -> bool:
        """Begin a shard, given its unchecked targets; False if they are unsupported.

        The rule of a loss checks targets block by block, so here any are supported.
        """
        self.targets, self.count = targets, len(targets)
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
            Factor still to apply to the gradient of each row, if there is one.
        """
        by_row, targets = s.T, self.targets[rows]
        y = self.loss._checked_targets(by_row, targets)
        self.values[rows], gradient = self.loss._rule(by_row, y)
        by_row[...] = gradient()
        return None

    def total(self, weights: Float64Array | None) -> float | None:
        """Return the sum of the losses once all rows have come; None if a number was unsupported.

        The rule supports every number.
        """
        return total_loss(self.values[: self.count], weights)


def total_loss(losses: Float64Array, weights: Float64Array | None) -> float:
    """Return the sum of losses, each times its weight if there are weights."""
    # Not by a dot product with ones, which takes half the time, but whose last bits depend on the
    # processor.
    return float(np.add.reduce(losses) if weights is None else losses @ weights)


class LogisticKernel(Kernel):
    r"""`BCEWithLogitsLoss` of labels 0 and 1, in terms of c = 1 - 2y, which is -1 or 1.

    .. math:: l = \log(1 + e^{cz}), \qquad
              \frac{\partial l}{\partial z} = \frac{c\, e^{cz}}{1 + e^{cz}}

    Nothing is subtracted, so nothing cancels. On a confident mistake the exponential overflows once
    the loss exceeds 709; such scores are unsupported, and make the total infinite. With K labels of
    each example all is done label by label, and the mean over them comes last.
    """

    signs: Any = None

    def __init__(self, loss, outputs, rows):
        super().__init__(loss, outputs, rows)
        self.values = np.empty((*outputs, rows))

    def begin(self, targets):
        self.signs = None  # freed first, so that its memory, still in the cache, is used again
        if targets.shape[1:] == self.outputs:
            self.signs, self.count = label_signs(targets.T), len(targets)
        return self.signs is not None

    def gradient(self, rows, s):
        c = self.signs[..., rows]
        s *= c
        e = np.exp(s, out=self.values[..., rows])
        np.add(e, ONE, out=s)
        np.divide(e, s, out=s)
        s *= c
        if self.outputs:
            s /= len(s)

    def total(self, weights):
        e = self.values[..., : self.count]
        losses = np.log1p(e, out=e)
        total = total_loss(losses.mean(axis=0) if self.outputs else losses, weights)
        return total if isfinite(total) else None


def label_signs(labels: Array) -> Float64Array | None:
    """Return 1 - 2 labels if all labels are 0 or 1, else None."""
    if labels.dtype.kind in "iub":
        # One pass for both bounds: a number below 0 or above 1 sets a bit other than the last.
        binary = np.bitwise_or.reduce(labels, axis=None) in (0, 1)
    else:
        binary = labels.dtype.kind == "f" and ((labels == 0) | (labels == 1)).all()
    return SIGNS.take(labels.astype(np.intp, copy=False)) if binary else None


SIGNS = np.array([1.0, -1.0])
"""1 - 2y for y = 0 and y = 1. Looked up in half the time of computing it from integers."""
ONE = np.array(1.0)
"""NumPy adds this in two thirds of the time that it takes for a Python float."""


class LabelKernel(Kernel):
    """Base of the kernels for class labels, which finds the scores of the right classes."""

    loss: Any  # its parameters depend on the kernel

    def __init__(self, loss, outputs, rows):
        super().__init__(loss, outputs, rows)
        self.columns = np.arange(rows)

    def begin(self, targets):
        if len(self.outputs) != 1 or targets.ndim != 1 or targets.dtype.kind not in "iu":
            return False
        lowest, highest = np.minimum.reduce(targets), np.maximum.reduce(targets)
        if self.outputs[0] < 2 or lowest < 0 or highest >= self.outputs[0]:
            return False
        self.labels, self.count = targets.astype(np.intp, copy=False), len(targets)
        return True

    def label_places(self, rows: slice, s: Float64Array) -> NDArray[np.intp]:
        """Return the indices of the right classes' scores in ``s.reshape(-1)``, (rows,)."""
        width = s.shape[1]
        places = self.labels[rows] * width
        places += self.columns[:width]
        return places


class SoftmaxKernel(LabelKernel):
    r"""`CrossEntropyLoss` of labels, from the sum r of the wrong classes' exponentials.

    .. math:: l = \log\Bigl(1 + \frac{r}{e^{s_y}}\Bigr), \qquad
              \frac{\partial l}{\partial s_j} = \frac{e^{s_j}}{r + e^{s_y}}, \quad
              \frac{\partial l}{\partial s_y} = \frac{-r}{r + e^{s_y}}, \quad
              r = \sum_{j \ne y} e^{s_j}

    Nothing is subtracted, so nothing cancels. The largest score need not be subtracted first as
    long as no exponential over- or underflows; that saves two of seven passes over the block.
    Smoothing of the labels adds :math:`\varepsilon\,(s_y - \bar s)` to the loss.
    """

    def __init__(self, loss, outputs, rows):
        super().__init__(loss, outputs, rows)
        self.smoothing = loss.label_smoothing
        self.rest = np.empty(rows)
        self.lead = np.empty(rows) if self.smoothing else None
        # Largest score in absolute value: e^300 does not overflow, and e^-300 does not underflow.
        # With smoothing s_y and the mean do cancel, and 30 loses at most 30 half units in the
        # last place.
        self.limit = 30.0 if self.smoothing else 300.0

    def begin(self, targets):
        self.lowest = np.inf
        return super().begin(targets)

    def gradient(self, rows, s):
        flat, places, share = s.reshape(-1), self.label_places(rows, s), self.smoothing
        self.lowest = np.minimum(self.lowest, np.minimum.reduce(flat))
        if self.lead is not None:
            np.subtract(flat.take(places), s.mean(axis=0), out=self.lead[rows])
        np.exp(s, out=s)
        e = flat.take(places, out=self.values[rows], mode="clip")
        flat[places] = 0.0
        rest = np.add.reduce(s, axis=0, out=self.rest[rows])
        total = rest + e
        if self.lead is None:
            flat[places] = np.negative(rest)
        else:
            spread = share / len(s) * total
            s -= spread
            flat[places] = share * e - (1.0 - share) * rest - spread
        return np.divide(1.0, total, out=total)

    def total(self, weights):
        losses, e = self.rest[: self.count], self.values[: self.count]
        highest = np.maximum(np.maximum.reduce(losses), np.maximum.reduce(e))
        if not (self.lowest > -self.limit and highest < np.exp(self.limit)):  # or it is a NaN
            return None
        losses /= e
        np.log1p(losses, out=losses)
        if self.lead is not None:
            losses = losses + self.smoothing * self.lead[: self.count]
        return total_loss(losses, weights)


class MulticlassHingeKernel(LabelKernel):
    """`MulticlassHingeLoss` in both variants."""

    def gradient(self, rows, s):
        flat, places, margin = s.reshape(-1), self.label_places(rows, s), self.loss.margin
        right = flat.take(places)
        flat[places] = -np.inf
        if self.loss.variant == "crammer-singer":  # of each row two scores matter
            at_largest = s.argmax(axis=0) * s.shape[1] + self.columns[: s.shape[1]]
            lead, error = exact_difference(flat.take(at_largest), right)
            violation = np.maximum(0.0, (margin + lead) + error, out=self.values[rows])
            counts = np.sign(violation)
            s.fill(0.0)
            flat[at_largest] = counts
            flat[places] = -counts
        else:
            lead, error = exact_difference(s, right)
            lead += margin
            lead += error
            np.maximum(lead, 0.0, out=lead)
            np.add.reduce(lead, axis=0, out=self.values[rows])
            np.sign(lead, out=s)
            flat[places] = -np.add.reduce(s, axis=0)

    def total(self, weights):
        total = total_loss(self.values[: self.count], weights)
        return total if isfinite(total) else None


KERNELS: dict[type[Loss], type[Kernel]] = {
    BCEWithLogitsLoss: LogisticKernel,
    CrossEntropyLoss: SoftmaxKernel,
    MulticlassHingeLoss: MulticlassHingeKernel,
}


def kernel_for(loss: Loss, outputs: tuple[int, ...], rows: int) -> Kernel:
    """Return the kernel of a loss; see `Kernel` for the parameters.

    It is found by exact type, so that a subclass with another rule does not inherit a kernel. None
    knows of weights of classes, of labels to leave out, or of a term besides the loss.
    """
    plain = not getattr(loss, "z_loss", 0.0) and all(
        getattr(loss, option, None) is None for option in ("weight", "pos_weight", "ignore_index")
    )
    return (KERNELS.get(type(loss), Kernel) if plain else Kernel)(loss, outputs, rows)
