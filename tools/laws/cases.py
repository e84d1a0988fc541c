"""The examples on which every law is tried, and what the mathematics says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lossutils import laws
from lossutils.laws import Finding, Subject

Tried = Callable[[Subject], Finding]
"""A law with its example: takes a loss."""

WRONG, RIGHT = "tail, badly wrong", "tail, nearly right"
ROWS = (
    "floor",
    "shift",
    "permutation",
    "one_hot",
    "parts",
    "repetition",
    "nothing",
    WRONG,
    RIGHT,
    "proper",
    "slope",
)
"""The rows of the table. The law of the tail has two, since what they cost differs."""

PYTORCH, SKLEARN, OPTAX, KERAS = "PyTorch", "scikit-learn", "optax", "Keras"
MLX, FVCORE, MONAI, OURS = "MLX", "fvcore", "MONAI", "lossutils"
LIBRARIES = (PYTORCH, SKLEARN, OPTAX, KERAS, MLX, FVCORE, MONAI, OURS)

SINGLE_PRECISION = 1e-4
"""What counts as rounding in float32."""

SCORES = np.array([[0.75, 0.25, -0.5], [-1.5, 2.0, 0.25], [0.5, -0.75, 1.5], [1.0, -0.5, 0.0]])
LABELS = np.array([1, 1, 0, 2])
SINGLE = np.array([0.75, -1.5, 2.0, -0.25])
YES_NO = np.array([1, 0, 0, 1])
REAL = np.array([0.5, -2.0, 2.5, 1.0])
COUNTS = np.array([2, 0, 1, 3])
ISSUE_25571 = (np.array([[0.2, 0.3, 0.5], [0.5, 0.2, 0.3]]), np.array([2, 1]))
MASKS = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1], [1, 1, 0]])
Q = 0.7


@dataclass(frozen=True)
class Called:
    """A loss of a library."""

    library: str
    call: str
    """What is called, as a reader would write it."""
    subject: Subject
    tried: Mapping[str, tuple[Tried, ...]]
    """By row of the table. A row that is left out does not apply, or is not offered."""
    threads: Mapping[str, str] = field(default_factory=dict)
    """By row, where a broken law is discussed: a path on GitHub."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """By row, a sentence beside a broken law."""

    def findings(self) -> dict[str, str]:
        """Return the failing case of each row that is tried, or an empty string."""
        found = {}
        for row, each in self.tried.items():
            cases = [tried(self.subject).case for tried in each]
            found[row] = next((case for case in cases if case), "")
        return found


def of(law: laws.Law, *case: Any, **options: Any) -> Tried:
    """Return a law with its example."""
    return lambda loss: law(loss, *case, **options)


def logit(p: float) -> float:
    """Return the score of a probability."""
    return float(np.log(p / (1 - p)))


def probability(t: float) -> float:
    """Return the probability of a score."""
    return float(1 / (1 + np.exp(-t)))


def of_classes(*without: str, ignored: int | None = None) -> dict[str, tuple[Tried, ...]]:
    """Return what is tried on a loss of three classes with labels, but for some rows."""
    far, e = np.array([[20.0, 0.0]]), float(np.exp(-40.0))
    pull = np.array([[1.0, -1.0]])
    empty = of(laws.nothing, SCORES, LABELS)
    tried = {
        "floor": (of(laws.floor, 4 * SCORES, LABELS),),
        "shift": (of(laws.shift, SCORES, LABELS),),
        "permutation": (of(laws.permutation, SCORES, LABELS),),
        "one_hot": (of(laws.one_hot, SCORES, LABELS),),
        "parts": (of(laws.parts, SCORES, LABELS),),
        "repetition": (of(laws.repetition, SCORES, LABELS, COUNTS),),
        "nothing": (empty,),
        # wrong by 20, 40 and 800
        WRONG: tuple(of(laws.tail, k * far, [1], pull, 20.0 * k) for k in (1, 2, 40)),
        RIGHT: (of(laws.tail, 2 * far, [0], [[-e, e]], e),),
        "proper": (
            of(
                laws.proper,
                [([1], Q), ([0], 1 - Q)],
                lambda t: [[0.0, t]],
                logit(Q),
                say=probability,
            ),
        ),
        "slope": (of(laws.slope, SCORES, LABELS),),
    }
    if ignored is not None:
        tried["nothing"] = (of(laws.nothing, SCORES, LABELS, ignored),)
    return {row: each for row, each in tried.items() if row not in without}


def of_yes_no(*without: str) -> dict[str, tuple[Tried, ...]]:
    """Return what is tried on a loss of one logit for each example, but for some rows."""
    e = float(np.exp(-40.0))
    tried = {
        "floor": (of(laws.floor, 4 * SINGLE, YES_NO),),
        "parts": (of(laws.parts, SINGLE, YES_NO),),
        "repetition": (of(laws.repetition, SINGLE, YES_NO, COUNTS),),
        "nothing": (of(laws.nothing, SINGLE, YES_NO),),
        WRONG: tuple(of(laws.tail, [-z], [1], [-1.0], z) for z in (20.0, 40.0, 800.0)),
        RIGHT: (
            of(laws.tail, [40.0], [1], [-e], e),
            of(laws.tail, [-40.0], [0], [e], e),
        ),
        "proper": (
            of(laws.proper, [([1], Q), ([0], 1 - Q)], lambda t: [t], logit(Q), say=probability),
        ),
        "slope": (of(laws.slope, SINGLE, YES_NO),),
    }
    return {row: each for row, each in tried.items() if row not in without}


def of_focal(gamma: float, *without: str) -> dict[str, tuple[Tried, ...]]:
    """Return what is tried on a focal loss, whose minimum is not the probability by intention."""
    # Right by 20 the loss is e^{-20 (γ + 1)} to eight digits, and its slope -(γ + 1) times that:
    # in float32, too, these are numbers.
    right = float(np.exp(-20.0 * (gamma + 1)))
    tried = of_yes_no("proper", *without)
    tried[RIGHT] = (of(laws.tail, [20.0], [1], [-(gamma + 1) * right], right),)
    return tried


def of_numbers(*without: str, elicited: str = "mean") -> dict[str, tuple[Tried, ...]]:
    """Return what is tried on a loss of a number against a number, but for some rows."""
    known = [([0.0], 0.2), ([1.0], 0.5), ([4.0], 0.3)]
    truth = {"mean": 1.7, "median": 1.0}[elicited]
    tried = {
        "floor": (of(laws.floor, SINGLE, REAL),),
        "parts": (of(laws.parts, SINGLE, REAL),),
        "repetition": (of(laws.repetition, SINGLE, REAL, COUNTS),),
        "nothing": (of(laws.nothing, SINGLE, REAL),),
        "proper": (of(laws.proper, known, lambda t: [t], truth),),
        "slope": (of(laws.slope, SINGLE, REAL),),
    }
    return {row: each for row, each in tried.items() if row not in without}


def of_masks(*without: str) -> dict[str, tuple[Tried, ...]]:
    """Return what is tried on a loss of a mask; a soft mask says a probability of its own."""
    half = [(np.array([[0.5, 1.0, 0.0]]), 1.0)]
    tried = {
        "floor": (of(laws.floor, SCORES, MASKS),),
        "parts": (of(laws.parts, SCORES, MASKS),),
        "nothing": (of(laws.nothing, SCORES, MASKS),),
        "proper": (of(laws.proper, half, lambda t: [[t, 8.0, -8.0]], 0.0, say=probability),),
        "slope": (of(laws.slope, SCORES, MASKS),),
    }
    return {row: each for row, each in tried.items() if row not in without}


def smoothed_and_weighted() -> dict[str, tuple[Tried, ...]]:
    """Return what is tried on smoothed labels of two classes with class weights.

    The label is certainly 0, and 0.1 of it is spread over both classes: what is right is 0.95, with
    any weights, since only one class occurs.
    """
    return {
        "proper": (
            of(
                laws.proper,
                [([0], 1.0)],
                lambda t: [[t, 0.0]],
                logit(0.95),
                say=probability,
            ),
        )
    }


def is_rows(y) -> bool:
    """Whether targets are rows of probabilities, and not labels."""
    return np.ndim(y) == 2
