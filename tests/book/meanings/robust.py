"""What the symbols of the chapter on robust losses mean."""

import numpy as np
from scipy import integrate, stats

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


def student(r, nu, b):
    return one(StudentTLoss(nu, b))(r, 0.0)


def quantile_loss(tau, r):
    """Return the loss of an error r = y - s."""
    return one(QuantileLoss(tau))(-r, 0.0)


def asymmetric_laplace(y, s, tau, b):
    kappa, width = np.sqrt(tau / (1 - tau)), b / np.sqrt(tau * (1 - tau))
    return stats.laplace_asymmetric.pdf(y, kappa, s, width)


def mean_cost(tau, s):
    """Return the mean quantile loss of values with a logistic distribution."""

    def cost(y):
        return quantile_loss(tau, y - s) * stats.logistic.pdf(y)

    return sum(integrate.quad(cost, *ends, epsabs=1e-12)[0] for ends in ((-60, s), (s, 60)))


def best_bell(mean, y):
    """Return the mean, and the log-variance that is best for it."""
    nll = one(GaussianNLLLoss())
    return np.array([mean, minimiser(lambda v: nll([mean, v], y))])


heavy = dict(
    nu=positive(),
    b=positive(),
    l=lambda nu, b: Function(lambda r: student(r, nu, b), at="r"),
)
quantiles = dict(tau=unit(), rho=Function(quantile_loss), s=real(), y=real())
two_scores = dict(
    s=real(2, scale=1),
    y=real(),
    l=lambda s, y: one(GaussianNLLLoss())(s, y),
)
TAGS = {
    "Student-t": heavy,
    "Student-t-grad": heavy,
    "pinball": quantiles | dict(r=lambda s, y: HuberLoss(delta=1e6).grad([y], [s])[0]),
    "asymmetric-Laplace": quantiles
    | dict(
        b=positive(),
        p=lambda tau, b: Function(lambda y, s: asymmetric_laplace(y, s, tau, b)),
    ),
    "pinball-balance": quantiles
    | dict(
        F=Function(stats.logistic.cdf),
        C=lambda tau: Function(lambda s: mean_cost(tau, s), at="s"),
    ),
    "swap": quantiles | dict(tau=unit(2), s=real(2)),
    "Gaussian-variance": two_scores,
    "Gaussian-variance-grad": two_scores,
    "own-variance": dict(v=real()),
    "beta-pull": dict(
        first=real(),
        y=real(),
        s=lambda first, y: best_bell(first, y),
        beta=unit(),
        r=lambda s, y: HuberLoss(delta=1e6).grad([s[0]], [y])[0],
    ),
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
    r"|r| = b\sqrt{\nu}": heavy
    | dict(r=lambda nu, b: minimiser(lambda r: -StudentTLoss(nu, b).grad([r], [0.0])[0], 0, 20)),
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
CONDITIONS = [r"\tau_1 < \tau_2"]
UNREAD = {}

INLINE |= ASSIGNMENT
