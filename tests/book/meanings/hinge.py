"""What the symbols of the chapter on the hinge mean."""

from functools import cache

import numpy as np
from scipy import optimize, special

from lossutils.linear import linear_value_and_grad
from lossutils.losses import BCEWithLogitsLoss, HingeLoss, MulticlassHingeLoss, SquaredHingeLoss
from lossutils.train import Fit
from tests.book.formulas.sheet import (
    Function,
    choice,
    index,
    integer,
    interval,
    positive,
    real,
    sign,
    slope,
    unit,
)
from tests.book.meanings import minimiser, one


@cache
def kinks():
    """Return by label where the hinge bends: there its second difference has its peak."""
    loss = one(HingeLoss())
    return {
        y: minimiser(lambda s, y=y: 2 * loss(s, y) - loss(s + 1, y) - loss(s - 1, y), -5, 5)
        for y in (-1, 1)
    }


def kink(y):
    return kinks()[int(y)]


@cache
def hinge_at(s, y):
    return one(HingeLoss())(s, y)


def best_score(loss, eta):
    """Return the score of the least mean loss, where +1 has the probability eta."""
    shares = [eta, 1 - eta]
    return minimiser(lambda s: loss([s, s], [1, -1], sample_weight=shares), -3, 3)


@cache
def share_of_half():
    """Return the probability of +1 at which the best score of the squared hinge is a half."""
    return optimize.brentq(lambda eta: best_score(SquaredHingeLoss(), eta) - 0.5, 0.1, 0.9)


def crammer_singer(s, y, margin=1.0):
    return MulticlassHingeLoss(margin)(s, y, reduction="none")


def weston_watkins(s, y, margin=1.0):
    return MulticlassHingeLoss(margin, "weston-watkins")(s, y, reduction="none")


def violations(s, y, margin=1.0):
    """Return by how much the class y leads each class too little: the binary hinge of its lead."""
    return HingeLoss(margin)(s[int(y) - 1] - s, np.ones(len(s)), reduction="none")


# ---- support vector machines ---------------------------------------------------------------------


def lowest(X, y, lam, demands):
    """Return the minimum of the mean hinge plus the penalty: its value, w and b.

    It is found by quadratic programming over the weights, the bias and a slack for each example:
    y s plus the slack must be at least the demand on the example, which is 1 for the hinge.
    """
    m, n = X.shape
    rows = np.c_[y[:, None] * X, y, np.eye(m)]
    found = optimize.minimize(
        lambda v: lam / 2 * v[:n] @ v[:n] + v[n + 1 :].mean(),
        np.r_[np.zeros(n + 1), np.ones(m)],
        jac=lambda v: np.r_[lam * v[:n], 0, np.full(m, 1 / m)],
        bounds=[(None, None)] * (n + 1) + [(0, None)] * m,
        constraints={"type": "ineq", "fun": lambda v: rows @ v - demands, "jac": lambda v: rows},
        method="SLSQP",
        options={"ftol": 1e-18, "maxiter": 200},
    )
    return found.fun, found.x[:n], found.x[n]


def pulls(X, y, lam, h=1e-3):
    """Return how steeply the minimum rises with the demand on each example, times m.

    This is t: 1 if the loss of the example rises as fast as the demand, 0 if it stays 0.
    """
    ones, steps = np.ones(len(y)), h * np.eye(len(y))
    above, below = (
        [lowest(X, y, lam, ones + sign * step)[0] for step in steps] for sign in (1, -1)
    )
    return len(y) * np.subtract(above, below) / (2 * h)


@cache
def trained(number):
    """Return one of some overlapping data sets of six points, with w, b and t at its minimum."""
    rng = np.random.default_rng(number)
    y = np.r_[1.0, -1.0, rng.choice([-1.0, 1.0], 4)]
    X = rng.normal(size=(6, 2)) * 1.5 + 0.5 * y[:, None]
    lam = rng.uniform(0.05, 0.5)
    return dict(X=X, y=y, lam=lam, fit=lowest(X, y, lam, np.ones(6)), t=pulls(X, y, lam))


