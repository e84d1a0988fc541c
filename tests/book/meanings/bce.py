"""What the symbols of the chapter on BCE mean."""

import inspect

import numpy as np
from scipy import integrate, optimize, special, stats

from lossutils.data import gaussian_clouds
from lossutils.linear import linear_value_and_grad
from lossutils.losses import BCELoss, BCEWithLogitsLoss
from lossutils.train import Fit
from tests.book.formulas.sheet import Function, bit, choice, integer, positive, real, unit
from tests.book.meanings import minimiser, one

MEANS = inspect.signature(gaussian_clouds).parameters["means"].default
LABELS = [0, 1]


def two_clouds(x):
    """Return the densities of the two clouds at x."""
    return np.array([stats.multivariate_normal.pdf(x, mean) for mean in MEANS])


def where_p_is(t, d):
    """Return where the probability of class 1 is t, between normal curves around -d/2 and d/2."""

    def too_sure(u):
        f0, f1 = stats.norm.pdf([u + d / 2, u - d / 2])
        return f1 - t * (f0 + f1)

    return optimize.brentq(too_sure, -d / 2 - 6 / d, d / 2 + 6 / d, xtol=1e-14)


def error_at(t, d):
    """Return the share of mistakes if class 1 is said from the probability t on."""
    u = where_p_is(t, d)
    return (stats.norm.cdf(u - d / 2) + stats.norm.sf(u + d / 2)) / 2


def cheapest_threshold(c_FP, c_FN):
    """Return the threshold with the least cost where all calibrated p are equally frequent."""

    def cost(t):
        false_alarms = integrate.quad(lambda p: (1 - p) * c_FP, t, 1)[0]
        misses = integrate.quad(lambda p: p * c_FN, 0, t)[0]
        return false_alarms + misses

    return minimiser(cost, 0, 1)


def first_step(X, y, rate=1.0, omega=1.0):
    """Return w and b after a step of descent from 0; class 1 has the weight omega."""
    X, weights = np.array(X), np.where(y, omega, 1.0)
    loss, w = BCEWithLogitsLoss(), np.zeros(np.shape(X)[1])
    _, *gradient = linear_value_and_grad(loss, X, y, w, 0.0, sample_weight=weights)
    # The package divides by the sum of the weights, the assignment by the number of examples.
    return [-rate * weights.mean() * part for part in gradient]


CHAPTER = dict(
    x=real("n"),
    y=choice(0, 0.3, 1),  # one of three doctors may say "malignant"
    p=lambda z: special.expit(z),
    L=lambda p, y: one(BCELoss())(p, y),
    u=lambda z, y: (1 - 2 * y) * z,
)

batch = dict(
    X=real("m", "n", scale=1),
    y=choice(0, 0.3, 1, shape=("m",)),
    z=lambda X, w, b: Fit(w, b, None).scores(X),
    L=lambda p, y: BCELoss()(p, y),
)
clouds = dict(
    n=2,
    mu_0=lambda: np.array(MEANS[0]),
    mu_1=lambda: np.array(MEANS[1]),
    d=lambda mu_0, mu_1: np.linalg.norm(mu_1 - mu_0),
)
threshold = dict(
    d=positive(),
    t=unit(),
    c=lambda t: optimize.brentq(lambda z: special.expit(z) - t, -9, 9),
)
costs = dict(c=unit(), c_FP=positive(), c_FN=positive(), t_star=cheapest_threshold)

TAGS = {
    "BCE-mean": batch,
    "BCE-grad-matrix": batch,
    "BCE-dp": dict(p=unit()),
    "BCE-curvature": dict(tight="it is positive, and goes to 0 as z grows"),
    "posterior": clouds
    | dict(P=Function(lambda y, x: two_clouds(x)[LABELS.index(y)] / two_clouds(x).sum())),
    "Bayes-error": clouds,
    "threshold-error": threshold | dict(error=lambda d: Function(lambda t: error_at(t, d))),
    "cost-threshold": costs,
    "BCE-stable": dict(y=bit(), L=lambda z, y: one(BCEWithLogitsLoss())(z, y)),
}

