"""Every loss by its definition, in numbers of 400 digits; `tests.reference` evaluates it.

No formula is rearranged. Each function returns the summands of one example's loss, from its scores
and its targets.
"""

from __future__ import annotations

from functools import lru_cache
from operator import neg

from lossutils import losses
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


def variables(values):
    """Return independent variables: dual numbers, each with slope 1 in its own direction."""
    size = len(values)
    return [Dual(v, [mp.mpf(int(i == k)) for i in range(size)]) for k, v in enumerate(values)]


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
