"""Every loss in 400-digit arithmetic, by `tests.definitions`: the reference for accuracy tests.

No formula is rearranged and no gradient is written by hand: dual numbers differentiate the
definition by the rules of calculus.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import pytest

from lossutils._kernels import Kernel, kernel_for
from tests.definitions import DEFINITIONS, variables
from tests.dual import (
    exact,
    mp,
)


class Reference(NamedTuple):
    """Exact loss of one example."""

    value: mp.mpf
    grad: list[mp.mpf]
    summands: list[mp.mpf]
    """For each entry of the gradient, the size of its largest summand."""


@cache
def reference(loss, scores: tuple[float, ...], targets: tuple[float, ...]) -> Reference:
    """Return the exact loss of one example, its gradient, and the gradient's largest summands."""
    s = variables([exact(x) for x in scores])
    terms = DEFINITIONS[type(loss)](loss, s, [exact(x) for x in targets])
    by_score = list(zip(*(t.slopes for t in terms), strict=True))
    return Reference(
        sum((t.value for t in terms), start=mp.mpf(0)),
        [sum(slopes, start=mp.mpf(0)) for slopes in by_score],
        [max(abs(d) for d in slopes) for slopes in by_score],
    )


# ---- the measure of accuracy ---------------------------------------------------------------------

CANCELLATION = 25
"""If the summands of a gradient entry cancel to less than 1/25 of the largest of them, that
entry changes sign nearby, and no algorithm keeps its relative accuracy. Its error is then measured
relative to 1/25 of the largest summand, so 100 eps mean 4 eps of that summand."""


def error_in_eps(actual, true, scale, dtype) -> float:
    """Return an error in units of eps, relative to ``scale``.

    A number too large for a float must be infinite. A number too small for a normal float may be
    wrong by 4 times the smallest subnormal.
    """
    info = np.finfo(dtype)
    largest, tiny, eps = float(info.max), float(info.tiny), float(info.eps)
    if not np.isfinite(actual):
        right = abs(true) > largest and mp.sign(true) == np.sign(actual)
        return 0.0 if right else np.inf
    error = abs(mp.mpf(float(actual)) - true)
    if scale < tiny:
        return 0.0 if error <= 4 * eps * tiny else np.inf
    return float(error / (eps * scale))


def kernel_value_and_grad(loss, scores, targets):
    """Return values and gradients as `linear_value_and_grad` computes them, example by example.

    (In one block, a single extreme example would send all of them to the plain formulas.)
    """
    values, grads = [], []
    with np.errstate(all="ignore"):
        for s, y in zip(scores.astype(np.float64), targets, strict=True):
            for kernel in (kernel_for(loss, s.shape, 1), Kernel(loss, s.shape, 1)):
                if not kernel.begin(np.array([y])):
                    continue
                block = s.reshape(-1, 1).copy() if s.ndim else np.array([s])
                factor = kernel.gradient(slice(0, 1), block)
                grad = block.reshape(s.shape) * (1.0 if factor is None else factor[0])
                value = kernel.total(None)
                if value is not None:
                    break
            values.append(value)
            grads.append(grad)
        return np.array(values).astype(scores.dtype), np.array(grads).astype(scores.dtype)


def errors_in_eps(loss, scores, targets):
    """Return the errors of value and gradient of each example, in eps of the scores' dtype.

    Each is the larger error of the plain formulas and the loss's kernel.
    """
    scores, targets = np.asarray(scores), np.asarray(targets)
    plain = loss.value_and_grad(scores, targets, reduction="none")
    value_errors, grad_errors = [], []
    for value, grad in (plain, kernel_value_and_grad(loss, scores, targets)):
        by_value, by_grad = _errors_in_eps(loss, scores, targets, value, grad)
        value_errors.append(by_value)
        grad_errors.append(by_grad)
    return np.max(value_errors, axis=0), np.max(grad_errors, axis=0)


def _errors_in_eps(loss, scores, targets, value, grad):
    assert value.dtype == grad.dtype == scores.dtype
    labels = targets.dtype.kind in "iu" and scores.ndim == 2 and targets.ndim == 1
    rows_y = np.eye(scores.shape[-1])[targets] if labels else targets.reshape(len(scores), -1)
    rows_s, rows_g = scores.reshape(len(scores), -1), grad.reshape(len(scores), -1)
    value_errors, grad_errors = [], []
    for v, g, s, y in zip(value, rows_g, rows_s, rows_y, strict=True):
        true = reference(loss, tuple(s.tolist()), tuple(y.tolist()))
        # A soft target allows no such exception: the gradient p - y is 0 at some p for every y.
        # Nor does a term beside the loss, whose gradient cancels with that of the loss.
        options = vars(loss).get("label_smoothing", 0), vars(loss).get("z_loss", 0)
        soft = any(options) or not set(y) <= {-1, 0, 1}
        divisor = 1 if soft else CANCELLATION
        entries = zip(g, true.grad, true.summands, strict=True)
        value_errors.append(error_in_eps(v, true.value, abs(true.value), scores.dtype))
        grad_errors.append(
            max(error_in_eps(x, t, max(abs(t), r / divisor), scores.dtype) for x, t, r in entries)
        )
    return np.array(value_errors), np.array(grad_errors)


def assert_accurate(loss, scores, targets, eps):
    """Assert that value and gradient of each example are within ``eps`` units of the reference."""
    scores, targets = np.asarray(scores), np.asarray(targets)
    errors = errors_in_eps(loss, scores, targets)
    for what, error in zip(("value", "gradient"), errors, strict=True):
        worst = int(np.argmax(error))
        assert error[worst] <= eps, (
            f"{what} of {loss} is off by {error[worst]:.3g} eps at "
            f"scores {scores[worst]!r}, targets {targets[worst]!r}"
        )


# ---- the points ----------------------------------------------------------------------------------

SIZES = {
    np.float64: [1e-300, 1e-8, 1, 17.5, 36.9, 37, 40, 710, 745, 1e3, 1e20, 1e300],
    np.float32: [1e-38, 1e-8, 1, 8.5, 17.5, 36.9, 40, 88, 103, 1e3, 1e20, 1e30],
}


def grid(dtype):
    """Return 0 and all sizes with both signs."""
    sizes = np.array(SIZES[dtype], dtype)
    return np.concatenate([-sizes[::-1], np.zeros(1, dtype), sizes])


def logits(dtype):
    """Return the grid and 200 ordinary numbers, which show the worst rounding errors."""
    ordinary = np.random.default_rng(1).normal(scale=20.0, size=200)
    return np.concatenate([grid(dtype), ordinary.astype(dtype)])


@cache
def score_rows(dtype, K):
    """Return rows of K scores: all pairs of the grid for K = 2, else random rows."""
    points = grid(dtype)
    if K == 2:
        return np.array(list(combinations_with_replacement(points, 2)))
    rng = np.random.default_rng(K)
    extreme = rng.choice(points, size=(120, K))
    return np.concatenate([extreme, rng.normal(scale=20.0, size=(120, K)).astype(dtype)])


def labels_for(rows):
    """Return a random label for each row."""
    return np.random.default_rng(0).integers(rows.shape[1], size=len(rows))


precisions = pytest.mark.parametrize("dtype", [np.float64, np.float32])
widths = pytest.mark.parametrize("K", [2, 3, 5])
