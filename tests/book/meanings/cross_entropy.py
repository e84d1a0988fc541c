"""What the symbols of the chapter on cross-entropy mean."""

from itertools import combinations

import numpy as np
from scipy import optimize, special

from lossutils.linear import linear_value_and_grad
from lossutils.losses import BCELoss, CrossEntropyLoss, SoftmaxBCELoss
from lossutils.train import Fit
from tests.book.formulas.sheet import (
    Candidates,
    bit,
    index,
    positive,
    real,
    sample,
    simplex,
    slope,
    unit,
)
from tests.book.meanings import one, one_hot, one_hot_rows

# ---- by another way than the chapter's -----------------------------------------------------------


def jacobian(s):
    """Return the derivatives of SciPy's softmax: row i is of p_i, column j by s_j."""
    rises = [slope(lambda h, e=e: special.softmax(s + h * e), 1e-2) for e in np.eye(len(s))]
    return np.transpose(rises)


def smoothed_label(varepsilon, c, K):
    """Return the label that the smoothed loss compares with: it is p minus the gradient."""
    s = np.zeros(int(K))
    grad = CrossEntropyLoss(label_smoothing=varepsilon).grad([s], [int(c) - 1])
    return special.softmax(s) - grad[0]


def ways_to_share(parts, total=6):
    """Return all ways to give sixths to some classes."""
    bars = combinations(range(total + parts - 1), parts - 1)
    return [np.diff([-1, *bar, total + parts - 1]) - 1 for bar in bars]


def scores_with(p_c, c, share):
    """Return scores whose softmax gives p_c to the right class and shares of the rest to others."""
    others = np.log(np.maximum(share / np.sum(share), 1e-300)) + np.log(1 - p_c)
    return np.insert(others, int(c) - 1, np.log(p_c))


def best_prediction(loss, q):
    """Return the probabilities at which the gradient of a loss is zero."""

    def gradient(free):
        return loss.grad([np.r_[free, 0]], [q])[0, :-1]

    free = optimize.root(gradient, np.zeros(len(q) - 1), tol=1e-13).x
    return special.softmax(np.r_[free, 0])


def best_binary(label):
    """Return the probability at which the gradient of binary cross-entropy is zero."""
    return optimize.brentq(lambda p: BCELoss().grad([p], [label])[0], 1e-6, 1 - 1e-6)


def one_step():
    """Return W after a step of rate 1 from 0 on two examples, 1 of class 1 and -1 of class 0."""
    start = np.zeros((1, 2)), np.zeros(2)
    _, grad, _ = linear_value_and_grad(CrossEntropyLoss(), [[1.0], [-1.0]], [1, 0], *start)
    return -grad[0]


# ---- the declarations ----------------------------------------------------------------------------

CHAPTER = dict(
    s=real("K"),
    p=lambda s: special.softmax(s),
    y=one_hot,
    L=lambda s, y: one(CrossEntropyLoss())(s, y),
    L_2=lambda s, y: one(SoftmaxBCELoss())(s, y),
    i=index("K"),
    o=lambda p: np.exp(special.logit(p)),  # the odds
    J=jacobian,
    a=real(),
    q=simplex("K"),
    u=real("K"),
    bar_u=lambda u, p: np.average(u, weights=p),
    M=lambda s: max(s),
    t=lambda s: np.argmax(s) + 1.0,
)

linear = dict(
    x=real("n", scale=1),
    W=real("n", "K", scale=1),
    b=real("K"),
    s=lambda x, W, b: Fit(W, b, None).scores(x),
)
without_bias = dict(b=lambda K: np.zeros(int(K)))
batch = dict(
    X=real("m", "n", scale=1),
    S=lambda X, W, b: Fit(W, b, None).scores(X),
    P=lambda S: special.softmax(S, axis=1),
    c=index("K", "m"),
    Y=one_hot_rows,
    L=lambda S, c: CrossEntropyLoss()(S, c.astype(int) - 1),
)
any_label = dict(y=simplex("K"))
spread = dict(
    p_c=unit(),
    share=sample(lambda rng, size: rng.uniform(0.1, 1, size[0] - 1), "K"),
    s=lambda p_c, c, share: scores_with(p_c, c, share),
    rest=lambda K: Candidates([dict(share=share) for share in ways_to_share(int(K) - 1)]),
)

TAGS = {
    "softmax-sigmoid": dict(K=2),
    "CE-grad-general": dict(K=3, y=positive("K")),
    "CE-curvature": dict(tight=dict(u=lambda sheet: np.full(int(sheet["K"]), 0.7))),
    "CE-grad-matrix": linear | batch | dict(i=index("m"), n=2, K=3),
    "gap-even": spread,
    "gap-one": spread,
}

INLINE = {
    # scores
    r"s = W^\top x + b": linear,
    r"s = W^\top x": linear | without_bias,
    r"S = XW + b": linear | batch,
    r"p = \operatorname{softmax}(W^\top x + b)": linear,
    r"z = w^\top x": dict(b=0.0),
    r"W = (-\frac12, \frac12)": dict(W=one_step),
    # the Jacobian
    "1_{i=j}": dict(clause_1=lambda i, j: float(i == j)),
    r"o_j\,(1_{i=j} - p_i)": dict(
        clause_1=lambda s, i, j, K: slope(
            lambda h: -np.log(1 - special.softmax(s + h * one_hot(i, K))[int(j) - 1]), 1e-2
        )
    ),
    # the second variant
    r"(1 - a)(1 - b) \ge 1 - a - b": dict(
        a=unit(),
        b=unit(),
        first=bit(),
        tight=dict(
            a=lambda sheet: sheet["a"] * sheet["first"],
            b=lambda sheet: sheet["b"] * (1 - sheet["first"]),
        ),
    ),
    "p_c - 1 < 0": dict(tight=dict(s=lambda sheet: 40 * sheet["y"])),
    "L_2 = 2 L": spread | dict(share=lambda K: np.arange(1.0, K) == 1),
    # soft labels
    "p = q": dict(p=lambda q: best_prediction(SoftmaxBCELoss(), q)),
    "p_j = q_j": dict(p=lambda q: np.array([best_binary(label) for label in q])),
    # the largest curvature
    r"(b - a)^2 \le 2\,(a^2 + b^2)": dict(b=real(), tight=dict(a=lambda sheet: -sheet["b"])),
    # where it breaks, and the assignment
    "p = 1/2": dict(p=lambda: special.softmax([1e8, 1e8])[0]),
    r"t_k = (1 - \varepsilon)\, y_k + \frac{\varepsilon}{K}, \qquad y_k = 1 \text{ if } k = c, "
    r"\text{ else } 0": dict(varepsilon=unit(), t=smoothed_label),
    r"\sum_{j=1}^{n} \sum_{k=1}^{K} W_{jk}^2 + \sum_{k=1}^{K} b_k^2": linear
    | dict(clause_1=lambda W, b: np.linalg.norm(np.vstack([W, b])) ** 2),
}

CONDITIONS = []
UNREAD = {}

DOCSTRINGS = {
    "CrossEntropyLoss": any_label | dict(l=lambda s, y: one(CrossEntropyLoss())(s, y)),
    "SoftmaxBCELoss": any_label
    | dict(
        l=lambda s, y: one(SoftmaxBCELoss())(s, y),
        # what p_j ∂/∂p_j makes of the binary losses
        a=lambda p, y: p * BCELoss().grad(p, y, reduction="sum"),
    ),
}
