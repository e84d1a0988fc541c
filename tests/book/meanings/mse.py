"""What the symbols of the chapter on squared error mean."""

from itertools import combinations_with_replacement

import numpy as np
from scipy import linalg, optimize, stats

from lossutils.data import noisy_line
from lossutils.losses import MSELoss
from tests.book.formulas.sheet import Function, index, positive, real, unit
from tests.book.meanings import one
from tests.book.meanings.mle import most_likely_sigma


def curvatures(f, size):
    """Return the second derivatives of a quadratic function, by its differences between points."""
    e = np.eye(size)
    alone, at_zero = [f(a) for a in e], f(np.zeros(size))
    H = np.zeros((size, size))
    for i, j in combinations_with_replacement(range(size), 2):
        H[i, j] = H[j, i] = f(e[i] + e[j]) - alone[i] - alone[j] + at_zero
    return H


def best_rate(curvatures):
    """Return the rate of the least t with -t ≤ 1 - rate × curvature ≤ t, a linear programme."""
    signs = np.repeat([-1.0, 1.0], len(curvatures))
    above = np.c_[signs * np.tile(curvatures, 2), -np.ones(len(signs))]
    return optimize.linprog([0, 1], above, signs).x[0]


def descended(f, start, rate, steps):
    """Return where gradient descent on a quadratic function arrives, by differences."""
    point, e = start, np.eye(len(start))
    for _ in range(int(steps)):
        point = point - rate * np.array([f(point + a) - f(point - a) for a in e]) / 2
    return point


NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(3)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
"""Three values and their probabilities, whose mean and variance are those of normal noise."""


def variance(law):
    """Return the variance of a law: a list of values and a list of their probabilities."""
    values, weights = law
    return weights @ (values - weights @ values) ** 2


# All examples at once, with the weights and the bias in one vector.
CHAPTER = dict(
    X=real("m", "n", scale=1),
    tilde_X=lambda X: np.c_[X, np.ones(len(X))],
    x=lambda X: X,
    y=real("m"),
    theta=lambda w, b: np.r_[w, b],
    s=lambda tilde_X, theta: tilde_X @ theta,
    loss=lambda tilde_X, y: lambda theta: MSELoss()(tilde_X @ theta, y),
    L=lambda loss: Function(loss, at="theta"),
    nabla_by="theta",
    hat_theta=lambda tilde_X, y: np.linalg.lstsq(tilde_X, y)[0],
    # the bowl
    parameters=lambda n: n + 1,
    d=real("parameters"),
    v=real("parameters"),
    v_j=lambda H, j: np.linalg.eigh(H)[1][:, int(j) - 1],
    H=lambda loss, parameters: curvatures(loss, int(parameters)),
    lam=lambda H: np.linalg.eigvalsh(H),
    lam_min=lambda lam: min(lam),
    lam_max=lambda lam: max(lam),
    alpha=unit(),
    j=index("parameters"),
    kappa=lambda H: np.linalg.cond(H),
    cond=Function(np.linalg.cond),
    # the largest rate at which no step makes a distance longer
    alpha_max=lambda H: optimize.brentq(
        lambda rate: np.linalg.norm(np.eye(len(H)) - rate * H, 2) - 1, 1e-6, 10
    ),
    sigma=positive(),
    c=positive(),
)

line = dict(
    x=real("m"),
    w=real(),
    s=lambda x, w, b: np.polyval([w, b], x),
    p=lambda w, b, sigma: Function(lambda y, x: stats.norm.pdf(y, w * x + b, sigma)),
    # one normal distribution in m dimensions
    cal_L=lambda x, y: Function(
        lambda w, b, sigma: stats.multivariate_normal.pdf(y, w * x + b, sigma**2)
    ),
)
fitted = dict(
    x=real("m"),
    bar_x=lambda x: np.mean(x),
    bar_y=lambda y: np.mean(y),
    hat_w=lambda x, y: np.polyfit(x, y, 1)[0],
    hat_b=lambda x, y: np.polyfit(x, y, 1)[1],
    hat_sigma=lambda x, y, hat_w, hat_b: most_likely_sigma(y - hat_w * x - hat_b),
)
one_example = dict(
    s=real("K"),
    y=real("K"),
    i=index("K"),
    j=index("K"),
    L=lambda s, y: one(MSELoss())(s, y),
)
scaled = dict(
    raw=real("m", "n"),
    X=lambda raw: stats.zscore(raw),
    R=lambda X: np.corrcoef(X.T),
    r=lambda X: np.array([[stats.linregress(a, b).rvalue for a in X.T] for b in X.T]),
    j=index("n"),
    k=index("n"),
)

