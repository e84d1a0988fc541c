"""What the symbols of the chapter on squared error on K scores mean.

`y` is one-hot; as an index it means the right class, `index_y`.
"""

from functools import cache

import numpy as np
from scipy import optimize, special

from lossutils.losses import (
    CrossEntropyLoss,
    ExpMSELoss,
    MSELoss,
    SigmoidMSELoss,
    SoftmaxMSELoss,
)
from lossutils.metrics import reliability
from tests.book.formulas.sheet import (
    index,
    integer,
    interval,
    real,
    sample,
    simplex,
    slope,
    unit,
)
from tests.book.meanings import minimiser, one, one_hot
from tests.book.meanings.cross_entropy import jacobian

# ---- by another way than the chapter's -----------------------------------------------------------


def gradient(loss, s, y):
    return loss.grad([s], [y])[0]


def descent(loss, s, y, alpha):
    """Return the scores after k steps as a function of k."""

    def after(k):
        now = np.array(s, float)
        for _ in range(int(k)):
            now = now - alpha * gradient(loss, now, y)
        return now

    return after


def right_class(loss, t, K):
    """Return the gradient on the right class, whose score is t, where other scores are 0."""
    return gradient(loss, np.r_[t, np.zeros(int(K) - 1)], one_hot(1, K))[0]


def factor(loss, t, alpha, K):
    """Return what a step near t multiplies the distance of the right class's score by."""
    return slope(lambda h: t + h - alpha * right_class(loss, t + h, K), 1e-2)


@cache
def rate(loss, t, K, goal):
    """Return the learning rate at which the factor is a goal."""
    return optimize.brentq(lambda alpha: factor(loss, t, alpha, K) - goal, 0.01, 30, xtol=1e-13)


@cache
def inflection(K):
    """Return the score at which the exponential pushes the right class up most."""
    return minimiser(lambda t: right_class(ExpMSELoss(), t, K), -5, 1)


def curvature(t, K):
    return slope(lambda h: right_class(ExpMSELoss(), t + h, K), 1e-2)


def no_push(s, y, j):
    """Return the scores with another s_j, at which nothing pushes class j."""

    def push(t):
        return gradient(SoftmaxMSELoss(), at(t), y)[int(j) - 1]

    def at(t):
        return np.where(np.arange(len(s)) == j - 1, t, s)

    return at(optimize.brentq(push, s[int(j) - 1], 20, xtol=1e-13))


def push_of_example(q):
    """Return the push on the second of three classes with the probabilities 0.1, q and the rest."""
    return gradient(SoftmaxMSELoss(), np.log([0.1, q, 0.9 - q]), one_hot(1, 3))[1]


@cache
def best_score(target):
    """Return where the exponential's loss is least on a class, by search."""
    loss = ExpMSELoss()
    y = [target, 1 - target]
    return minimiser(lambda t: one(loss)([t, 0.3], y), -60, 5)


def tenths(values):
    """Return the numbers of the values in each tenth from 0 to 1."""
    return [{k for k, v in enumerate(values) if int(10 * v) == tenth} for tenth in range(10)]


def mean_over(sets, values):
    """Return the mean over each set; of an empty one it is 0, which then has no weight."""
    return np.array([np.mean([values[k] for k in numbers] or 0.0) for numbers in sets])


# ---- the declarations ----------------------------------------------------------------------------

CHAPTER = dict(
    s=real("K"),
    i=index("K"),
    y=lambda c, K: one_hot(c, K),
    index_y=lambda c: c,
    p=lambda s: special.softmax(s),
    L_CE=lambda s, y: one(CrossEntropyLoss())(s, y),
    L_raw=lambda s, y: one(MSELoss())(s, y),
    L_soft=lambda s, y: one(SoftmaxMSELoss())(s, y),
    L_exp=lambda s, y: one(ExpMSELoss())(s, y),
    T=lambda p, y: p @ (p - y),
    alpha=interval(0.1, 2.5),
    s_at=lambda s, y, alpha: descent(MSELoss(), s, y, alpha),
    # sixty predictions, and the sets of those that fall into each bin
    m=60,
    confidence=sample(lambda rng, size: rng.beta(2, 1, size), "m"),
    right=sample(lambda rng, size: rng.integers(0, 2, size), "m"),
    B=lambda confidence: tenths(confidence),
    conf=lambda B, confidence: mean_over(B, confidence),
    acc=lambda B, right: mean_over(B, right),
    ECE=lambda confidence, right: reliability(confidence, right).ece,
)

wrong_class = dict(where=lambda c, j: c != j)
two_classes = wrong_class | dict(K=2)
# where squared error on the softmax pushes a wrong class up, and where it just does not
pushed_up = dict(
    s=real("K", scale=2),
    where=lambda s, y, c, j: c != j and gradient(SoftmaxMSELoss(), s, y)[int(j) - 1] < 0,
    tight=dict(s=lambda sheet: no_push(sheet["s"], sheet["y"], sheet["j"])),
)
pushed_up_of_example = dict(
    q=interval(0.01, 0.89),
    where=lambda q: push_of_example(q) < 0,
    tight=dict(q=lambda sheet: optimize.brentq(push_of_example, 0.2, 0.5, xtol=1e-13)),
)
# where the exponential is not convex
bent_down = dict(
    where=lambda t, K: curvature(t, K) < 0,
    tight=dict(t=lambda sheet: inflection(int(sheet["K"]))),
    t=real(scale=1),
    s=lambda t: t,
    s_y=lambda t: t,
)
aims = dict(
    s=lambda y, best: np.where(y == 1, *best),
    best=lambda: (best_score(1), best_score(0)),
)
sure = dict(tight=dict(s=lambda sheet: 40 * sheet["y"]))  # of the right class
first_row = dict(p=lambda: special.softmax([0, np.log(2), 0]), y=one_hot(1, 3))

