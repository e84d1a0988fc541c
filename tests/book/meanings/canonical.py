"""What the symbols of the chapter on canonical links mean."""

import numpy as np
from scipy import integrate, optimize, special, stats

from lossutils.losses import BCELoss, BCEWithLogitsLoss, MSELoss, PoissonNLLLoss, ProbitLoss
from tests.book.formulas.sheet import (
    Function,
    bit,
    choice,
    index,
    integer,
    interval,
    real,
    slope,
    unit,
)
from tests.book.meanings import minimiser, one
from tests.book.meanings.canonical_assignment import ASSIGNMENT

# ---- by another way than the chapter's -----------------------------------------------------------


def tilted(weight, s):
    """Return the probabilities of the values 1, 2, … with these logarithms of weights."""
    return special.softmax(weight + s * (1 + np.arange(len(weight))))


def log_total(weight, s):
    """Return the number to subtract so that the probabilities sum to 1."""
    values = 1 + np.arange(len(weight))
    return optimize.brentq(lambda a: np.sum(np.exp(values * s + weight - a)) - 1, -200, 200)


def summed(X, y):
    return lambda theta: PoissonNLLLoss()(X @ theta, y, reduction="sum")


def gradient_at(f, theta):
    return np.array([slope(lambda h, e=e: f(theta + h * e), 1e-2) for e in np.eye(len(theta))])


def hessian_at(f, theta):
    def along(e):
        return slope(lambda h: gradient_at(f, theta + h * e), 1e-2)

    return np.stack([along(e) for e in np.eye(len(theta))])


def vertex(f, theta):
    """Return the lowest point of the parabola with the slope and the curvature of f."""
    return theta - np.linalg.solve(hessian_at(f, theta), gradient_at(f, theta))


def best_fit(X, y):
    """Return the rates of the model that is most likely."""
    f = summed(X, y)
    theta = optimize.minimize(f, np.zeros(X.shape[1]), tol=1e-12).x
    for _ in range(5):  # polish
        theta = vertex(f, theta)
    return np.exp(X @ theta)


def even(z):
    return one(BCEWithLogitsLoss())(z, 0.5)


def honest(loss):
    """Return minus the lowest loss that one can expect, by a search over the reports."""

    def lowest(q):
        def cost(p):
            return q * loss(p, 1) + (1 - q) * loss(p, 0)

        options = {"xatol": 1e-12}
        return -optimize.minimize_scalar(cost, bounds=(1e-6, 1 - 1e-6), options=options).fun

    return lowest


log_score, brier = one(BCELoss()), one(MSELoss())


def spherical(q, p):
    """Return the loss that one expects who says p: minus a product with a vector of length 1."""
    report = np.array([p, 1 - p])
    return -np.array([q, 1 - q]) @ report / np.linalg.norm(report)


# ---- the declarations ----------------------------------------------------------------------------

family = dict(
    N=5,
    weight=real("N", scale=1),
    y=index("N"),
    s=real(scale=1),
    c=lambda weight: Function(lambda y: weight[int(y) - 1]),
    A=lambda weight: Function(lambda s: log_total(weight, s)),
    p=lambda weight: Function(lambda y, s: tilted(weight, s)[int(y) - 1]),
    Y=lambda N: 1.0 + np.arange(N),
    E=lambda weight, s: Function(lambda values: tilted(weight, s) @ values),
    Var=lambda weight, s: Function(
        lambda values: tilted(weight, s) @ (values - tilted(weight, s) @ values) ** 2
    ),
)
regression = dict(
    X=real("m", "n", scale=0.7),
    x=lambda X: X,
    y=choice(*range(1, 5), shape=("m",)),
    theta=real("n", scale=0.5),
    s=lambda X, theta: X @ theta,
    A=Function(np.exp),
    v=real("n"),
    V=lambda s: np.diag(stats.poisson(np.exp(s)).var()),
    mu=lambda s: stats.poisson(np.exp(s)).mean(),
    H=lambda X, y, theta: hessian_at(summed(X, y), theta),
    theta_new=lambda X, y, theta: vertex(summed(X, y), theta),
    # for each example alone
    z=lambda s, y: np.array(
        [vertex(summed(np.eye(1), y[i : i + 1]), s[i : i + 1])[0] for i in range(len(s))]
    ),
)
probit = dict(s=real(), y=unit(), L=lambda s, y: one(ProbitLoss())(s, y))
mills = dict(
    s=real(),
    phi=Function(stats.norm.pdf),
    h=Function(lambda s: -stats.truncnorm(-np.inf, s).mean()),
)
forecast = dict(q=unit(), p=unit())

