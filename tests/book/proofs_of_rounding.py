"""The claims about rounding that are proved; their bounds are in eps."""

from flint import arb

from lossutils import losses
from lossutils.special import sigmoid
from tests.book.proofs import RIGHT, Z, claim
from tests.book.roundings import ONE, exp_minus, prove_rounding


def rising(x):
    """σ(x) for x ≥ 0."""
    return ONE.divided_by(exp_minus(x).one_plus())


def falling(x):
    """σ(-x) for x ≥ 0."""
    return exp_minus(x).divided_by(exp_minus(x).one_plus())


def loss_if_right(x):
    return exp_minus(x).log1p()


def loss_if_wrong(x):
    return exp_minus(x).log1p().plus(x)


def computed(formula):
    return [float(formula(arb(x)).true) for x in abs(Z)]


def bce(z, y):
    return losses.BCEWithLogitsLoss()(z, y, reduction="none")


@claim(
    "lossutils/special.py",
    "within 2 eps of the true value",
    true=2,
    false=arb(0.5),
    compare=lambda: (
        computed(rising) + computed(falling),
        [*sigmoid(abs(Z)), *sigmoid(-abs(Z))],
    ),
)
def sigmoid_in_floats(bound):
    prove_rounding(rising, lambda x: 1 / (1 + (-x).exp()), sigmoid, 0, 708, bound)
    prove_rounding(falling, lambda x: 1 / (1 + x.exp()), lambda x: sigmoid(-x), 0, 708, bound)


@claim(
    "numerics",
    "both of its results are within $2\\varepsilon$ of the true ones, relative to them",
    true=2,
    false=arb(0.5),
    compare=lambda: (
        computed(loss_if_right) + computed(loss_if_wrong),
        [*bce(abs(Z), RIGHT), *bce(abs(Z), 0 * RIGHT)],
    ),
)
def cross_entropy_in_floats(bound):
    """Labels 0 and 1 change places if the score changes its sign, so one sign is enough."""
    loss = losses.BCEWithLogitsLoss()
    cases = [
        (loss_if_right, lambda x: (-x).exp().log1p(), lambda x: loss([x], [1])),
        (loss_if_wrong, lambda x: (-x).exp().log1p() + x, lambda x: loss([x], [0])),
        (rising, lambda x: 1 / (1 + (-x).exp()), lambda x: loss.grad([x], [0])[0]),
        (falling, lambda x: 1 / (1 + x.exp()), lambda x: -loss.grad([x], [1])[0]),
    ]
    for formula, true, value in cases:
        prove_rounding(formula, true, value, 0, 708, bound)