def widest(X, y):
    """Return half the width of the widest street, by a search over all its directions."""

    def narrowness(angle):
        heights = X @ [np.cos(angle), np.sin(angle)]
        return max(heights[y < 0]) - min(heights[y > 0])

    return -narrowness(minimiser(narrowness, 0, 2 * np.pi)) / 2


fitted = dict(
    fit=lambda X, y, lam: lowest(X, y, lam, np.ones(len(y))),
    w=lambda fit: fit[1],
    b=lambda fit: fit[2],
    x=lambda X: X,
    # rounded, since the program reaches the edge of the street only up to some 1e-12
    s=lambda X, w, b: np.round(X @ w + b, 9),
)

overlapping = fitted | dict(
    number=integer(0, 5),
    m=6,
    known=lambda number: trained(int(number)),
    X=lambda known: known["X"],
    y=lambda known: known["y"],
    lam=lambda known: known["lam"],
    fit=lambda known: known["fit"],
    t=lambda known: known["t"],
)

separable = fitted | dict(
    n=2,
    y=lambda m: np.where(np.arange(m) < 3, 1.0, -1.0),
    noise=real("m", "n", scale=1),
    X=lambda noise, y: noise + 1.5 * y[:, None],
    lam=1e-3,  # so weak that no point may stand in the street
    margin=widest,
    where=lambda margin: margin > 0.2,
)


def mean_and_penalty(loss, X, y, w, b, lam):
    return linear_value_and_grad(loss, X, y, w, b, l2=lam)[0]


def objective(x, y, lam):
    """Return the mean hinge plus the penalty, for one feature without a bias."""
    return lambda w: HingeLoss()(w * x, y) + lam / 2 * w**2


def same_minimum(x, y, w):
    """Return the C for which w²/2 + C times the sum of the hinges is flat at w."""

    def total(v, C):
        return v**2 / 2 + C * HingeLoss()(v * x, y, reduction="sum")

    return optimize.brentq(lambda C: slope(lambda h: total(w + h, C), 1e-4), 0.001, 100)


@cache
def for_forty_points():
    """Return the C that belongs to the penalty 0.05, on 40 points."""
    x = np.linspace(-2, 3, 40)
    y = np.where(np.sin(7 * x) + x > 0, 1.0, -1.0)
    return same_minimum(x, y, minimiser(objective(x, y, 0.05)))


one_weight = dict(
    x=real("m"),
    y=sign("m"),
    lam=interval(0.2, 2),
    w=lambda x, y, lam: minimiser(objective(x, y, lam)),
    C=same_minimum,
    where=lambda x, y, w: min(abs(1 - y * w * x)) > 0.005,
)

mirrored = dict(
    x=np.array([-2.0, -1.0, 1.0, 2.0]),
    y=np.array([-1.0, -1.0, 1.0, 1.0]),
    w=lambda x, y, lam: minimiser(objective(x, y, lam), 0.1, 3),
)

two_points = fitted | dict(
    X=np.array([[0.0, 0.0], [3.0, 4.0]]), y=np.array([-1.0, 1.0]), lam=0.01, c=lambda w: w[0] / 3
)

# ---- the chapter ---------------------------------------------------------------------------------

CHAPTER = dict(
    s=real(),
    y=sign(),
    L=lambda s, y: one(HingeLoss())(s, y),
    gamma=positive(),
    eta=unit(),
    p=unit(),
    rho=interval(0.05, 0.45),
    # from the true labels to the seen ones: of -1 the share rho is turned, of +1 none
    tilde_p=lambda p, rho: (np.array([1 - p, p]) @ [[1 - rho, rho], [0, 1]])[1],
)

batch = dict(
    X=real("m", "n", scale=1),
    x=lambda X: X,
    y=sign("m"),
    s=lambda X, w, b: Fit(w, b, None).scores(X),
    L=lambda s, y: HingeLoss()(s, y),
)

several_classes = dict(s=real("K"), y=index("K"))

batch_of_classes = dict(
    s=real("m", "K"),
    y=index("K", "m"),
    v=lambda s, y: np.array([violations(*row) for row in zip(s, y, strict=True)]),
)


