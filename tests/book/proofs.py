"""The claims that the chapters call proved, each with its sentence and its proof.

A claim is a function of its bound. It must prove the true bound and refute a false one, and what
it proves is compared with what the package computes. Claims about rounding are in
`proofs_of_rounding`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from flint import arb, fmpq

from lossutils import losses
from lossutils.special import log_softmax, sigmoid, sigmoid_derivative, softmax
from tests.book.intervals import INFINITY, prove, prove_polynomial

MARK = "([proved](../appendix/notation.ipynb#what-proved-means))"
CHANGE = fmpq(1, 1000)
HALF = fmpq(1, 2)
WHOLE = (0, 1)
POSITIVE = (0, INFINITY)
RNG = np.random.default_rng(0)
Z = np.linspace(-8, 8, 33)
Q = sigmoid(Z)
SCORES = RNG.normal(size=(20, 4))
P = softmax(SCORES)


@dataclass
class Claim:
    """A sentence of the book, and its proof."""

    page: str
    sentence: str
    true: object
    false: object
    compare: Callable
    prove: Callable

    def __str__(self):
        return self.prove.__name__


CLAIMS = []


def claim(page, sentence, *, true, false, compare):
    """Register the proof of a claim. ``compare`` returns the formula's and the package's values."""

    def register(proof):
        CLAIMS.append(Claim(page, sentence, true, false, compare, proof))
        return proof

    return register


def grad(loss, scores, targets):
    return loss.grad(scores, targets, reduction="none")


def curvature(loss, z, y, h=1e-5):
    targets = np.full(len(z), y)
    return (grad(loss, z + h, targets) - grad(loss, z - h, targets)) / (2 * h)


RIGHT = np.ones(len(Z))
FIRST = np.zeros(len(SCORES), dtype=int)
"""The label of each of the rows."""


# ---- two classes: polynomials in p = σ(z), or in the probability q of the true label -------------


def slope(p):
    return p * (1 - p)


def pull(q):
    return q * (1 - q) ** 2


def bend(q):
    return pull(q) * (3 * q - 1)


def half_square(q):
    return HALF * (1 - q) ** 2


def error(q):
    return 1 - q


@claim(
    "bce",
    "so the slope is at most 1/4",
    true=fmpq(1, 4),
    false=fmpq(1, 4) - CHANGE,
    compare=lambda: (slope(Q), sigmoid_derivative(Z)),
)
def sigmoid_slope(bound):
    prove_polynomial(lambda p: bound - slope(p), WHOLE)


@claim(
    "bce",
    r"is the slope of $\sigma(z) - y$, which is never negative",
    true=fmpq(0),
    false=CHANGE,
    compare=lambda: (slope(Q), curvature(losses.BCEWithLogitsLoss(), Z, 1)),
)
def cross_entropy_is_convex(bound):
    prove_polynomial(lambda p: slope(p) - bound, WHOLE)


@claim(
    "mse_vs_bce",
    "never harder than 4/27",
    true=fmpq(4, 27),
    false=fmpq(4, 27) - CHANGE,
    compare=lambda: (pull(Q), -grad(losses.SigmoidMSELoss(), Z, RIGHT)),
)
def steepest(bound):
    prove_polynomial(lambda q: bound - pull(q), WHOLE)


@claim(
    "mse_vs_bce",
    r"which changes sign at $q = \frac13$",
    true=fmpq(1, 3),
    false=fmpq(1, 3) + fmpq(1, 10),
    compare=lambda: (bend(Q), curvature(losses.SigmoidMSELoss(), Z, 1)),
)
def sigmoid_mse_bends_once(place):
    prove_polynomial(lambda q: -bend(q), (0, place), strict=True)
    prove_polynomial(bend, (place, 1), strict=True)


@claim(
    "mse_vs_bce",
    "Half the squared error of a probability is at most ½",
    true=HALF,
    false=HALF - CHANGE,
    compare=lambda: (
        float(HALF) * (1 - Q) ** 2,
        losses.SigmoidMSELoss()(Z, RIGHT, reduction="none"),
    ),
)
def sigmoid_mse_is_bounded(bound):
    prove_polynomial(lambda q: bound - half_square(q), WHOLE)


@claim(
    "mse_vs_bce",
    "while the example is wrong, each of its steps is at least one half long",
    true=HALF,
    false=HALF + CHANGE,
    compare=lambda: (error(Q), -grad(losses.BCEWithLogitsLoss(), Z, RIGHT)),
)
def no_plateau(bound):
    prove_polynomial(lambda q: error(q) - bound, (0, HALF))


@claim(
    "hinge",
    "Cross-entropy pushes with at most 1",
    true=fmpq(1),
    false=1 - CHANGE,
    compare=lambda: (error(Q), -grad(losses.BCEWithLogitsLoss(), Z, RIGHT)),
)
def push_of_cross_entropy(bound):
    prove_polynomial(lambda q: bound - error(q), WHOLE)
    prove_polynomial(lambda q: bound + error(q), WHOLE)


@claim(
    "hinge",
    "The hinge lies on or above the step everywhere",
    true=fmpq(0),
    false=CHANGE,
    compare=lambda: (
        np.where(Z < 1, error(Z), 0),
        losses.HingeLoss()(Z, RIGHT, reduction="none"),
    ),
)
def hinge_above_the_step(distance):
    """The argument is the margin; left of 0 it is minus the margin. The step is 1 or 0."""
    prove_polynomial(lambda x: error(-x) - 1 - distance, POSITIVE)
    prove_polynomial(lambda t: error(t) - distance, WHOLE)
    prove_polynomial(lambda t: 0 * t - distance, (1, INFINITY))


# ---- many classes --------------------------------------------------------------------------------


def wrong_entry(p):
    """Entry of softmaxMSE-grad of a wrong class, of two; p is its probability."""
    squares = p**2 + (1 - p) ** 2
    return p * (p - (squares - (1 - p)))


def right_bracket(p, others):
    """What -2 p / K multiplies on the right class; others is the sum of the other squares."""
    return 1 - 2 * p + p**2 + others


def size_of_gradient(share, wrong):
    """Sum of the sizes of p - y, where the wrong classes have ``wrong``, and two of them share."""
    return wrong + wrong * share + wrong * (1 - share)


def compare_two_classes():
    rows = np.stack([Z, 0 * Z], axis=1)
    entries = grad(losses.SoftmaxMSELoss(), rows, np.zeros(len(Z), dtype=int))[:, 1]
    return wrong_entry(1 - Q), entries


@claim(
    "mse_variants",
    "With $K = 2$ a wrong sign is impossible",
    true=fmpq(0),
    false=CHANGE,
    compare=compare_two_classes,
)
def two_classes_sign(bound):
    prove_polynomial(lambda p: wrong_entry(p) - bound, WHOLE, strict=True)


@claim(
    "mse_variants",
    "the right class is always pushed up",
    true=fmpq(0),
    false=CHANGE,
    compare=lambda: (
        -2 / 4 * P[:, 0] * right_bracket(P[:, 0], (P[:, 1:] ** 2).sum(axis=1)),
        grad(losses.SoftmaxMSELoss(), SCORES, FIRST)[:, 0],
    ),
)
def right_class_is_pushed_up(bound):
    prove_polynomial(lambda p, others: right_bracket(p, others) - bound, WHOLE, WHOLE, strict=True)


def exp_wrong(u):
    """K times the entry of expMSE-grad of a wrong class, where u = exp(s)."""
    return 2 * u**2


def exp_push(u):
    """K / 2 times the push on the right class."""
    return u * (1 - u)


@claim(
    "mse_variants",
    "Every wrong class is pushed down, always",
    true=fmpq(0),
    false=CHANGE,
    compare=lambda: (
        exp_wrong(np.exp(SCORES[:, 1:])) / 4,
        grad(losses.ExpMSELoss(), SCORES, FIRST)[:, 1:],
    ),
)
def exponential_pushes_down(bound):
    prove_polynomial(lambda u: exp_wrong(u) - bound, POSITIVE, strict=True)


@claim(
    "mse_variants",
    "the upward push on the right class is strongest",
    true=HALF,
    false=HALF + CHANGE,
    compare=lambda: (
        -exp_push(np.exp(SCORES[:, 0])) / 2,
        grad(losses.ExpMSELoss(), SCORES, FIRST)[:, 0],
    ),
)
def exponential_is_strongest(place):
    """The curvature is positive right of the place, and negative left of it."""
    prove_polynomial(lambda u: exp_push(place) - exp_push(u), POSITIVE)
    prove_polynomial(lambda u: 2 * u**2 - u, (place, INFINITY), strict=True)
    prove_polynomial(lambda u: u - 2 * u**2, (0, place), strict=True)


def compare_gap():
    """Three classes: the second variant less cross-entropy is minus the log of the product."""
    rows, right = SCORES[:, :3], FIRST
    p = softmax(rows)
    both = losses.SoftmaxBCELoss(), losses.CrossEntropyLoss()
    second, first = (loss(rows, right, reduction="none") for loss in both)
    return (1 - p[:, 1]) * (1 - p[:, 2]), np.exp(first - second)


@claim(
    "cross_entropy",
    r"For two positive numbers $(1 - a)(1 - b) \ge 1 - a - b$",
    true=fmpq(0),
    false=CHANGE,
    compare=compare_gap,
)
def product_of_complements(bound):
    prove_polynomial(lambda a, b: (1 - a) * (1 - b) - (1 - a - b) - bound, POSITIVE, POSITIVE)


@claim(
    "numerics",
    r"rounding each score by at most $\delta$ moves the loss by at most $2\delta$",
    true=fmpq(2),
    false=2 - CHANGE,
    compare=lambda: (
        size_of_gradient(0.3, 1 - P[:, 0]),
        abs(grad(losses.CrossEntropyLoss(), SCORES, FIRST)).sum(axis=1),
    ),
)
def rounded_scores(bound):
    """By the mean value theorem; more wrong classes than two share the same sum."""
    prove_polynomial(lambda share, wrong: bound - size_of_gradient(share, wrong), WHOLE, WHOLE)


def compare_wrong_leader():
    r = np.exp(SCORES[:, 1:] - SCORES[:, :1]).sum(axis=1)
    return 1 + r, np.exp(-log_softmax(SCORES)[:, 0])


@claim(
    "numerics",
    r"the loss is then at least $\log 2$",
    true=fmpq(2),
    false=2 + CHANGE,
    compare=compare_wrong_leader,
)
def wrong_leader(bound):
    """The logarithm rises, so compare what it is taken of. The leader adds 1 or more to r."""
    prove_polynomial(lambda r: 1 + r - bound, (1, INFINITY))


# ---- a logarithm ---------------------------------------------------------------------------------


def excess(v):
    """log t - 1 + 1/t, where v = log t."""
    return v - 1 + (-v).exp()


def compare_excess():
    """Weighted with the label, the excess of label over prediction sums to their divergence."""
    labels = softmax(RNG.normal(size=SCORES.shape))
    v = np.log(labels / P)
    entropy = -(labels * np.log(labels)).sum(axis=1)
    loss = losses.CrossEntropyLoss()(SCORES, labels, reduction="none")
    formula = [[float(excess(arb(float(x)))) for x in row] for row in v]
    return (labels * formula).sum(axis=1), loss - entropy


@claim(
    "mle",
    r"using that $\log t \ge 1 - 1/t$ for every $t > 0$",
    true=fmpq(0),
    false=CHANGE,
    compare=compare_excess,
)
def logarithm(bound):
    """Enclosed for every positive float64. Beyond, the slope (t - 1) / t² takes it further up."""
    prove(lambda v: excess(v) - arb(bound), -745, 0)
    prove(lambda v: excess(v) - arb(bound), 0, 710)
    prove_polynomial(lambda t: 1 - t, WHOLE)
    prove_polynomial(lambda t: t - 1, (1, INFINITY))
