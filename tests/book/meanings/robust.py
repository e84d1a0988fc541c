"""What the symbols of the chapter on robust losses mean."""

import numpy as np
from scipy import stats

from lossutils.data import noisy_line
from lossutils.losses import (
    GaussianNLLLoss,
    HuberLoss,
    LogCoshLoss,
    MAELoss,
    QuantileLoss,
    StudentTLoss,
)
from tests.book.formulas.sheet import Function, positive, real, unit
from tests.book.meanings import minimiser, one
from tests.book.meanings.mse import NODES, WEIGHTS, variance
from tests.book.meanings.robust_assignment import ASSIGNMENT


def huber(r, delta):
    return one(HuberLoss(delta))(r, 0.0)


def law_of_median(m, quantile):
    """Return the law of the median of m values on a fine grid.

    The share of the distribution that lies below the median has a Beta distribution.
    """
    half = (m + 1) / 2
    share = stats.beta(half, half)
    u = np.linspace(*share.ppf([1e-14, 1 - 1e-14]), 2001)
    weights = share.pdf(u)
    return [quantile(u), weights / weights.sum()]


def law_of_mean(m, values, weights):
    """Return the law of the mean of m draws from a few values, by going through all cases."""
    cases = np.stack(np.meshgrid(*[np.arange(len(values))] * int(m))).reshape(int(m), -1)
    return [values[cases].mean(axis=0), weights[cases].prod(axis=0)]


CHAPTER = dict(
    sigma=positive(),
    delta=positive(),
    r=real(),
    l=lambda delta: Function(lambda r: huber(r, delta), at="r"),
    omega=lambda r, delta: HuberLoss(delta).grad([r], [0.0])[0] / r,
)

TAGS = {
    "median-variance": dict(
        f=lambda sigma: Function(lambda t: stats.norm.pdf(t, 0, sigma)),
        median=lambda m, sigma: law_of_median(m, lambda u: stats.norm.ppf(u, 0, sigma)),
        mean=lambda m, sigma: law_of_mean(m, sigma * NODES, WEIGHTS),
        Var=Function(variance),
        limit=dict(m=1e10 + 1),
    ),
}

laplace = dict(
    b=positive(),
    f=lambda b: Function(lambda t: stats.laplace.pdf(t, 0, b)),
    sigma=lambda b: stats.laplace.std(scale=b),
)
INLINE = {
    "y = 2x + 1": dict(
        line=lambda m: noisy_line(int(m), scale=0),
        x=lambda line: line[0][:, 0],
        y=lambda line: line[1],
    ),
    # the slope of half the square
    "r = s - y": dict(s=real(), y=real(), r=lambda s, y: HuberLoss(delta=1e6).grad([s], [y])[0]),
    r"f(0) = 1 / (\sigma\sqrt{2\pi})": dict(
        f=lambda sigma: Function(lambda t: stats.norm.pdf(t, 0, sigma))
    ),
    "f(0) = 1/(2b)": laplace,
    r"\sigma^2 = 2b^2": laplace,
    "s = 1/4": dict(
        s=lambda: minimiser(lambda s: HuberLoss()([s] * 5, [0, 0, 0, 0, 10], reduction="sum"))
    ),
}

scores = dict(y=real("K"), gap=real("K", scale=1), s=lambda y, gap: y + gap, d=lambda s, y: s - y)
DOCSTRINGS = {
    "MAELoss": scores | dict(l=lambda s, y: one(MAELoss())(s, y)),
    "HuberLoss": scores | dict(delta=positive(), l=lambda s, y, delta: one(HuberLoss(delta))(s, y)),
    "QuantileLoss": scores | dict(tau=unit(), l=lambda s, y, tau: one(QuantileLoss(tau))(s, y)),
    "StudentTLoss": scores
    | dict(
        nu=positive(),
        b=positive(),
        l=lambda s, y, nu, b: one(StudentTLoss(nu, b))(s, y),
    ),
    r"|d| = b \sqrt{\nu}": dict(
        nu=positive(),
        b=positive(),
        d=lambda nu, b: minimiser(lambda d: -StudentTLoss(nu, b).grad([d], [0.0])[0], 0, 20),
    ),
    "LogCoshLoss": scores | dict(l=lambda s, y: one(LogCoshLoss())(s, y)),
    "GaussianNLLLoss": dict(
        s=real(2, scale=1), y=real(), l=lambda s, y: one(GaussianNLLLoss())(s, y)
    ),
}
CONDITIONS = []
UNREAD = {}

INLINE |= ASSIGNMENT
