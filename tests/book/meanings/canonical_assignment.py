"""What the symbols of the assignment on prediction minus label mean; canonical.py takes them up.

Each entry declares all its symbols, so that it does not depend on those of the chapter.
"""

import numpy as np
from scipy import optimize, special, stats

from lossutils.losses import BCELoss
from lossutils.train import Fit
from tests.book.formulas.sheet import Function, bit, choice, positive, real, slope, unit


def in_turn(f, *arrays):
    """Return the values of a function of numbers, for each entry of some arrays."""
    return np.array([f(*map(float, each)) for each in zip(*arrays, strict=True)])


def expected_count(s, t=1.0):
    """Return the mean count in a time t whose logarithm, less that of the time, is the score."""
    return optimize.brentq(lambda mu: np.log(mu) - np.log(t) - s, 1e-9, 1e9, xtol=1e-14)


def after_newton(s, y, step=0.02):
    """Return where a step of Newton's method leads, by slopes of the likelihood of one count."""

    def rise(score):
        return slope(lambda d: -stats.poisson.logpmf(y, expected_count(score + d)), step)

    return s - rise(s) / slope(lambda d: rise(s + d), step)


def nearest(v, value):
    """Return the place of a value in a list."""
    return np.argmin(np.abs(v - value))


def nll_of_counts(X, y, t):
    """Return the mean loss of a linear model of counts, without what depends on y alone."""

    def loss(w, b):
        means = in_turn(expected_count, Fit(w, b, None).scores(X), t)
        return np.mean(-stats.poisson.logpmf(y, means) - special.gammaln(y + 1))

    return Function(loss)


def nll_of_family(v, h):
    def loss(s, y):
        shares = special.softmax(np.log(h) + np.outer(s, v), axis=1)
        return -np.mean(
            [np.log(row[nearest(v, each)]) for row, each in zip(shares, y, strict=True)]
        )

    return Function(loss)


counts = choice(0, 1, 2, 5)
several_counts = choice(0, 1, 2, 5, shape=("m",))

watched = dict(
    X=real("m", "n", scale=0.5),
    w=real("n", scale=0.5),
    b=real(scale=0.5),
    y=several_counts,
    t=positive("m"),
    s=lambda X, w, b: Fit(w, b, None).scores(X),
    mu=lambda s, t: in_turn(expected_count, s, t),
    L=nll_of_counts,
)
family = dict(
    v=real("K"),
    h=positive("K"),
    s=real(),
    P=lambda v, h: Function(lambda value, s: special.softmax(np.log(h) + s * v)[nearest(v, value)]),
    Z=lambda v, h: Function(lambda s: np.exp(special.logsumexp(s * v, b=h))),
)

ASSIGNMENT = {
    # a count
    r"P(y \mid \mu) = \frac{\mu^y e^{-\mu}}{y!}, \qquad \mu = e^s": dict(
        y=counts, s=real(), mu=lambda s: expected_count(s), P=Function(stats.poisson.pmf)
    ),
    r"\mu = e^s": dict(s=real(), mu=lambda s: expected_count(s)),
    r"L(w, b) = \frac{1}{m} \sum_{i=1}^{m} \bigl[\, \mu_i - y_i \log \mu_i \,\bigr], \qquad"
    r" \mu_i = t_i\, e^{s_i}, \qquad s = Xw + b": watched,
    # an outcome of a finite list
    r"P(v_k \mid s) = \frac{h_k\, e^{s v_k}}{Z(s)}, \qquad"
    r" Z(s) = \sum_{j=1}^{K} h_j\, e^{s v_j}": family,
    r"L(s, y) = -\frac{1}{m} \sum_{i=1}^{m} \log P(y_i \mid s_i)": family
    | dict(
        s=real("m"),
        drawn=choice(0, 1, 2, shape=("m",)),
        y=lambda v, drawn: v[drawn.astype(int)],
        L=nll_of_family,
    ),
    # whether there were any
    r"p = 1 - e^{-\mu}": dict(mu=positive(), p=lambda mu: stats.poisson.sf(0, mu)),
    r"L(s, y) = -\frac{1}{m} \sum_{i=1}^{m} \bigl[\, y_i \log p_i"
    r" + (1 - y_i) \log(1 - p_i) \,\bigr]": dict(
        s=real("m", scale=0.7),
        y=bit("m"),
        p=lambda s: stats.poisson.sf(0, in_turn(expected_count, s)),
        L=Function(lambda s, y: BCELoss()(stats.poisson.sf(0, in_turn(expected_count, s)), y)),
    ),
    # Newton's method
    "s = Xw": dict(
        X=real("m", "n", scale=1), w=real("n"), s=lambda X, w: Fit(w, 0.0, None).scores(X)
    ),
    r"z_i = s_i + (y_i - \mu_i) / \mu_i": dict(
        s=real("m", scale=0.7),
        y=several_counts,
        mu=lambda s: in_turn(expected_count, s),
        z=lambda s, y: in_turn(after_newton, s, y),
        points=6,
    ),
    # what a forecaster expects to pay
    r"E(r, q) = q\, \ell_1(r) + (1 - q)\, \ell_0(r)": dict(
        q=unit(),
        r=unit(),
        ell_0=Function(np.square),
        ell_1=Function(lambda r: np.square(1 - r)),
        E=Function(lambda r, q: stats.bernoulli.expect(lambda y: np.square(y - r), (q,))),
    ),
}
