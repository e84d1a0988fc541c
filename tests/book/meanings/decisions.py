"""What the symbols of the chapter on decisions mean."""

from functools import cache
from itertools import product

import numpy as np
from scipy import integrate, optimize, special, stats

from lossutils.losses import BCEWithLogitsLoss, CrossEntropyLoss, DiceLoss, FocalLoss
from lossutils.train import fit_linear
from tests.book.formulas.sheet import Function, bit, integer, interval, positive, real, unit
from tests.book.meanings import minimiser, one
from tests.book.meanings.decisions_assignment import ASSIGNMENT

# ---- costs ---------------------------------------------------------------------------------------


def price(p, c_FP, c_FN):
    """Return the least cost on average of an answer yes or no."""
    return min((1 - p) * c_FP, p * c_FN)


def dearest(c_FP, c_FN):
    """Return the highest fee at which some probability is worth a question."""
    at = minimiser(lambda p: -price(p, c_FP, c_FN), 0, 1)
    return price(at, c_FP, c_FN)


def end(c_A, c_FP, c_FN, side):
    """Return the least or the largest probability that is worth a question."""
    best = minimiser(lambda p: -price(p, c_FP, c_FN), 0, 1)
    other = 0.0 if side == "low" else 1.0
    return optimize.brentq(lambda p: price(p, c_FP, c_FN) - c_A, other, best, xtol=1e-15)


# ---- thresholds ----------------------------------------------------------------------------------


def areas(cut, share):
    """Return the shares of hits and of alarms beyond a cut, for two normal curves."""
    hits = share * integrate.quad(stats.norm.pdf, cut, 15, args=(1,))[0]
    return hits, hits + (1 - share) * integrate.quad(stats.norm.pdf, cut, 15, args=(-1,))[0]


def f1(cut, share):
    hits, alarms = areas(cut, share)
    return stats.hmean([hits / alarms, hits / share])


@cache
def best_cut(share):
    return minimiser(lambda cut: -f1(cut, share), -8, 4)


def posterior(cut, share):
    one_, zero = share * stats.norm.pdf(cut, 1), (1 - share) * stats.norm.pdf(cut, -1)
    return one_ / (one_ + zero)


# ---- weights -------------------------------------------------------------------------------------


@cache
def best_weighted(p, c):
    """Return the probability that the weighted loss wants where the truth is p."""
    loss = BCEWithLogitsLoss(pos_weight=c)
    return special.expit(minimiser(lambda z: loss([z, z], [1, 0], sample_weight=[p, 1 - p])))


def true_probability(p_c, c):

    def excess(p):
        return best_weighted(p, float(c)) - p_c

    return optimize.brentq(excess, 1e-4, 1 - 1e-4, xtol=1e-13)


@cache
def rest(B, pi, c):
    """Return where training on batches comes to rest, over all batches that there are."""
    batches = [np.array(labels) for labels in product([0, 1], repeat=int(B))]
    chances = [np.prod(np.where(labels, pi, 1 - pi)) for labels in batches]
    loss = CrossEntropyLoss(weight=(1.0, c))

    def pull(z):
        scores = np.tile([0.0, z], (int(B), 1))
        slopes = [loss.grad(scores, labels)[:, 1].sum() for labels in batches]
        return np.dot(chances, slopes)

    return special.expit(optimize.brentq(pull, -12, 12, xtol=1e-14))


# ---- focal loss ----------------------------------------------------------------------------------


def focal_size(p, gamma):
    """Return how hard the focal loss pulls an example of class 1 to which p is given."""
    return -FocalLoss(gamma=gamma).grad([special.logit(p)], [1])[0]


def focal_truth(p, gamma):
    """Return the share of class 1 at which p is best."""

    def pull(eta):
        z = special.logit(p)
        return FocalLoss(gamma=gamma).grad([z, z], [1, 0], sample_weight=[eta, 1 - eta]).sum()

    return optimize.brentq(pull, 0, 1, xtol=1e-15)


# ---- one softmax, or a sigmoid for each class ----------------------------------------------------


@cache
def trained_sigmoids():
    """Return the probabilities of three sigmoids, trained to the end on 60 examples."""
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(60, 2)), rng.integers(0, 3, 60)
    fit = fit_linear(BCEWithLogitsLoss(), X, np.eye(3)[labels], lr=10.0, steps=3000)
    return special.expit(fit.scores(X))