penalised = batch | dict(
    lam=positive(),
    clause_1=lambda X, y, w, b, lam: mean_and_penalty(HingeLoss(), X, y, w, b, lam),
    clause_2=lambda X, y, w, b, lam: mean_and_penalty(BCEWithLogitsLoss(), X, y > 0, w, b, lam),
)


TAGS = {
    "hinge-subgradient": dict(
        L=lambda y: Function(lambda s: hinge_at(float(s), int(y))),
        s_0=kink,
        t=unit(),
        # multiples of 1/80, for the search of t in steps of 1/80
        g=choice(*(np.array([-100, -81, -80, -56, -17, -1, 0, 1, 17, 56, 80, 81, 100]) / 80)),
    ),
    # with a term in the sum, and no kink within the steps of the derivative
    "hinge-grad-w": batch | dict(where=lambda s, y: any(y * s < 1) and min(abs(1 - y * s)) > 0.1),
    "point-distance": dict(
        way=lambda x, w, b: np.linalg.lstsq(w[None], [-b - w @ x])[0],
        right=lambda x, w, b, y: (w @ x + b > 0) == (y > 0),
        d=lambda way, right: np.linalg.norm(way) * (1 if right else -1),
    ),
    "margin": separable,
    "C-lambda": one_weight,
    "support-vectors": overlapping,
    "squared-hinge-grad": dict(L=lambda s, y: one(SquaredHingeLoss())(s, y)),
    "Crammer-Singer": several_classes | dict(L=lambda s, y: crammer_singer([s], [int(y) - 1])),
    "Weston-Watkins": several_classes | dict(L=lambda s, y: weston_watkins([s], [int(y) - 1])),
    "hinge-two-classes": dict(
        s_0=real(), s_1=real(), L=lambda s_0, s_1, y: crammer_singer([[s_0, s_1]], [int(y > 0)])
    ),
    "Crammer-Singer-grad": several_classes
    | dict(
        L=lambda s, y: crammer_singer([s], [int(y) - 1]),
        j_star=lambda s, y: max(set(range(1, len(s) + 1)) - {y}, key=lambda j: s[j - 1]),
        where=lambda L: L > 0,
    ),
    "Weston-Watkins-grad": several_classes | dict(L=lambda s, y: weston_watkins([s], [int(y) - 1])),
    "hinge-minimiser": dict(s_star=lambda eta: best_score(HingeLoss(), eta)),
    "squared-hinge-minimiser": dict(s_star=lambda eta: best_score(SquaredHingeLoss(), eta)),
}

half = dict(eta=lambda: share_of_half())

