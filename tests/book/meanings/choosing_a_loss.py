"""What the symbols of the chapter on choosing a loss mean."""

from functools import cache

import numpy as np
from scipy import optimize, special

from lossutils.losses import (
    BCEWithLogitsLoss,
    HingeLoss,
    MAELoss,
    MSELoss,
    SigmoidMSELoss,
    SquaredHingeLoss,
)
from tests.book.formulas.sheet import Function, choice, interval, positive, real, sign, unit
from tests.book.meanings import minimiser, one

LOSSES = {
    "logistic": BCEWithLogitsLoss(),
    "hinge": HingeLoss(),
    "squared hinge": SquaredHingeLoss(),
    "sigmoid MSE": SigmoidMSELoss(),
    "squared error": MSELoss(),
}
BITS = ("logistic", "sigmoid MSE")
"""Losses whose labels are 0 and 1; the others have -1 and +1."""


def label(name, y):
    return (y + 1) / 2 if name in BITS else y


def loss_of(name, s, y):
    """Return the loss of a score, for a label -1 or +1."""
    return one(LOSSES[name])(s, label(name, y))


def slope_of(name, s, y):
    """Return how the loss changes with the margin y s: the score changes by y for each unit."""
    return y * LOSSES[name].grad([s], [label(name, y)])[0]


def sigmoid_mae(s, y):
    return one(MAELoss())(special.expit(s), (y + 1) / 2)


def best_of(name):
    """Return the score of the least mean loss, as a function of the probability of +1."""
    labels = [label(name, 1), label(name, -1)]

    def best(eta):
        shares = [eta, 1 - eta]
        return minimiser(lambda s: LOSSES[name]([s, s], labels, sample_weight=shares), -6, 6)

    return best


def best_weighted(eta, c_1, c_0):
    weights = [c_1 * eta, c_0 * (1 - eta)]
    return minimiser(lambda s: LOSSES["logistic"]([s, s], [1, 0], sample_weight=weights), -8, 8)


@cache
def balanced_share():
    """Return the probability at which a class that counts 19 times gets the best score 0."""
    return optimize.brentq(lambda eta: best_weighted(eta, 19, 1), 0.01, 0.5)


@cache
def hardest():
    """Return the margin at which sigmoid MSE pulls hardest."""
    return minimiser(lambda t: slope_of("sigmoid MSE", t, 1), -3, 1)


def best_of_boosting(eta):
    return minimiser(lambda s: eta * np.exp(-s) + (1 - eta) * np.exp(s), -6, 6)


def line(of, name):
    return lambda s, y: of(name, s, y)


def table(of):
    """Return the meaning of each line of a table: a function of its name, the score and label."""
    return {name.replace(" ", "_"): line(of, name) for name in LOSSES}


def least_squares(X, y, share):
    """Return w and b where each example has both labels, of which the false one has a share."""
    tilde_X = np.c_[X, np.ones(len(X))]
    roots = np.sqrt(np.repeat([1 - share, share], len(X)))
    targets = np.concatenate([y, -y])
    theta = np.linalg.lstsq(roots[:, None] * np.tile(tilde_X, (2, 1)), roots * targets)[0]
    return theta[:-1], theta[-1]


def pair_sum(name, s, y):
    return loss_of(name, s, y) + loss_of(name, -s, y)


CHAPTER = dict(
    s=real(),
    y=sign(),
    t=lambda s, y: y * s,
    eta=unit(),
    rho=interval(0.05, 0.45),
    c_1=positive(),
    c_0=positive(),
    # a formula for every loss of the margin is tried with all five
    number=choice(*range(len(LOSSES))),
    loss=lambda number: list(LOSSES)[int(number)],
    ell=lambda loss: Function(lambda t: loss_of(loss, t, 1)),
    s_star=lambda eta, case: best_of(case)(eta),
)

noisy = dict(
    X=real("m", "n"),
    y=sign("m"),
    fit=lambda X, y, rho: least_squares(X, y, rho),
    w_rho=lambda fit: fit[0],
    b_rho=lambda fit: fit[1],
    clean=lambda X, y: least_squares(X, y, 0),
    w_0=lambda clean: clean[0],
    b_0=lambda clean: clean[1],
)

TAGS = {
    "margin-losses": table(loss_of),
    "margin-slopes": table(slope_of),
    "pair-sums": table(pair_sum)
    | dict(sigmoid_MAE=lambda s, y: sigmoid_mae(s, y) + sigmoid_mae(-s, y)),
    "first-step": dict(
        X=real("m", "n"),
        x=lambda X: X,
        y=sign("m"),
        w=lambda n: np.zeros(int(n)),
        L=lambda X, w, y, loss: LOSSES[loss](X @ w, label(loss, y)),
    ),
    "noisy-least-squares": noisy,
    "weighted-log-odds": dict(s_star=best_weighted),
}

too_right = dict(
    s=optimize.brentq(
        lambda s: loss_of("squared error", s, 1) - loss_of("squared error", 4, 1), -9, 1
    )
)
boosting = dict(s=best_of_boosting, s_star=best_of_boosting)
score_zero = dict(eta=lambda: balanced_share())

INLINE = {
    r"-\sigma(-s) = p - 1": dict(p=lambda s: special.expit(s)),
    r"\sigma(s) = \eta": dict(s=best_of("logistic")),
    r"-1 \le s \le 1": dict(
        s=best_of("squared hinge"),
        tight=dict(
            s=lambda sheet: np.array([best_of("squared hinge")(p) for p in (1e-8, 1 - 1e-8)])
        ),
    ),
    r"(1 - 4)^2 = 9 = (1 - s)^2": too_right,
    r"s = -2": too_right,
    r"-\eta e^{-s} + (1 - \eta) e^{s} = 0": boosting,
    r"s^* = \frac12 \log \frac{\eta}{1 - \eta}": boosting,
    r"0 = \log\frac{\eta}{1 - \eta} + \log 19": score_zero,
    r"\eta = 0.05": score_zero,
    "1 - q = 2 q": dict(q=lambda: special.expit(hardest())),
}
CONDITIONS = []
UNREAD = {}
