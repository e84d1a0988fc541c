"""What the symbols of the chapter on robust losses mean."""

from inspect import signature

import numpy as np
import torch
from scipy import integrate, stats
from sklearn.linear_model import HuberRegressor
from sklearn.metrics import mean_pinball_loss

from lossutils.data import noisy_line
from lossutils.losses import HuberLoss
from tests.book.formulas.sheet import Function, positive, real, unit
from tests.book.meanings import minimiser, one
from tests.book.meanings.mse import NODES, WEIGHTS, variance


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

# ---- the assignment ------------------------------------------------------------------------------


def nll(mu, v, y):
    """Return the Gaussian loss of PyTorch, which takes the variance."""
    loss = torch.nn.GaussianNLLLoss(eps=1e-300)
    return loss(*(torch.tensor(a, dtype=torch.float64) for a in (mu, y, np.exp(v)))).item()


def student_nll(r, nu, sigma):
    """Return how much less probable, in logarithms, a residual is than 0 under Student's t."""
    return stats.t.logpdf(0, nu, scale=sigma) - stats.t.logpdf(r, nu, scale=sigma)


batch = dict(s=real("m"), y=real("m"))
noise = dict(nu=positive(), sigma=positive())
five = dict(
    values=np.array([0.0, 6.0, 40.0, 1.0, 2.0]),
    delta=lambda values: (
        signature(HuberRegressor).parameters["epsilon"].default
        * stats.median_abs_deviation(values)
        / 0.6745
    ),
    s=lambda values, delta: minimiser(
        lambda s: HuberLoss(delta)(np.full(5, s), values, reduction="sum"), 0, 40
    ),
)
INLINE |= {
    r"L(s, y) = \frac{1}{m} \sum_{i=1}^{m} \max\bigl(\tau\, (y_i - s_i),\; "
    r"(\tau - 1)(y_i - s_i)\bigr)": batch
    | dict(
        tau=unit(),
        L=lambda tau: Function(lambda s, y: mean_pinball_loss(y, s, alpha=tau)),
    ),
    "s_i = y_i": dict(y=real("m"), s=lambda y: y),
    r"l(r) = \log \cosh r, \qquad \cosh r = \tfrac12 \left(e^r + e^{-r}\right)": dict(
        l=Function(lambda r: integrate.quad(np.tanh, 0, r, epsabs=1e-13)[0]),
        cosh=Function(np.cosh),
    ),
    r"\cosh r = 1 + 2 \sinh^2 \frac r2": dict(cosh=Function(np.cosh), sinh=Function(np.sinh)),
    r"\delta = 1.35\, \hat\sigma": five
    | dict(hat_sigma=lambda values: stats.median_abs_deviation(values) / 0.6745),
    r"\omega_i = \min\left(1,\; \frac{\delta}{|s - y_i|}\right)": dict(
        y=real("m"),
        omega=lambda s, y, delta: (
            HuberLoss(delta).grad(np.full(len(y), s), y, reduction="sum") / (s - y)
        ),
        s=real(),
    ),
    r"s + (s - 1) + (s - 2) + (s - 6) = \delta": five,
    r"l(r) = \frac{\nu + 1}{2} \log\left(1 + \frac{r^2}{\nu \sigma^2}\right)": noise
    | dict(l=lambda nu, sigma: Function(lambda r: student_nll(r, nu, sigma))),
    r"L(\mu, v) = \frac{1}{m} \sum_{i=1}^{m} \frac12 \left[ v_i + e^{-v_i} (y_i - \mu_i)^2 "
    r"\right]": dict(
        y=real("m"),
        mu=real("m"),
        v=real("m", scale=1),
        L=lambda y: Function(lambda mu, v: nll(mu, v, y)),
    ),
}

CONDITIONS = []
UNREAD = {}
