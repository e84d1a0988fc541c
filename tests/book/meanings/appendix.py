"""What the symbols of the landing page and of the appendix mean, and those of the linear model."""

import numpy as np

from lossutils.linear import linear_value_and_grad
from lossutils.losses import MSELoss, MulticlassHingeLoss
from lossutils.train import Fit
from tests.book.formulas.sheet import Function, index, positive, real
from tests.book.meanings import one

CHAPTER = {}
TAGS = {}
linear = dict(
    X=real("m", "n", scale=1),
    W=real("n", "K", scale=1),
    b=real("K"),
    s=lambda X, W, b: Fit(W, b, None).scores(X),
)


def violation(s, y, gamma):
    """Return for each class the hinge loss where it and the right class are the only two."""
    hinge = MulticlassHingeLoss(margin=gamma)
    return np.array([hinge([[s[int(y) - 1], other]], [0]) for other in s])


INLINE = {
    "z = Xw + b": dict(X=real("m", "n"), z=lambda X, w, b: Fit(w, b, None).scores(X)),
    "s = XW + b": linear,
    # The derivative of the squared error of one score, over 2.
    "d = s - y": dict(s=real(), y=real(), d=lambda s, y: MSELoss().grad([s], [y])[0] / 2),
    r"v_j = \max(0, \gamma + s_j - s_y)": dict(
        s=real("K"), y=index("K"), gamma=positive(), v=violation, where=lambda j, y: j != y
    ),
    "f(w_1, w_2) = (w_1 x_1 + w_2 x_2 - y)^2": dict(
        n=2, y=real(), f=lambda x, y: Function(lambda *w: MSELoss()([np.dot(w, x)], [y]))
    ),
}
CONDITIONS = [
    r"0 < \gamma < 1",
]
BEHIND = "it follows the name of another library's loss, and the notebook measures the factor"
UNREAD = {
    "= L": BEHIND,
    "= 2L": BEHIND,
    "= L/K": BEHIND,
    r"dw = \frac1m X^\top (a - y)": "quoted, in another notation: dw is one symbol",
    r"dJ/dW = (y - p)\,\sigma'(z)\,x": "quoted: its sign is wrong, as the text says",
}
DOCSTRINGS = {
    "linear_value_and_grad": linear
    | dict(
        n=2,
        K=3,
        points=8,  # each of them takes the loss by six weights
        y=real("m", "K"),
        w=positive("m"),
        lam=positive(),
        x=lambda X: [row[None, :] for row in X],  # rows, as in x_i W
        l=Function(lambda s, y: one(MSELoss())(np.ravel(s), y)),
        L=lambda X, W, b, y, w, lam: linear_value_and_grad(
            MSELoss(), X, y, W, b, l2=lam, sample_weight=w
        )[0],
        G=lambda s, y, w: w[:, None] * MSELoss().grad(s, y, reduction="none"),
    )
}
