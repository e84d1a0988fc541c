"""What the symbols of the chapter on BCE mean."""

import numpy as np
from scipy import optimize, special, stats

from lossutils.losses import BCELoss, BCEWithLogitsLoss
from tests.book.formulas.sheet import Function, bit, positive, real, unit
from tests.book.meanings import one

CHAPTER = dict(
    x=real("n"),
    p=lambda z: special.expit(z),
    L=lambda p, y: one(BCELoss())(p, y),
    u=lambda z, y: (1 - 2 * y) * z,
)

batch = dict(
    X=real("m", "n", scale=1),
    y=bit("m"),
    z=lambda X, w, b: X @ w + b,
    L=lambda p, y: BCELoss()(p, y),
)


def two_clouds(x):
    """Return the probability of class 1 between normal clouds around (2, 2) and (-2, -2)."""
    f0, f1 = (stats.multivariate_normal.pdf(x, [mean, mean]) for mean in (-2, 2))
    return f1 / (f0 + f1)


def error_at(t, d):
    """Return the share of mistakes if class 1 is said from the probability t on.

    The logit of a point is normal around ±d²/2, with the standard deviation d.
    """
    cut = special.logit(t)
    return (stats.norm.cdf(cut, d * d / 2, d) + stats.norm.sf(cut, -d * d / 2, d)) / 2


TAGS = {
    "BCE-mean": batch,
    "BCE-grad-matrix": batch,
    "BCE-dp": dict(p=unit()),
    "BCE-curvature": dict(tight="it is positive, and goes to 0 as z grows"),
    "posterior": dict(n=2, P=Function(lambda y, x: two_clouds(x) if y else 1 - two_clouds(x))),
    "Bayes-error": dict(d=lambda: np.linalg.norm([2 - -2, 2 - -2])),
    "threshold-error": dict(
        d=positive(),
        t=unit(),
        c=lambda t: special.logit(t),
        error=lambda d: Function(lambda t: error_at(t, d)),
    ),
    "cost-threshold": dict(
        c_FP=positive(),
        c_FN=positive(),
        t_star=lambda c_FP, c_FN: optimize.brentq(lambda p: (1 - p) * c_FP - p * c_FN, 0, 1),
    ),
    "BCE-stable": dict(L=lambda z, y: one(BCEWithLogitsLoss())(z, y)),
}

INLINE = {}
CONDITIONS = []
UNREAD = {}
