"""What the symbols of the chapter on squared error behind a sigmoid mean."""

from functools import cache

import numpy as np
from scipy import integrate, special

from lossutils.losses import BCEWithLogitsLoss, MAELoss, MSELoss, SigmoidMSELoss
from lossutils.train import Fit
from tests.book.formulas.sheet import (
    Expectation,
    Function,
    Sample,
    bit,
    choice,
    integer,
    positive,
    real,
    unit,
)
from tests.book.meanings import minimiser, one

MSE, BCE = SigmoidMSELoss(), BCEWithLogitsLoss()


@cache
def steepest(loss, y):
    """Return the logit where the gradient of a loss is largest in size."""
    return minimiser(lambda z: -abs(loss.grad([z], [y])[0]), -3, 3)


def descent(loss):
    """Return the differential equation of small steps for label 1."""
    return lambda t, z: -loss.grad(z, [1], reduction="none")


def time_to_half(loss):
    """Return the time that z takes from -a to 0, as a function of a."""

    def time(a):
        def arrival(t, z):
            return z[0]

        arrival.terminal = True
        longest = 100 * np.exp(a)
        path = integrate.solve_ivp(
            descent(loss), (0, longest), [-a], "DOP853", events=arrival, rtol=1e-10, atol=1e-11
        )
        return path.t_events[0][0]

    return Function(time)


def logit_at(loss):
    """Return the logit at the time t, from -2 at the time 0, as a function of t."""
    path = integrate.solve_ivp(
        descent(loss), (-1, 4), [-2.0], "DOP853", dense_output=True, rtol=1e-13, atol=1e-13
    )
    return lambda t: path.sol(t)[0]


CHAPTER = dict(
    x=real("n"),
    y=choice(0, 0.3, 1),
    p=lambda z: special.expit(z),
    q=lambda p, y: p if y == 1 else 1 - p,  # of the true label
    L=lambda z, y: one(MSE)(z, y),
)

entropy = dict(L=lambda z, y: one(BCE)(z, y))
all_examples = dict(
    x=real("m", "n", scale=1),
    y=choice(0, 0.3, 1, shape=("m",)),
    z=lambda x, w, b: Fit(w, b, None).scores(x),
    J=lambda z, y: BCE(z, y) * len(y),
)
by_class = dict(
    z=real("m"),
    y=bit(),
    clause_1=lambda z, y: MSELoss()(special.expit(z), np.full(len(z), y)),
    clause_2=lambda clause_1: clause_1,
)
at_steepest = dict(
    y=bit(), z=Sample(lambda rng, y: steepest(MSE, float(y)), "y", low=-20.0, high=20.0)
)
recovery = dict(a=positive(), T_MSE=time_to_half(MSE), T_BCE=time_to_half(BCE))

TAGS = {
    "MSE-by-class": by_class,
    "negative-class": entropy | dict(y=0.0),
    "positive-class": entropy | dict(y=1.0),
    "slope-ratio": dict(L_MSE=lambda z, y: one(MSE)(z, y), L_BCE=lambda z, y: one(BCE)(z, y)),
    "steepest": at_steepest | dict(points=3),
    "recovery-MSE": recovery,
    "recovery-BCE": recovery,
    "sum-with-slope": all_examples,
    "sum-grad": all_examples,
    "MSE-curvature": dict(y=bit()),
    "Brier-split": dict(p=unit(), eta=unit()),
    "Brier-proper": dict(
        p=unit(), eta=unit(), bb_E=lambda eta: Expectation("y", {1: eta, 0: 1 - eta})
    ),
}
one_feature = dict(n=1, b=0.0)
sigmoid_alone = dict(sigma=Function(special.expit, at="z"), z=real())
logits = dict(z=real("m"), y=choice(0, 0.3, 1, shape=("m",)))
# The formula that "Picking Loss Functions" prints. With these meanings only its sign is wrong.
as_printed = dict(
    W=real("n"),
    y=bit(),
    z=lambda x, W, b: x @ W + b,
    sigma=Function(special.expit, at="z"),
    hat_y=lambda z: special.expit(z),
    J=lambda hat_y, y: one(MSELoss())(hat_y, y) / 2,
)

INLINE = {
    r"q = \frac13": at_steepest,
    "q = 1/3": at_steepest,
    "z = w": one_feature | dict(x=np.ones(1)),
    "z = wx": one_feature,
    "z = Xw": dict(X=real("m", "n"), z=lambda X, w: Fit(w, 0.0, None).scores(X)),
    r"\frac{dz}{dt} = (1 - p)^2\, p": dict(t=positive(), z=logit_at(MSE)),
    r"\frac{dz}{dt} = 1 - p": dict(t=positive(), z=logit_at(BCE)),
    r"""T_{\text{MSE}}(a) = \int_{-a}^{0} \frac{dz}{(1 - \sigma)^2\, \sigma}"""
    r""" = \int_{-a}^{0} \frac{(1 + e^{z})^3}{e^{z}}\, dz""": recovery | sigmoid_alone,
    r"1/(1 - \sigma) = 1 + e^{z}": sigmoid_alone,
    r"\sigma' = \sigma \cdot (1 - \sigma)": sigmoid_alone,
    r"\frac{dJ}{dW} = (y - \hat y)\,\sigma'\,x": as_printed,
    r"(p - y)\, p\, (1 - p)\, x = \frac12 \cdot \frac12 \cdot \frac12 \cdot 2 = \frac14": dict(
        n=1, x=np.array([2.0]), y=0.0, z=0.0
    ),
    r"1 / (p\,(1 - p)) = 1/0.16 = 6.25": dict(p=0.2),
    r"p \approx 0.27": dict(z=-1.0),
    r"""L_{\text{MSE}}(z, y) = \frac{1}{m} \sum_{i=1}^{m} \tfrac12 """
    r"""\bigl(y_i - \sigma(z_i)\bigr)^2, \qquad L_{\text{BCE}}(z, y) = -\frac{1}{m} """
    r"""\sum_{i=1}^{m} \bigl[\, y_i \log \sigma(z_i) + (1 - y_i) """
    r"""\log(1 - \sigma(z_i)) \,\bigr]""": logits | dict(L_MSE=Function(MSE), L_BCE=Function(BCE)),
    # The powers for which the package has a loss.
    r"L_k(z, y) = \frac{1}{k} \bigl| y - \sigma(z) \bigr|^k, \qquad k \ge 1": dict(
        k=integer(1, 2),
        L_k=lambda k: Function(
            lambda z, y: one(MSE)(z, y) if k == 2 else one(MAELoss())(special.expit(z), y)
        ),
        tight=dict(k=1.0),
    ),
}
CONDITIONS = ["z = -a"]
UNREAD = {
    r"\frac{dJ}{dW} = (y - \hat y)\,\sigma'\,x": "quoted: its sign is wrong, as the text says",
}
