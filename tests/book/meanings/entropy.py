"""What the symbols of the chapter on entropy mean."""

from functools import cache
from itertools import product

import numpy as np
from scipy import optimize, special, stats

from lossutils.losses import BCELoss, CrossEntropyLoss
from tests.book.formulas.sheet import (
    Function,
    index,
    interval,
    positive,
    real,
    sample,
    simplex,
    slope,
    unit,
)
from tests.book.meanings import one, one_hot
from tests.book.meanings.cross_entropy import best_prediction, smoothed_label

# ---- by another way than the chapter's -----------------------------------------------------------


def led_by(g, K):
    """Return probabilities where the first class leads by g, and the others have one score."""
    return special.softmax(np.r_[g, np.zeros(int(K) - 1)])


def best_gap(varepsilon, K):
    """Return the lead at which the gradient of the smoothed loss changes sign."""
    loss = CrossEntropyLoss(label_smoothing=varepsilon)
    others = np.zeros(int(K) - 1)
    return optimize.brentq(lambda g: loss.grad([np.r_[g, others]], [0])[0, 0], -20, 30)


def smoothed_loss(s, c, varepsilon):
    return one(CrossEntropyLoss(label_smoothing=varepsilon))(s, int(c) - 1)


def noted(p, rho):
    """Return how probable each label is: go through the true classes and the wrong labels."""
    total = np.zeros(len(p))
    for true in range(len(p)):
        for label in range(len(p)):
            changed = rho / (len(p) - 1)
            total[label] += p[true] * (1 - rho if label == true else changed)
    return total


@cache
def order_lost(K):
    """Return the rate of noise at which a rise of p_1 no longer raises the noisy probability."""

    others = np.full(K - 1, 1 / (K - 1))

    def rise(rho):
        return slope(lambda h: noted(np.r_[0.5 + h, (0.5 - h) * others], rho)[0], 1e-2)

    return optimize.brentq(rise, 0, 1)


def flips_like_smoothing(s, c, K, varepsilon):
    """Return the rate of flips whose mean loss is the smoothed loss."""
    losses = np.array([one(CrossEntropyLoss())(s, k) for k in range(int(K))])
    goal = smoothed_loss(s, c, varepsilon)
    return optimize.brentq(lambda rho: noted(one_hot(c, K), rho) @ losses - goal, 0, 1)


def halved(rng, size):
    """Return probabilities that are powers of one half."""
    q = [1.0]
    while len(q) < size[0]:
        half = q.pop(rng.integers(len(q))) / 2
        q += [half, half]
    return np.array(q)


def shortest_code(q):
    """Return the lengths with the smallest mean among those that a code can have (Kraft)."""
    lengths = np.array(list(product(range(1, 7), repeat=len(q))), dtype=float)
    lengths = lengths[np.sum(0.5**lengths, axis=1) <= 1]
    return lengths[np.argmin(lengths @ q)]


@cache
def nodes():
    return np.polynomial.hermite_e.hermegauss(20)


def closest_normal(w, a, t):
    """Return mean and variance of the normal density that is most likely on a mixture."""
    z, weights = nodes()
    x, mass = a[:, None] + t * z, w[:, None] * weights / np.sum(weights)

    def rise(at):
        """Return the derivatives of the mean logarithm of the density, by both arguments."""
        off = (x - at[0]) / np.exp(at[1])
        return [np.sum(mass * off), np.sum(mass * off**2) - 1]

    start = optimize.minimize(lambda at: np.sum(np.square(rise(at))), [0.0, 1.0]).x
    mean, log_deviation = optimize.root(rise, start, tol=1e-14).x
    return mean, np.exp(2 * log_deviation)


# ---- the declarations ----------------------------------------------------------------------------

