"""What the symbols of the assignment on robust losses mean; its chapter has a module of its own.

Other packages judge its losses: scikit-learn, PyTorch and SciPy.
"""

from inspect import signature

import numpy as np
import torch
from scipy import integrate, stats
from sklearn.linear_model import HuberRegressor
from sklearn.metrics import mean_pinball_loss

from lossutils.losses import HuberLoss
from tests.book.formulas.sheet import Function, positive, real, unit
from tests.book.meanings import minimiser


def pinball(s, y, tau):
    return mean_pinball_loss(y, s, alpha=float(tau))


def student_nll(r, nu, b):
    """Return how much less probable than 0 a residual is under Student's t, in logarithms."""
    return stats.t.logpdf(0, nu, scale=b) - stats.t.logpdf(r, nu, scale=b)


def gaussian_nll(mu, v, y):
    """Return the loss of PyTorch, which takes the variance."""
    mu, y, variance = (torch.tensor(a, dtype=torch.float64) for a in (mu, y, np.exp(v)))
    return torch.nn.GaussianNLLLoss(eps=1e-300)(mu, y, variance).item()


def mad(values):
    return stats.median_abs_deviation(values)


def usual_delta(values):
    """Return delta by the rule of scikit-learn, which takes 1.35 times the scale."""
    return signature(HuberRegressor).parameters["epsilon"].default * mad(values) / 0.6745


def huber_centre(values, delta):
    loss = HuberLoss(delta)
    return minimiser(lambda s: loss(np.full(len(values), s), values, reduction="sum"), 0, 40)


measured = dict(
    values=real("m"),
    hat_sigma=lambda values: mad(values) / 0.6745,
    delta=usual_delta,
)
at_work = dict(values=np.array([0.0, 6.0, 40.0, 1.0, 2.0]), delta=usual_delta, s=huber_centre)

ASSIGNMENT = {
    r"L(s, y) = \frac{1}{m} \sum_{i=1}^{m} \max\bigl(\tau\, (y_i - s_i),\; "
    r"(\tau - 1)(y_i - s_i)\bigr)": dict(
        s=real("m"),
        y=real("m"),
        tau=unit(),
        L=lambda tau: Function(lambda s, y: pinball(s, y, tau)),
    ),
    "s_i = y_i": dict(  # where the loss bends: its second difference has its peak there
        y=real("m"),
        tau=unit(),
        s=lambda y, tau: np.array(
            [
                minimiser(
                    lambda s, t=t: (
                        2 * pinball([s], [t], tau)
                        - pinball([s - 1], [t], tau)
                        - pinball([s + 1], [t], tau)
                    ),
                    -12,
                    12,
                )
                for t in y
            ]
        ),
    ),
    r"l(r) = \log \cosh(r), \qquad \cosh(r) = \tfrac12 \left(e^r + e^{-r}\right)": dict(
        l=Function(lambda r: integrate.quad(np.tanh, 0, r, epsabs=1e-13)[0])
    ),
    r"\delta = 1.35\, \hat\sigma": measured,
    r"\omega_i = \min\left(1,\; \frac{\delta}{|s - y_i|}\right)": dict(
        y=real("m"),
        s=real(),
        delta=positive(),
        omega=lambda s, y, delta: (
            HuberLoss(delta).grad(np.full(len(y), s), y, reduction="sum") / (s - y)
        ),
    ),
    r"s + (s - 1) + (s - 2) + (s - 6) = \delta": at_work,
    r"l(r) = \frac{\nu + 1}{2} \log\left(1 + \frac{r^2}{\nu b^2}\right)": dict(
        nu=positive(),
        b=positive(),
        l=lambda nu, b: Function(lambda r: student_nll(r, nu, b)),
    ),
    r"L(\mu, v) = \frac{1}{m} \sum_{i=1}^{m} \frac12 \left[ v_i + e^{-v_i} (y_i - \mu_i)^2 "
    r"\right]": dict(
        y=real("m"),
        mu=real("m"),
        v=real("m", scale=1),
        L=lambda y: Function(lambda mu, v: gaussian_nll(mu, v, y)),
    ),
}
