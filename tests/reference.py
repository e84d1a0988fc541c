"""Every loss in 400-digit arithmetic, from its definition: the reference for accuracy tests.

No formula is rearranged and no gradient is written by hand: dual numbers differentiate the
definition by the rules of calculus.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import combinations_with_replacement
from operator import neg
from typing import NamedTuple

import numpy as np
import pytest

from lossutils import losses
from lossutils._kernels import Kernel, kernel_for
from tests.dual import (
    Dual,
    absolute,
    exact,
    exp,
    log,
    mp,
    normal_cdf,
    positive_part,
    power,
    sigmoid,
    square,
)

# ---- the definitions: the summands of one example's loss, from its scores and its targets --------


def mse(loss, s, y):
    return [square(y_k - s_k) / len(s) for s_k, y_k in zip(s, y, strict=True)]


def mae(loss, s, y):
    return [absolute(y_k - s_k) / len(s) for s_k, y_k in zip(s, y, strict=True)]


def huber(loss, s, y):
    delta = exact(loss.delta)

    def cost(d):
        return square(d) / 2 if d.value <= delta else delta * (d - delta / 2)

    return [cost(absolute(y_k - s_k)) / len(s) for s_k, y_k in zip(s, y, strict=True)]


def errors(s, y):
    return [s_k - y_k for s_k, y_k in zip(s, y, strict=True)]


def quantile(loss, s, y):
    tau = exact(loss.quantile)
    return [(positive_part(-d) * tau + positive_part(d) * (1 - tau)) / len(s) for d in errors(s, y)]


def student_t(loss, s, y):
    df, scale = exact(loss.df), exact(loss.scale)
    return [log(square(d / scale) / df + 1) * ((df + 1) / 2) / len(s) for d in errors(s, y)]


def log_cosh(loss, s, y):
    return [log((exp(d) + exp(-d)) / 2) / len(s) for d in errors(s, y)]


def gaussian_nll(loss, s, y):
    mean, log_variance = s
    terms = [log_variance / 2, square(mean - y[0]) * exp(-log_variance) / 2]
    return [*terms, log(mean * 0 + 2 * mp.pi) / 2] if loss.full else terms


def sigmoid_mse(loss, s, y):
    return [square(y_k - sigmoid(s_k)) / (2 * len(s)) for s_k, y_k in zip(s, y, strict=True)]


def cross_entropy_of(p, q, y):
    """Binary cross-entropy of p and its complement q; 0 log 0 counts as 0."""
    return [-log(x) * weight for x, weight in ((p, y), (q, 1 - y)) if weight != 0]


def bce(loss, s, y):
    pairs = zip(s, y, strict=True)
    return [term / len(s) for p, y_k in pairs for term in cross_entropy_of(p, 1 - p, y_k)]


def bce_with_logits(loss, s, y):
    weights = loss.pos_weight if isinstance(loss.pos_weight, tuple) else [loss.pos_weight] * len(s)
    terms = []
    for z, y_k, weight in zip(s, y, weights, strict=True):
        positive = exact(1.0 if weight is None else weight) * y_k
        pairs = (sigmoid(z), positive), (sigmoid(-z), 1 - y_k)
        terms += [-log(p) * side / len(s) for p, side in pairs if side != 0]
    return terms


def probit(loss, s, y):
    pairs = zip(map(normal_cdf, s), map(normal_cdf, map(neg, s)), y, strict=True)
    return [term / len(s) for p, q, y_k in pairs for term in cross_entropy_of(p, q, y_k)]


def poisson_nll(loss, s, y):
    rates, logs = (map(exp, s), s) if loss.log_input else (s, map(log, s))
    terms = [*rates, *(log_rate * -y_k for log_rate, y_k in zip(logs, y, strict=True))]
    terms += [s[0] * 0 + mp.log(mp.factorial(y_k)) for y_k in y if loss.full]
    return [term / len(s) for term in terms]


def cross_entropy(loss, s, y):
    smoothing = exact(loss.label_smoothing)
    weights = map(exact, loss.weight or [1.0] * len(y))
    smooth = [(1 - smoothing) * y_k + smoothing / len(y) for y_k in y]
    weighted = [y_k * w for y_k, w in zip(smooth, weights, strict=True)]
    p, _ = softmax(s)
    terms = [-log(a) * y_k for a, y_k in zip(p, weighted, strict=True) if y_k != 0]
    if not loss.z_loss:
        return terms
    log_sum = log(sum(map(exp, s), start=mp.mpf(0)))
    return [*terms, square(log_sum) * exact(loss.z_loss) * sum(weighted)]


def focal(loss, s, y):
    of_1, of_0 = (1, 1) if loss.alpha is None else (exact(loss.alpha), 1 - exact(loss.alpha))
    terms = []
    for z, y_k in zip(s, y, strict=True):
        p, q = sigmoid(z), sigmoid(-z)
        for side, right, wrong in ((of_1 * y_k, p, q), (of_0 * (1 - y_k), q, p)):
            if side != 0:
                terms.append(-power(wrong, exact(loss.gamma)) * log(right) * side / len(s))
    return terms


def dice(loss, s, y):
    p, smooth = [sigmoid(z) for z in s], exact(loss.smooth)
    overlap = sum((p_k * y_k for p_k, y_k in zip(p, y, strict=True)), start=mp.mpf(0))
    return [1 - (overlap * 2 + smooth) / (sum(p, start=mp.mpf(0)) + sum(y) + smooth)]


def softmax_bce(loss, s, y):
    p, q = softmax(s)
    return [term for pqy in zip(p, q, y, strict=True) for term in cross_entropy_of(*pqy)]


def hinge(loss, s, y):
    return [positive_part(exact(loss.margin) - y[0] * s[0])]


def squared_hinge(loss, s, y):
    return [square(positive_part(exact(loss.margin) - y[0] * s[0]))]


def multiclass_hinge(loss, s, y):
    right = y.index(1)
    violations = [
        positive_part(exact(loss.margin) + s_k - s[right]) for k, s_k in enumerate(s) if k != right
    ]
    if loss.variant == "weston-watkins":
        return violations
    return [max(violations, key=lambda v: v.value)]  # the first of equal violations


def leads(s, y):
    """Return what each better item leads a worse one by."""
    graded = list(zip(s, y, strict=True))
    return [s_i - s_j for s_i, y_i in graded for s_j, y_j in graded if y_i > y_j]


def pairwise_logistic(loss, s, y):
    return [s[0] * 0, *(-log(sigmoid(lead)) for lead in leads(s, y))]


def pairwise_hinge(loss, s, y):
    return [s[0] * 0, *(positive_part(exact(loss.margin) - lead) for lead in leads(s, y))]


def info_nce(loss, s, y):
    e, right = [exp(s_k / exact(loss.temperature)) for s_k in s], y.index(1)
    if loss.decoupled:
        rest = sum(e[:right] + e[right + 1 :], start=mp.mpf(0))
        return [log(rest), s[right] / exact(-loss.temperature)]
    return [-log(e[right] / sum(e, start=mp.mpf(0)))]


def dpo(loss, s, r):
    growth = ((s[0] - r[0]) - (s[1] - r[1])) * exact(loss.beta)
    share = exact(loss.label_smoothing)
    terms = [(-log(sigmoid(growth)), 1 - share), (-log(sigmoid(-growth)), share)]
    return [term * weight for term, weight in terms if weight != 0]


def softmax_mse(loss, s, y):
    return mse(loss, softmax(s)[0], y)


def exp_mse(loss, s, y):
    return mse(loss, [exp(s_k) for s_k in s], y)


def softmax(s):
    """Return softmax and its complement, which is the sum over the other classes."""
    return cached_softmax(tuple(s_k.value for s_k in s))


@lru_cache(maxsize=1)  # consecutive examples often have the same scores
def cached_softmax(values):
    e = [exp(s_k) for s_k in variables(values)]
    total = sum(e, start=mp.mpf(0))
    return (
        [e_k / total for e_k in e],
        [sum(e[:k] + e[k + 1 :], start=mp.mpf(0)) / total for k in range(len(e))],
    )


DEFINITIONS = {
    losses.MSELoss: mse,
    losses.MAELoss: mae,
    losses.HuberLoss: huber,
    losses.QuantileLoss: quantile,
    losses.StudentTLoss: student_t,
    losses.LogCoshLoss: log_cosh,
    losses.GaussianNLLLoss: gaussian_nll,
    losses.SigmoidMSELoss: sigmoid_mse,
    losses.BCELoss: bce,
    losses.BCEWithLogitsLoss: bce_with_logits,
    losses.ProbitLoss: probit,
    losses.PoissonNLLLoss: poisson_nll,
    losses.CrossEntropyLoss: cross_entropy,
    losses.FocalLoss: focal,
    losses.DiceLoss: dice,
    losses.SoftmaxBCELoss: softmax_bce,
    losses.HingeLoss: hinge,
    losses.SquaredHingeLoss: squared_hinge,
    losses.MulticlassHingeLoss: multiclass_hinge,
    losses.PairwiseLogisticLoss: pairwise_logistic,
    losses.PairwiseHingeLoss: pairwise_hinge,
    losses.InfoNCELoss: info_nce,
    losses.DPOLoss: dpo,
    losses.SoftmaxMSELoss: softmax_mse,
    losses.ExpMSELoss: exp_mse,
}


class Reference(NamedTuple):
    """Exact loss of one example."""

    value: mp.mpf
    grad: list[mp.mpf]
    summands: list[mp.mpf]
    """For each entry of the gradient, the size of its largest summand."""


def variables(values):
    """Return independent variables: dual numbers, each with slope 1 in its own direction."""
    size = len(values)
    return [Dual(v, [mp.mpf(int(i == k)) for i in range(size)]) for k, v in enumerate(values)]


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