CHAPTER = dict(
    s=real("K"),
    p=lambda s: special.softmax(s),
    y=one_hot,
    L=lambda s, y: one(CrossEntropyLoss())(s, y),
    i=index("K"),
    q=simplex("K"),
    rho=unit(),
    T=lambda rho, K: np.array([noted(row, rho) for row in np.eye(int(K))]),
    tilde_p=noted,
    varepsilon=unit(),
    L_varepsilon=smoothed_loss,
    g_star=best_gap,
    H=Function(stats.entropy),
    KL=Function(stats.entropy),
)

lead = dict(g=real(), p_c=lambda g, K: led_by(g, K)[0])
smoothed = dict(p_c=lambda varepsilon, K: led_by(best_gap(varepsilon, K), K)[0])
noise = dict(
    T=sample(lambda rng, size: rng.dirichlet(np.full(size[0], 2.0), size[0]), "K"),
    joint=lambda p, T: p[:, None] * T,  # of the true class and the label that was noted
)
ninth = dict(varepsilon=lambda: optimize.brentq(lambda e: smoothed_label(e, 1, 10)[0] - 0.9, 0, 1))
order_kept = dict(
    rho=interval(0, 1),
    where=lambda rho, K: rho < order_lost(int(K)),
    tight=dict(rho=lambda sheet: order_lost(int(sheet["K"]))),
)

several = dict(
    i=index("m"),
    c=index("K", "m"),
    f=lambda c, K, m: np.bincount(c.astype(int) - 1, minlength=int(K)) / m,
    L=lambda s, c, m: CrossEntropyLoss()(np.tile(s, (int(m), 1)), c.astype(int) - 1),
)

TAGS = {
    "code-length": dict(q=sample(halved, "K"), ell=shortest_code),
    "perplexity": several | dict(PP=lambda p, c: 1 / stats.gmean(p[c.astype(int) - 1])),
    "likelihood-KL": several,
    "KL-moments": dict(
        w=simplex("K"),
        a=real("K"),
        t=unit(),
        mu=lambda w, a, t: closest_normal(w, a, t)[0],
        v=lambda w, a, t: closest_normal(w, a, t)[1],
    ),
    "temperature-grad": dict(
        beta=positive(),
        p=lambda beta, s: np.exp([-one(CrossEntropyLoss())(beta * s, k) for k in range(len(s))]),
    ),
    "log-base": dict(b=positive(low=2, high=10), p=unit()),
    "soft-label": dict(
        R=5,
        r=index("R"),
        c=index("K", "R"),
        f=lambda c, K, R: np.bincount(c.astype(int) - 1, minlength=int(K)) / R,
    ),
    "forward-grad": noise | dict(r=lambda joint, j: joint[:, int(j) - 1] / sum(joint)[int(j) - 1]),
    "certainty-gap": dict(
        p_c=unit(),
        g=lambda p_c, K: optimize.brentq(lambda g: led_by(g, K)[0] - p_c, -30, 30, xtol=1e-12),
    ),
}

INLINE = {
    # the base in which the package's loss is measured
    "b = e": dict(p=unit(), b=lambda p: p ** (-1 / one(BCELoss())(p, 1))),
    # soft labels, and a model's own beliefs
    "p = q": dict(p=lambda q: best_prediction(CrossEntropyLoss(), q)),
    # noise
    r"1 - \rho > \rho / (K - 1)": order_kept,
    r"\rho < (K - 1)/K": order_kept,
    r"\rho = \varepsilon (K - 1) / K": dict(rho=flips_like_smoothing),
    # leads
    "p_c = 1 / (1 + (K - 1) e^{-g})": lead,
    r"p_c = 1 - \varepsilon + \varepsilon / K": smoothed,
    r"1 - p_c = \varepsilon (K - 1) / K": smoothed,
    r"\varepsilon = 1/3": dict(
        varepsilon=lambda: optimize.brentq(
            lambda e: led_by(best_gap(e, 4), 4)[0] - 0.75, 0.1, 0.9, xtol=1e-13
        )
    ),
    r"1 - \varepsilon + \varepsilon/10 = 0.9": ninth,
    r"\varepsilon = 1/9": ninth,
}

CONDITIONS = ["y = p", r"\beta = 1/T", "u = s"]
UNREAD = {}