INLINE = {
    r"s = w^\top x + b": dict(s=lambda x, w, b: Fit(w, b, None).scores(x)),
    r"s = Xw + b": batch,
    # what an example costs by its ys
    r"ys \ge 1": dict(where=lambda L: L == 0, tight=dict(s=lambda sheet: kink(sheet["y"]))),
    r"|s| \ge 1": dict(where=lambda L: L == 0, tight=dict(s=lambda sheet: kink(sheet["y"]))),
    r"ys = 1": dict(s=kink),
    r"s_0 = y": dict(s_0=kink),
    r"y_i s_i = 1": batch | dict(s=lambda y: np.array([kink(label) for label in y])),
    # linear programming: the least slack is the loss
    r"\xi_i \ge 0": batch
    | dict(
        xi=lambda s, y: HingeLoss()(s, y, reduction="none"),
        tight=dict(s=lambda sheet: 3 * sheet["y"]),
    ),
    r"\xi_i \ge 1 - y_i s_i": batch
    | dict(
        xi=lambda s, y: HingeLoss()(s, y, reduction="none"),
        tight=dict(s=lambda sheet: -sheet["y"]),
    ),
    # support vector machines
    r"y_i s_i \ge 1": separable
    | dict(tight=dict(i=lambda sheet: 1 + np.argmin(sheet["y"] * sheet["s"]))),
    r"C = 1/(m\lambda)": one_weight,
    r"C = 0.5": dict(C=lambda: for_forty_points()),
    r"w = c\,(3, 4)": two_points,
    r"b = -1": two_points,
    r"25 c - 1 = 1": two_points,
    r"c = 2/25": two_points,
    r"w = (0.24, 0.32)": two_points,
    r"1/\lVert w \rVert = 2.5": two_points,
    r"w = 0.5/0.6 = 5/6": mirrored | dict(lam=0.6),
    r"w = 1.5/4 = 3/8": mirrored | dict(lam=4.0),
    # several classes
    r"v_{ij} = \max(0,\; 1 + s_{ij} - s_{i y_i})": batch_of_classes,
    # the best scores, and labels falsified on one side
    r"-2\eta (1 - s) + 2 (1 - \eta)(1 + s) = 0": dict(
        s=lambda eta: best_score(SquaredHingeLoss(), eta)
    ),
    r"0.5 = 2\eta - 1": half,
    r"\eta = 0.75": half,
    r"p = \frac16": dict(
        rho=0.4,
        p=lambda rho: optimize.brentq(lambda p: CHAPTER["tilde_p"](p, rho) - 0.5, 0, 1),
    ),
    r"p = \sigma(a s + c)": dict(a=real(), c=real(), p=lambda a, s, c: special.expit(a * s + c)),
    # the objectives with a penalty
    r"\frac{1}{m} \sum_{i=1}^{m} \max\bigl(0,\; 1 - y_i s_i\bigr)"
    r" + \frac{\lambda}{2} \lVert w \rVert^2": penalised,
    r"\frac{1}{m} \sum_{i=1}^{m} \max(0,\; 1 - y_i s_i) + \frac{\lambda}{2} \lVert w \rVert^2"
    r" \qquad \text{and} \qquad \frac{1}{m} \sum_{i=1}^{m} \log\bigl(1 + e^{-y_i s_i}\bigr)"
    r" + \frac{\lambda}{2} \lVert w \rVert^2": penalised,
    # the assignment
    r"L(s, y) = \frac{1}{m} \sum_{i=1}^{m} \max(0,\; \gamma - y_i s_i)": batch
    | dict(L=lambda gamma: Function(HingeLoss(gamma))),
    r"L(s, y) = \frac{1}{m} \sum_{i=1}^{m} \max(0,\; 1 - y_i s_i)": batch
    | dict(L=Function(HingeLoss())),
    r"L(w, b) = \frac{1}{m} \sum_{i=1}^{m} \max(0,\; 1 - y_i s_i)^2"
    r" + \frac{\lambda}{2} \lVert w \rVert^2, \qquad s = Xw + b": penalised
    | dict(
        L=lambda X, y, lam: Function(
            lambda w, b: mean_and_penalty(SquaredHingeLoss(), X, y, w, b, lam)
        )
    ),
    r"\max_{j \ne y_i} v_{ij} \quad \text{(Crammer–Singer)}, \qquad"
    r" \sum_{j \ne y_i} v_{ij} \quad \text{(Weston–Watkins)}": batch_of_classes
    | dict(
        clause_1=lambda s, y, i: crammer_singer(s, y.astype(int) - 1)[int(i) - 1],
        clause_2=lambda s, y, i: weston_watkins(s, y.astype(int) - 1)[int(i) - 1],
    ),
}
CONDITIONS = [
    r"w^\top x + b = 0",  # says which points are the line
    r"y_i s_i \le 1",  # "suppose that"
    r"y_i (w^\top x_i + b) \le 1",  # "if some b gives"
    r"k = 0, 1, 2, \dots",  # numbers the steps
]
UNREAD = {}

multiclass = several_classes | dict(
    v=lambda s, y, gamma: violations(s, y, gamma),
    l_crammer_singer=lambda s, y, gamma: crammer_singer([s], [int(y) - 1], gamma),
    l_weston_watkins=lambda s, y, gamma: weston_watkins([s], [int(y) - 1], gamma),
)

DOCSTRINGS = {
    "HingeLoss": dict(l=lambda s, y, gamma: one(HingeLoss(gamma))(s, y)),
    "SquaredHingeLoss": dict(l=lambda s, y, gamma: one(SquaredHingeLoss(gamma))(s, y)),
    "MulticlassHingeLoss": multiclass,
    r"v_j = \max(0, \gamma + s_j - s_y)": multiclass,
}
