r"""Laws that every loss must keep, each one function: call it, and it says whether the law holds.

A law takes a loss as plain functions, so that the loss of any library can be tried: wrap it in a
`Subject`, or take `of_loss` for one of this course. `LAWS` lists them all.

>>> from lossutils import laws
>>> from lossutils.losses import CrossEntropyLoss
>>> loss = laws.of_loss(CrossEntropyLoss())
>>> print(laws.shift(loss, [[1.0, 0.0, -1.0]], [0]))
shift: holds
>>> forgetful = laws.Subject(lambda s, y, w: loss.value(s, y, None))
>>> print(laws.repetition(forgetful, [[1.0, 0.0], [0.0, 0.0]], [0, 1], [3, 1]))
repetition: broken: the weights [3 1] give 0.50..., and not 0.40..., as with each example repeated
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._checks import Array, Float64Array
from .losses import base
from .verify import numerical_gradient

SHIFTS = (1.0, -3.0, 1000.0, 1e6)
"""What `shift` adds. Scores that are multiples of 1/4 stay exact, in float32 too."""
GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Subject:
    """A loss as plain functions.

    Parameters
    ----------
    value : callable
        Takes scores, targets and either None or a weight for each example, and returns the mean
        loss of the batch, a number.
    grad : callable, optional
        Takes the same, and returns the derivative of that number with respect to the scores.
    size : callable, optional
        Takes targets and weights, and returns what the mean divides by. The default is the number
        of examples, or the sum of their weights.
    tol : float, default 1e-9
        Largest difference that counts as rounding, relative to 1 or to the numbers if they are
        larger. For float32 take some 1e-4.
    """

    value: Callable[[Any, Any, Any], float]
    grad: Callable[[Any, Any, Any], Any] | None = None
    size: Callable[[Any, Any], float] = lambda y, w: float(len(y) if w is None else np.sum(w))
    tol: float = 1e-9

    def differs(self, a: ArrayLike, b: ArrayLike) -> bool:
        """Say whether two results differ by more than rounding; NaN differs from everything."""
        a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            scale = np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
            return not bool(np.all((np.abs(a - b) <= self.tol * scale) | (a == b)))


@dataclass(frozen=True)
class Finding:
    """What a law found.

    Parameters
    ----------
    law : Law
        The law that was tried.
    case : str
        The failing case with its numbers; empty if the law holds.
    """

    law: Law
    case: str = ""

    @property
    def holds(self) -> bool:
        """Whether the law holds in the case that was tried."""
        return not self.case

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.law.name}: {'holds' if self.holds else 'broken: ' + self.case}"


@dataclass(frozen=True)
class Law:
    """A law: called with a `Subject` and a case, it returns a `Finding`."""

    name: str
    formula: str
    reason: str
    check: Callable[..., str | None]
    """Returns the failing case with its numbers, or None."""

    def __call__(self, loss: Subject, *case: Any, **options: Any) -> Finding:
        """Try the law; its case is described where it is defined."""
        return Finding(self, self.check(loss, *case, **options) or "")


LAWS: list[Law] = []
"""All laws, in the order of this module."""


def _law(formula: str, reason: str) -> Callable[[Callable[..., str | None]], Law]:
    def register(check):
        law = Law(check.__name__, formula, reason, check)
        object.__setattr__(law, "__doc__", check.__doc__)
        LAWS.append(law)
        return law

    return register


# ---- the laws ------------------------------------------------------------------------------------


@_law("l(s, y) ≥ the least that y allows", "A loss below its floor rewards what nobody can know.")
def floor(
    loss: Subject, scores: ArrayLike, targets: ArrayLike, least: float | Sequence[float] = 0.0
) -> str | None:
    """Try each example; ``least`` is the smallest loss that its target allows (0, entropy, …)."""
    s, y = np.asarray(scores), np.asarray(targets)
    for i, low in enumerate(np.broadcast_to(least, len(s))):
        value = loss.value(s[i : i + 1], y[i : i + 1], None)
        if not value >= low - loss.tol * max(1.0, abs(low)):
            return f"{_of(s[i], y[i])} the loss is {_n(value)}, and its floor {_n(low)}"
    return None


@_law("l(s + c, y) = l(s, y)", "A softmax knows only differences of scores.")
def shift(loss: Subject, scores: ArrayLike, targets: ArrayLike) -> str | None:
    """Add a constant to all scores: 1, -3, a thousand, a million. It is a law of a softmax."""
    s = np.asarray(scores, dtype=np.float64)
    before = loss.value(s, targets, None)
    for c in SHIFTS:
        after = loss.value(s + c, targets, None)
        if loss.differs(before, after):
            return (
                f"with {c:g} added to all scores the loss is {_n(after)}, and {_n(before)} before"
            )
    return None


@_law("l(s, y) is the same in every order of the classes", "A class is a name, not a number.")
def permutation(loss: Subject, scores: ArrayLike, targets: ArrayLike) -> str | None:
    """Rename the classes: move each column of scores on by one, and the labels with it."""
    s, y = np.asarray(scores), np.asarray(targets)
    moved = np.roll(y, 1, axis=1) if y.ndim == 2 else (y + 1) % s.shape[1]
    before, after = loss.value(s, y, None), loss.value(np.roll(s, 1, axis=1), moved, None)
    if loss.differs(before, after):
        return f"another order of the classes turns the loss {_n(before)} into {_n(after)}"
    return None


@_law("l(s, k) = l(s, eₖ)", "A label and its one-hot row say the same.")
def one_hot(loss: Subject, scores: ArrayLike, labels: ArrayLike) -> str | None:
    """Give labels as numbers, and as rows of 0 and 1."""
    s, k = np.asarray(scores), np.asarray(labels)
    by_label = loss.value(s, k, None)
    by_row = loss.value(s, np.eye(s.shape[1])[k], None)
    if loss.differs(by_label, by_row):
        return f"the labels {k} give {_n(by_label)}, and their one-hot rows {_n(by_row)}"
    return None


@_law(
    "n L(whole) = n₁ L(part 1) + n₂ L(part 2)",
    "Who cuts a batch into micro-batches trains the same model.",
)
def parts(
    loss: Subject, scores: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None = None
) -> str | None:
    """Cut a batch in two at each place; value and gradient must add up, each times its size."""
    s, y = np.asarray(scores), np.asarray(targets)
    w = None if sample_weight is None else np.asarray(sample_weight)
    n, value = loss.size(y, w), loss.value(s, y, w)
    gradient = None if loss.grad is None else np.asarray(loss.grad(s, y, w))
    for cut in range(1, len(s)):
        total, gradients = 0.0, []
        for part in (slice(cut), slice(cut, None)):
            w_part = None if w is None else w[part]
            share = loss.size(y[part], w_part) / n
            if share == 0:  # nothing in this part counts
                gradients.append(np.zeros(np.shape(s[part])))
                continue
            total += share * loss.value(s[part], y[part], w_part)
            if loss.grad is not None:
                gradients.append(share * np.asarray(loss.grad(s[part], y[part], w_part)))
        if loss.differs(value, total):
            return (
                f"cut after {cut} of {len(s)} the loss is {_n(total)}, and {_n(value)} as a whole"
            )
        if gradient is not None and loss.differs(gradient, np.concatenate(gradients)):
            return f"cut after {cut} of {len(s)} the gradients do not add up to that of the whole"
    return None


@_law("a weight of k = the example k times", "Otherwise a weight changes the step, not the aim.")
def repetition(
    loss: Subject, scores: ArrayLike, targets: ArrayLike, counts: Sequence[int]
) -> str | None:
    """Weight each example by a whole number, and repeat it that often; 0 leaves it out."""
    s, y, k = np.asarray(scores), np.asarray(targets), np.asarray(counts)
    weighted = loss.value(s, y, k.astype(np.float64))
    repeated = loss.value(np.repeat(s, k, axis=0), np.repeat(y, k, axis=0), None)
    if loss.differs(weighted, repeated):
        return (
            f"the weights {k} give {_n(weighted)}, and not {_n(repeated)}, "
            "as with each example repeated"
        )
    return None


@_law(
    "what does not count adds nothing",
    "A mean of nothing is 0/0: a NaN that is not refused ends up in every weight of a model.",
)
def nothing(
    loss: Subject, scores: ArrayLike, targets: ArrayLike, ignored: Any = None
) -> str | None:
    """Give no example, or only ``ignored`` labels: refuse them with a ValueError, or return 0.

    With ``ignored`` the law also says that an ignored example changes nothing beside others.
    """
    s, y = np.asarray(scores), np.asarray(targets)
    if ignored is None:
        return _of_nothing(loss, s[:0], y[:0], "an empty batch")
    beside = y.copy()
    beside[0] = ignored
    with_it, without = loss.value(s, beside, None), loss.value(s[1:], y[1:], None)
    if loss.differs(with_it, without):
        return f"one ignored label makes {_n(with_it)} of {_n(without)}"
    return _of_nothing(loss, s, np.full_like(y, ignored), "a batch of ignored labels")


def _of_nothing(loss, s, y, what):
    try:
        value = loss.value(s, y, None)
        gradient = np.zeros(1) if loss.grad is None else np.asarray(loss.grad(s, y, None))
    except ValueError:
        return None
    if value != 0 or np.any(gradient != 0):
        return f"{what} gives the loss {_n(value)}" + (
            " and a gradient of NaN" if np.isnan(gradient).any() else ""
        )
    return None


@_law(
    "l′(s) is neither 0 nor NaN where the mathematics is neither",
    "An example that is badly wrong must still pull.",
)
def tail(
    loss: Subject, scores: ArrayLike, targets: ArrayLike, exact: ArrayLike, value: float
) -> str | None:
    """Compare the gradient far out with the ``exact`` one, to 1 percent in each entry.

    The exact ``value`` of the loss is only told beside it.
    """
    if loss.grad is None:
        raise ValueError("the law of the tail needs a gradient; give grad to Subject")
    s, right = np.asarray(scores), np.asarray(exact, dtype=np.float64)
    found = np.asarray(loss.grad(s, targets, None), dtype=np.float64)
    wrong = ~(np.abs(found - right) <= 0.01 * np.abs(right))
    if wrong.any():
        at = tuple(np.argwhere(wrong)[0])
        loss_found = loss.value(s, targets, None)
        return (
            f"{_of(s[at[0]], np.asarray(targets)[at[0]])} the gradient is {_n(found[at])}, and "
            f"should be {_n(right[at])} (the loss is {_n(loss_found)}, and should be {_n(value)})"
        )
    return None


@_law(
    "the minimum of E l(s, Y) is the truth",
    "A loss that is least elsewhere teaches something else, with any amount of data.",
)
def proper(
    loss: Subject,
    outcomes: Iterable[tuple[ArrayLike, float]],
    at: Callable[[float], ArrayLike],
    truth: float,
    *,
    low: float = -8.0,
    high: float = 8.0,
    say: Callable[[float], float] = lambda t: t,
) -> str | None:
    """Minimise the expected loss along a line, and see whether its minimum is the truth.

    ``outcomes`` are pairs of the target of one example and its probability; ``at`` takes a number
    t from low to high and returns the scores of one example; ``truth`` is the right t. ``say``
    turns t into what a message tells, such as a probability.
    """
    known = [(np.asarray(y), q) for y, q in outcomes]

    def expected(t):
        s = np.asarray(at(t), dtype=np.float64)
        return sum(q * loss.value(s, y, None) for y, q in known)

    t = _minimum(expected, low, high)
    # where the slope is 0, rounding of the loss hides a step of the root of its size
    if not abs(t - truth) <= 10 * math.sqrt(max(loss.tol, 1e-9)):
        return f"the expected loss is least at {_n(say(t))}, and the truth is {_n(say(truth))}"
    return None


@_law("the gradient = the slope of the loss", "Training follows the gradient, and not the loss.")
def slope(loss: Subject, scores: ArrayLike, targets: ArrayLike, step: float = 1e-3) -> str | None:
    """Compare the gradient with differences of the loss, where it has no kink within 2 steps."""
    if loss.grad is None:
        raise ValueError("the law of the slope needs a gradient; give grad to Subject")
    s = np.asarray(scores, dtype=np.float64)
    found = np.asarray(loss.grad(s, targets, None), dtype=np.float64)
    right = numerical_gradient(lambda x: loss.value(x, targets, None), s, step=step)
    error = np.abs(found - right) / np.maximum(1.0, np.abs(right))
    if not (error <= 100 * loss.tol).all():
        at = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), error.shape)
        return (
            f"at score {_n(s[at])} the gradient is {_n(found[at])}, and the slope {_n(right[at])}"
        )
    return None


# ---- for the losses of this course ---------------------------------------------------------------


def of_loss(loss: base.Loss) -> Subject:
    """Return a loss of `lossutils.losses` as plain functions."""
    return Subject(
        lambda s, y, w: float(loss(s, y, sample_weight=w)),
        lambda s, y, w: loss.grad(s, y, sample_weight=w),
        lambda y, w: loss._divisor(y, None if w is None else np.asarray(w)),
    )


# ---- helpers -------------------------------------------------------------------------------------


def _minimum(f: Callable[[float], float], low: float, high: float) -> float:
    """Find the minimum of a function that falls, and then rises; a grid first, against plateaus."""
    grid = np.linspace(low, high, 65)
    best = int(np.argmin([f(t) for t in grid]))
    a, b = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, 64)])
    while b - a > 1e-7:
        left, right = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
        a, b = (a, right) if f(left) <= f(right) else (left, b)
    return (a + b) / 2


def _n(x: Any) -> str:
    """Write a number with five digits."""
    return f"{float(x) + 0.0:.5g}".replace("nan", "NaN")


def _of(s: Array | Float64Array, y: Any) -> str:
    """Name an example by its scores and its target."""
    scores = ", ".join(_n(x) for x in np.ravel(s))
    target = ", ".join(_n(x) for x in np.ravel(y))
    return f"at scores ({scores}) and target ({target})"