CHAPTER = {}
TAGS = {
    "exponential-family": family,
    "log-partition": family,
    "A-mean": family,
    "A-variance": family,
    "canonical-grad": family | dict(L=lambda weight, s, y: -np.log(tilted(weight, s)[int(y) - 1])),
    "canonical-hessian": regression
    | dict(
        # of two classes, since for counts all derivatives of A are the same
        i=index("m"),
        y=bit("m"),
        A=Function(lambda s: special.logsumexp([0, s])),
        V=lambda s: np.diag(stats.bernoulli(stats.logistic.cdf(s)).var()),
        H=lambda X, y, theta: hessian_at(
            lambda theta: BCEWithLogitsLoss()(X @ theta, y, reduction="sum"), theta
        ),
        tight=dict(v=lambda sheet: 0 * sheet["v"]),
    ),
    "balance": regression | dict(m=integer(8, 9), mu=best_fit),
    "Poisson-NLL": dict(s=real(), y=choice(*range(6)), L=lambda s, y: one(PoissonNLLLoss())(s, y)),
    "Newton-step": regression,
    "IRLS": regression,
    "link-factor": probit
    | dict(
        mu=Function(stats.norm.cdf, at="s"),
        V=lambda s: stats.bernoulli(stats.norm.cdf(s)).var(),
    ),
    "probit": probit,
    "probit-curvature": mills,
    "Bregman": forecast
    | dict(
        ell=Function(lambda p: np.array([log_score(p, 1), log_score(p, 0)])),
        E=lambda q: Function(lambda values: q * values[0] + (1 - q) * values[1]),
        G=Function(honest(log_score)),
    ),
    "proper-slope": dict(
        p=unit(),
        y=unit(),
        ell=lambda p, y: log_score(p, y),
        G=Function(lambda q: -stats.entropy([q, 1 - q])),
    ),
    "Newton-overshoot": dict(
        z=real(), z_new=lambda z: vertex(lambda t: even(t[0]), np.array([z]))[0]
    ),
}
COUNTS = np.arange(150)


def total_of(density, low, high):
    """Return the logarithm of the total of a tilted density."""
    return Function(
        lambda s: np.log(integrate.quad(lambda y: density(y) * np.exp(y * s), low, high)[0])
    )


INLINE = {
    # the four kinds of answers
    r"A(s) = \frac12 s^2": dict(s=real(), A=total_of(stats.norm.pdf, -40, 40)),
    r"A(s) = \log(1 + e^s)": dict(s=real(), A=Function(lambda s: special.logsumexp([0, s]))),
    r"A(s) = \log \sum_k e^{s_k}": dict(s=real("K"), A=Function(special.logsumexp)),
    "A(s) = e^s": dict(
        s=real(),
        A=Function(lambda s: special.logsumexp(COUNTS * s + stats.poisson.logpmf(COUNTS, 1)) + 1),
    ),
    r"A(s) = -\log(-s)": dict(s=interval(-3, -0.5), A=total_of(lambda y: 1.0, 0, np.inf)),
    # regression
    r"s_i = x_i^\top \theta": regression | dict(i=index("m")),
    r"\mu_i = A'(s_i)": regression | dict(i=index("m")),
    r"z_i = s_i + (y_i - \mu_i) / A''(s_i)": regression | dict(i=index("m")),
    # links
    r"\mu'(s) = V": dict(
        s=real(),
        mu=Function(stats.logistic.cdf, at="s"),
        V=lambda s: stats.bernoulli(stats.logistic.cdf(s)).var(),
    ),
    r"\mu = \sigma(s)": dict(s=real(), mu=lambda s: stats.logistic.cdf(s)),
    r"V = \mu(1 - \mu)": dict(mu=unit(), V=lambda mu: stats.bernoulli(mu).var()),
    r"\mu = \Phi(s)": dict(s=real(), mu=lambda s: stats.norm.sf(-s)),
    r"h(s) = \phi(s)/\Phi(s)": mills,
    "-h(s) < s": mills,
    # proper scores
    r"G(q) = q \log q + (1 - q) \log(1 - q)": dict(q=unit(), G=Function(honest(log_score))),
    "G(q) = q^2 - q": dict(q=unit(), G=Function(honest(brier))),
    "s = G'(p)": dict(
        p=unit(), s=lambda p: special.logit(p), G=Function(lambda q: -stats.entropy([q, 1 - q]))
    ),
    r"r = \sqrt{p^2 + (1 - p)^2}": dict(p=unit(), r=lambda p: np.linalg.norm([p, 1 - p])),
    "p = q": dict(
        q=unit(),
        p=lambda q: minimiser(lambda p: spherical(q, p), 0, 1),
    ),
}
CONDITIONS = ["q = p"]
UNREAD = {}
DOCSTRINGS = {
    "PoissonNLLLoss": dict(
        s=real("K"),
        y=choice(*range(10), shape=("K",)),
        l=lambda s, y: one(PoissonNLLLoss())(s, y),
    ),
    "ProbitLoss": dict(
        s=real("K"),
        y=unit("K"),
        l=lambda s, y: one(ProbitLoss())(s, y),
        phi=Function(stats.norm.pdf),
        h=Function(lambda s: -stats.truncnorm(-np.inf, s).mean()),
    ),
}

INLINE |= ASSIGNMENT