TAGS = {
    "line-moments": line
    | dict(
        x=real(),
        Y=lambda w, x, b, sigma: w * x + b + sigma * NODES,
        E=Function(lambda values: WEIGHTS @ values),
        Var=Function(lambda values: variance([values, WEIGHTS])),
    ),
    "line-likelihood": line,
    "line-log-likelihood": line,
    "noise-variance": fitted,
    "line-solution": fitted,
    "MSE-terms": one_example,
    "MSE-grad": one_example,
    "MSE-grad-K": dict(
        W=real("n", "K"),
        b=real("K"),
        Y=real("m", "K"),
        L=lambda X, W, b, Y: MSELoss()(X @ W + b, Y),
    ),
    "MSE-convex": dict(tight=dict(v=lambda sheet: 0 * sheet["v"])),
    "MSE-shrink": dict(
        d_0=real("parameters"),
        d_k=lambda loss, hat_theta, d_0, alpha, k: (
            descended(loss, hat_theta + d_0, alpha, k) - hat_theta
        ),
    ),
    "MSE-scaled": scaled,
}

best = dict(alpha=lambda lam: best_rate(lam))
INLINE = {
    "s = wx + b": line,
    # both are the same quantile, one with the line as the mean
    r"Y = wx + b + \eta": line
    | dict(
        u=unit("m"),
        Y=lambda u, s, sigma: stats.norm.ppf(u, s, sigma),
        eta=lambda u, sigma: stats.norm.ppf(u, 0, sigma),
    ),
    r"\sigma^2 = S/m": dict(
        residuals=real("m"),
        S=lambda residuals: residuals @ residuals,
        sigma=lambda residuals: most_likely_sigma(residuals),
    ),
    "y = 2x + 1": dict(
        line=lambda m: noisy_line(int(m), scale=0),
        x=lambda line: line[0][:, 0],
        y=lambda line: line[1],
    ),
    r"1 - \alpha\lambda_{\min} = \alpha\lambda_{\max} - 1": best,
    r"\alpha = 2 / (\lambda_{\min} + \lambda_{\max})": best,
    "c = m/2": dict(
        c=lambda s, y: 0.5 * MSELoss()(s, y, reduction="sum") / MSELoss()(s, y),
    ),
    # the last column is a combination of the others
    r"\tilde X v = 0": dict(
        few=real("m", "n"),
        X=lambda few: np.c_[few, few @ np.arange(1, few.shape[1] + 1) - 1],
        v=lambda tilde_X: linalg.null_space(tilde_X)[:, 0],
    ),
    # the exercises
    r"\lambda_{\max} \le 20": scaled
    | dict(m=12, n=10, tight=dict(X=lambda sheet: np.tile(sheet["X"][:, :1], 10))),
    # the assignment
    r"L(s, y) = \frac{1}{m} \sum_{i=1}^{m} (s_i - y_i)^2": dict(L=Function(MSELoss())),
}

# scores near the targets, so that the sign of a difference tells of every misprint in it
scores = dict(y=real("K"), gap=real("K", scale=1), s=lambda y, gap: y + gap)
DOCSTRINGS = {
    "MSELoss": scores | dict(l=lambda s, y: one(MSELoss())(s, y)),
}
CONDITIONS = ["x_1 = x_2", "y = 3 x_1"]
UNREAD = {}