TAGS = {
    "rawMSE-margin": wrong_class,
    "wrong-sign-rivals": dict(K=integer(4, 5)) | wrong_class,
    "two-classes-sign": dict(K=2),
    "expMSE-wrong": wrong_class,
    "expMSE-inflection": dict(s_y=lambda K: inflection(int(K))),
    "expMSE-step": dict(
        small="s_y",
        s_y=interval(0.01, 0.02),
        s_new_y=lambda s_y, alpha, K: s_y - alpha * right_class(ExpMSELoss(), s_y, K),
    ),
}

INLINE = {
    "1_{i=j}": dict(clause_1=lambda i, j: float(i == j)),
    r"p_i\,(1_{i=j} - p_j)": dict(clause_1=lambda s, i, j: jacobian(s)[int(i) - 1, int(j) - 1]),
    # learning rates
    r"\alpha < K/2": dict(
        alpha=interval(0.1, 4),
        where=lambda alpha, K: 0 < factor(MSELoss(), 0.4, alpha, K) < 1,
        tight=dict(alpha=lambda sheet: rate(MSELoss(), 0.4, int(sheet["K"]), 0)),
    ),
    r"\alpha < K": dict(
        alpha=interval(0.1, 8),
        where=lambda alpha, K: abs(factor(ExpMSELoss(), 0.0, alpha, K)) < 1,
        tight=dict(alpha=lambda sheet: rate(ExpMSELoss(), 0.0, int(sheet["K"]), -1)),
    ),
    r"\alpha = K/2 = 5": dict(K=10, alpha=lambda: rate(MSELoss(), 0.4, 10, 0)),
    r"\alpha = K = 10": dict(K=10, alpha=lambda: rate(MSELoss(), 0.4, 10, -1)),
    # wrong signs
    "p_j < T": pushed_up,
    r"p_j < \sum_i p_i^2 - p_y": pushed_up,
    "q < 0.01 + q^2 + (0.9 - q)^2 - 0.1": pushed_up_of_example,
    "2 q^2 - 2.8 q + 0.72 > 0": pushed_up_of_example,
    r"\sum_i p_i^2 \ge p_y^2": sure,
    "p_y - 1 < 0": sure,
    "1 - p_j = p_y": two_classes,
    "p_j - T = 2 p_j p_y": two_classes,
    "2/K = 1": dict(K=2),
    # the exponential
    "e^{s_j} = 0": aims | wrong_class,
    "e^{s_y} = 1": aims,
    "s_y = 0": aims,
    "2 e^{2s} < e^{s}": bent_down,
    r"e^{s_y} < \frac12": bent_down,
    "e^{s} = 1": dict(s=0.0),
    # exercises
    r"\frac24 (s - y) = (0.1, -0.75, -0.05, -0.15)": dict(
        K=4, c=3, s=np.array([0.2, -1.5, 0.9, -0.3])
    ),
    r"p = (\frac14, \frac12, \frac14)": first_row,
    r"p - y = (-\frac34, \frac12, \frac14)": first_row,
    r"p - y = (\frac14, -\frac12, \frac14)": first_row | dict(y=one_hot(2, 3)),
    # the margin is the log-odds of the first of two classes
    r"d = s_0 - s_1": dict(
        s_0=real(),
        s_1=real(),
        d=lambda s_0, s_1: special.logit(special.softmax([s_0, s_1])[0]),
    ),
    r"\sum_{c=1}^{K} \eta_c \cdot \frac1K \lVert e_c - q \rVert^2": dict(
        eta=simplex("K"),
        q=real("K"),
        e=lambda K: np.eye(int(K)),
        clause_1=lambda eta, q, e: eta @ [one(MSELoss())(q, row) for row in e],
    ),
    r"s_0^{(k)} - s_1^{(k)} = 1 + \Bigl(1 - \frac{2\alpha}{K}\Bigr)^{k} (d_0 - 1)": dict(
        c=1,
        d_0=lambda s: s[0] - s[1],
        s_0_at=lambda s_at: lambda k: s_at(k)[0],
        s_1_at=lambda s_at: lambda k: s_at(k)[1],
    ),
}

CONDITIONS = [
    r"\ge 0",
    r"0 < \alpha < K/2",
    "q = s",
    r"q = \operatorname{softmax}(s)",
    "q = e^{s}",
]
UNREAD = {
    r"-\frac2K \Bigl[\, \sum_{i=1}^{K} (y_i - p_i)\, "
    r"\bigl(p_i\, (1_{i=j} - \mathbf{p})\bigr) \Bigr]": "quoted: it is wrong, as the text says",
}

DOCSTRINGS = {
    "SigmoidMSELoss": dict(z=real("K"), y=unit("K"), l=lambda z, y: one(SigmoidMSELoss())(z, y)),
    r"\sigma(z) = 1/3": dict(
        z=lambda: optimize.brentq(
            lambda z: slope(lambda h: SigmoidMSELoss().grad([z + h], [1])[0], 1e-2), -3, 1
        )
    ),
    "SoftmaxMSELoss": dict(y=simplex("K"), l=lambda s, y: one(SoftmaxMSELoss())(s, y)),
    "ExpMSELoss": dict(y=simplex("K"), l=lambda s, y: one(ExpMSELoss())(s, y)),
}