# Bayes' rule, with what the chapter then derives from it.
bayes = dict(
    n=2,
    P=Function(lambda y, x: special.expit(4 * np.sum(x) * (-1, 1)[LABELS.index(y)])),
    f_0=lambda x: two_clouds(x)[0],
    f_1=lambda x: two_clouds(x)[1],
)
hits_and_misses = dict(
    h=integer(10, 20),
    a=integer(1, 9),
    f=integer(1, 9),
    F_1=lambda h, a, f: stats.hmean([h / (h + a), h / (h + f)]),  # of precision and recall
)
soft_label = dict(z=lambda: minimiser(lambda z: BCEWithLogitsLoss()([z], [1 / 3])))
exercise_3 = dict(x=np.array([1.0, 2.0]), y=1.0, w=np.zeros(2), b=0.0)
after_a_step = dict(zip("wb", first_step([[1.0], [-1.0]], [1, 0], rate=2, omega=3), strict=True))


def weighted_optimum(q):
    """Return the p that is best for a share q of class 1, of weight 3."""
    weights = np.array([1 - q, 3 * q])
    loss = BCEWithLogitsLoss()
    return special.expit(minimiser(lambda z: loss([z, z], LABELS, sample_weight=weights)))


INLINE = {
    r"\sigma(z) = \frac12": dict(z=0.0),
    "z = Xw + b": batch,
    r"p = \sigma(w u + b)": dict(
        u=real(1), w=real(1), p=lambda u, w, b: stats.logistic.cdf(Fit(w, b, None).scores(u))
    ),
    r"P(y = 1 \mid x) = f_1 / (f_0 + f_1)": bayes,
    r"\mu_1 = -\mu_0 = (2, 2)": clouds,
    r"d = 4\sqrt{2}": clouds,
    r"c = \log\frac{t}{1 - t}": threshold,
    r"F_1 = \frac{2h}{2h + a + f}": hits_and_misses,
    r"(1 - p)\, c_{FP} < p\, c_{FN}": costs | dict(p=unit(), where=lambda p, t_star: p > t_star),
    r"t^* = \pi": costs | dict(pi=unit(), c_FP=lambda pi: 0.7 / (1 - pi), c_FN=lambda pi: 0.7 / pi),
    # On the line both densities are equal.
    "x_1 + x_2 = 0": dict(
        v=real(),
        x=lambda v: [v, optimize.brentq(lambda x: np.diff(np.log(two_clouds([v, x])))[0], -9, 9)],
    ),
    r"\sigma(z) = 1/3": soft_label,
    r"z = \log\frac{1/3}{2/3} = -\log 2": soft_label,
    "p - y = -1/2": exercise_3,
    "w = (0.5, 1)": dict(w=first_step([[1.0, 2.0]], [1])[0]),
    r"""L = -\frac{1}{m} \sum_{i=1}^{m} \bigl[\, y_i \log \sigma(z_i)"""
    r""" + (1 - y_i) \log \sigma(-z_i) \,\bigr]""": batch,
    r"""L_\omega = -\frac{1}{m} \sum_{i=1}^{m} \bigl[\, \omega\, y_i \log p_i"""
    r""" + (1 - y_i) \log(1 - p_i) \,\bigr], \qquad p = \sigma(Xw + b)""": batch
    | dict(
        y=bit("m"),
        omega=positive(),
        L_omega=lambda p, y, omega: (
            BCELoss()(p, y, sample_weight=np.where(y, omega, 1.0)) * np.where(y, omega, 1.0).mean()
        ),
    ),
    "w = 2": after_a_step,
    "b = 1": after_a_step,
    r"p = \frac12": dict(p=weighted_optimum(1 / 4)),
    r"p = \frac34": dict(p=weighted_optimum(1 / 2)),
}
CONDITIONS = ["p > t"]
UNREAD = {}
DOCSTRINGS = {
    "BCELoss": dict(p=unit("K"), y=unit("K"), l=lambda p, y: one(BCELoss())(p, y)),
    "BCEWithLogitsLoss": dict(
        z=real("K"), y=unit("K"), l=lambda z, y: one(BCEWithLogitsLoss())(z, y)
    ),
}