CHAPTER = dict(
    c_FP=positive(),
    c_FN=positive(),
    c=interval(0.3, 8),
    pi=unit(),
    p=unit(),
    gamma=interval(0.2, 4),
    varepsilon=interval(0.01, 2),
    precision=lambda pi, cut: areas(cut, pi)[0] / areas(cut, pi)[1],
    cut=real(scale=1),
    r=lambda cut: stats.norm.sf(cut, 1),
    a=lambda cut: stats.norm.sf(cut, -1),
)

band = dict(
    share=unit(),
    c_A=lambda share, c_FP, c_FN: share * dearest(c_FP, c_FN),
    where=lambda p, c_A, c_FP, c_FN: c_A < price(p, c_FP, c_FN),
    tight=dict(
        p=lambda s: np.array(
            [end(s["c_A"], s["c_FP"], s["c_FN"], side) for side in ("low", "high")]
        )
    ),
    points=40,
)
weighted = dict(p_c=lambda p, c: best_weighted(float(p), float(c)))
batch = dict(
    m=6,
    z=real("m"),
    y=bit("m"),
    w=lambda y, c: np.where(y == 1, c, 1.0),
    l=lambda z, y: BCEWithLogitsLoss()(z, y, reduction="none"),
    L_pos=lambda z, y, c: BCEWithLogitsLoss(pos_weight=float(c))(z, y),
    L_class=lambda z, y, c: CrossEntropyLoss(weight=(1.0, float(c)))(
        np.stack([0 * z, z], axis=1), y.astype(int)
    ),
)
margin = dict(
    t=real(),
    q=lambda t: special.expit(t),
    ell=lambda gamma: Function(lambda t: one(FocalLoss(gamma=gamma))(t, 1.0), at="t"),
)
mask = dict(
    z=real("K"),
    p=lambda z: special.expit(z),
    y=bit("K"),
    l=lambda p, y, varepsilon: one(DiceLoss(smooth=varepsilon))(special.logit(p), y),
)
truth = dict(
    g=lambda gamma: Function(lambda p: focal_size(p, gamma)),
    eta=lambda p, gamma: focal_truth(p, gamma),
)

TAGS = {
    "ask-band": band,
    "dearest-question": dict(c_star=dearest),
    "F1-threshold": dict(
        t_star=lambda pi: posterior(best_cut(float(pi)), pi),
        F_star=lambda pi: f1(best_cut(float(pi)), pi),
        pi=interval(0.05, 0.6),
    ),
    "weighted-probability": weighted,
    "unweighted-probability": dict(p_c=unit(), p=true_probability),
    "weighted-threshold": dict(t=lambda c: true_probability(0.5, c)),
    "two-means": batch,
    "batch-rest": dict(
        B=integer(1, 4),
        pi=interval(0.05, 0.6),
        P=lambda B, pi: Function(lambda n: stats.binom.pmf(n, B, pi)),
        p_B=lambda B, pi, c: rest(int(B), float(pi), float(c)),
    ),
    "focal": margin,
    "focal-slope": margin,
    "focal-truth": truth,
    "dice": mask,
    "row-sum": dict(m=60, K=3, p=lambda: trained_sigmoids()),
    "dice-empty": mask | dict(y=lambda K: np.zeros(int(K))),
}

INLINE = {
    r"c\,p = 1 - p": dict(p=lambda c: true_probability(0.5, c)),
    r"\eta\, g(p) = (1 - \eta)\, g(1 - p)": truth,
}
CONDITIONS = ["q = p", "q = 1 - p", r"0 < \gamma < 1"]
UNREAD = {}

DOCSTRINGS = {
    "FocalLoss": dict(
        z=real("K"),
        y=unit("K"),
        l=lambda z, y, gamma: one(FocalLoss(gamma=gamma))(z, y),
        x=real(),
        phi=lambda gamma: Function(lambda x: FocalLoss(gamma=gamma).grad([x], [0])[0]),
    ),
    "DiceLoss": mask | dict(l=lambda z, y, varepsilon: one(DiceLoss(smooth=varepsilon))(z, y)),
}

INLINE |= ASSIGNMENT
