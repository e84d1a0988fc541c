"""What the symbols of the assignment on decisions mean.

`tests.book.meanings.decisions` adds them to its own: ``INLINE = {...} | ASSIGNMENT``.
"""

import numpy as np
from scipy import stats

from lossutils.losses import BCEWithLogitsLoss, CrossEntropyLoss
from tests.book.formulas.sheet import Function, bit, index, integer, interval, positive, real, unit
from tests.book.meanings import minimiser, one


def entropy(s, y):
    """Return the cross-entropy of each row; classes are counted from 1."""
    return CrossEntropyLoss()(s, np.asarray(y, int) - 1, reduction="none")


def of_copies(s, y, omega):
    """Return the plain mean if each example is there as often as the weight of its class says."""
    copies = omega[y.astype(int) - 1].astype(int)
    return entropy(np.repeat(s, copies, axis=0), np.repeat(y, copies)).mean()


def f1(p, y, weights=1.0):
    """Return the harmonic mean of precision and recall, of pixels or cases with weights."""
    found = np.sum(weights * p * y)
    return stats.hmean([found / np.sum(weights * p), found / np.sum(weights * y)])


def dice(p, y, epsilon):
    """Return the mean loss; epsilon is a pixel of half its weight, which all say is marked."""
    weights = np.r_[np.ones(p.shape[1]), epsilon / 2]
    return np.mean([1 - f1(np.r_[q, 1], np.r_[t, 1], weights) for q, t in zip(p, y, strict=True)])


def focal(z, y, gamma):
    """Return the cross-entropy times a power of its slope, of one example."""
    loss = BCEWithLogitsLoss()
    return one(loss)(z, y) * abs(loss.grad([z], [y])[0]) ** gamma


def mean_of_four(gap, of_gap, low):
    """Return the best number for four equal rows, of which three are of class 1."""
    rows, labels = np.repeat([[1.0, 0.0]], 4, axis=0), [1, 1, 1, 2]
    return minimiser(lambda v: entropy(of_gap(gap, v) * rows, labels).mean(), low, 20)


several_classes = dict(s=real("m", "K"), y=index("K", "m"))

ASSIGNMENT = {
    r"r_{ia} = (1 - p_i)\, u_a + p_i\, v_a": dict(
        A=integer(2, 4),
        a=index("A"),
        p=unit("m"),
        u=positive("A"),
        v=positive("A"),
        r=lambda p, u, v: np.array([np.average([u, v], axis=0, weights=[1 - q, q]) for q in p]),
    ),
    r"L = \frac{\sum_{i=1}^{m} \omega_{y_i}\, l_i}{\sum_{i=1}^{m} \omega_{y_i}}, "
    r"\qquad l_i = \log \sum_{k=1}^{K} e^{s_{ik}} - s_{i y_i}": several_classes
    | dict(
        k=index("K"),
        copies=integer(1, 3),
        first=integer(1, 2),
        omega=lambda K, copies, first: np.r_[first, np.full(int(K) - 2, 5.0), first + copies],
        l=entropy,
        L=of_copies,
    ),
    r"F_1 = \frac{2\, T}{A + P}": dict(
        p=unit("m"),
        y=unit("m"),
        t=lambda p: np.median(p),
        A=lambda p, t: np.count_nonzero(p >= t),
        P=lambda y: y.sum(),
        T=lambda p, y, t: y[p >= t].sum(),
        F_1=lambda p, y, t: f1(p >= t, y),
    ),
    r"L = \frac{1}{m} \sum_{i=1}^{m} \left( 1 - \frac{2 \sum_{j=1}^{n} p_{ij}\, y_{ij}"
    r" + \varepsilon}{\sum_{j=1}^{n} p_{ij} + \sum_{j=1}^{n} y_{ij} + \varepsilon} \right)": dict(
        n=integer(2, 4),
        j=index("n"),
        p=unit("m", "n"),
        y=bit("m", "n"),
        varepsilon=positive(),
        L=lambda p, y, varepsilon: dice(p, y, varepsilon),
    ),
    r"l = -(1 - p_t)^\gamma\, \log p_t": dict(
        z=real(),
        y=bit(),
        gamma=positive(),
        p_t=lambda z, y: stats.logistic.cdf(z if y else -z),
        l=focal,
    ),
    r"L(T) = \frac{1}{m} \sum_{i=1}^{m} \Bigl[\, \log \sum_{k=1}^{K} e^{s_{ik} / T}"
    r" - \frac{s_{i y_i}}{T} \,\Bigr]": several_classes
    | dict(
        k=index("K"),
        T=positive(),
        L=lambda s, y: Function(lambda T: entropy(s / T, y).mean()),
    ),
    r"p = \sigma(z) = 1 / (1 + e^{-z})": dict(z=real(), p=lambda z: stats.logistic.cdf(z)),
    r"\beta = 1/T": dict(
        gap=interval(1, 4),
        T=lambda gap: mean_of_four(gap, lambda gap, T: gap / T, 0.2),
        beta=lambda gap: mean_of_four(gap, lambda gap, beta: gap * beta, 0.05),
    ),
}
