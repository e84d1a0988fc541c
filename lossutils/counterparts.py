"""What each loss is called elsewhere: in PyTorch, scikit-learn, optax (JAX) and Keras.

A name is written as in code; where a library wants the scores prepared, it says how. What PyTorch
and scikit-learn return is computed here, so that factors between them and the course are measured,
not typed. The names of the others are looked up where these libraries are installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .losses import base
from .special import sigmoid, softmax
from .verify import to_tensor

KINDS = ("torch", "sklearn", "sklearn model", "optax", "keras")
"""Kinds of counterparts: a library by the name under which it is imported, as a function; for
scikit-learn also as a model that is trained with the loss."""


@dataclass(frozen=True)
class Counterpart:
    """One library's function for one loss."""

    name: str
    """Dotted name, as in ``torch.nn.MSELoss``."""
    of: str = "{s}"
    """What it is given instead of scores ``s``: ``sigmoid({s})``."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options that it needs."""
    evaluate: Callable[[Any, Any, Any], Any] | None = None
    """Takes the function, scores and targets; returns the mean loss. None where only the name is
    looked up."""

    def markdown(self) -> str:
        """Return the name without its library, and what it is given, for a table."""
        options = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        name = self.name.partition(".")[2] + (f"({options})" if options else "")
        return f"`{name}`" + ("" if self.of == "{s}" else f" of `{self.of.format(s='s')}`")

    @property
    def kind(self) -> str:
        """Which of the kinds it is."""
        library, place, *_ = self.name.split(".")
        return "sklearn model" if library == "sklearn" and place != "metrics" else library

    @property
    def installed(self) -> bool:
        """Whether the library can be imported here."""
        return find_spec(self.name.partition(".")[0]) is not None

    def function(self) -> Any:
        """Return what the name stands for, made with its options if it has any.

        Raises
        ------
        ImportError, AttributeError
            If there is no such name.
        TypeError
            If it has no such option.
        """
        module, _, name = self.name.rpartition(".")
        found = getattr(import_module(module), name)
        return found(**self.options) if self.options else found

    def __call__(self, scores: ArrayLike, targets: ArrayLike) -> float:
        """Return the library's mean loss of some examples."""
        if self.evaluate is None:
            raise ValueError(f"{self.name} is known by name only")
        return float(self.evaluate(self.function(), np.asarray(scores), np.asarray(targets)))


def _torch(name, prepare=lambda s: s, *, of="{s}", real=True, one_hot=False):
    def evaluate(function, s, y):
        y = np.eye(s.shape[1])[y] if one_hot else y
        y = y.astype(np.float64) if real else y
        return function()(to_tensor(prepare(s)), to_tensor(y))

    return Counterpart(f"torch.nn.{name}", of, {}, evaluate)


def _sklearn(name, prepare=lambda s: s, *, of="{s}", one_hot=False):
    def evaluate(function, s, y):
        return function(np.eye(s.shape[1])[y] if one_hot else y, prepare(s))

    return Counterpart(f"sklearn.metrics.{name}", of, {}, evaluate)


def _ranking(function, s, y):
    """The score in the first place, 0 in the second."""
    return function(to_tensor(s), to_tensor(0.0 * s), to_tensor(y))


def _log_loss(function, s, y):
    """The classes are named, since a batch may lack some."""
    return function(y, softmax(s, axis=1), labels=np.arange(s.shape[1]))


def _hinge(function, s, y):
    return function(y, s, labels=np.arange(s.shape[1])) if s.ndim == 2 else function(y, s)


P, Q = "sigmoid({s})", "softmax({s})"
"""What a score becomes before it is handed over."""

TABLE: dict[str, tuple[Counterpart, ...]] = {
    "MSELoss": (
        _torch("MSELoss"),
        _sklearn("mean_squared_error"),
        Counterpart("sklearn.linear_model.LinearRegression"),
        Counterpart("optax.losses.squared_error"),
        Counterpart("keras.losses.MeanSquaredError"),
    ),
    "MAELoss": (
        _torch("L1Loss"),
        _sklearn("mean_absolute_error"),
        Counterpart("sklearn.linear_model.QuantileRegressor"),
        Counterpart("keras.losses.MeanAbsoluteError"),
    ),
    "HuberLoss": (
        _torch("HuberLoss"),
        Counterpart("sklearn.linear_model.HuberRegressor"),
        Counterpart("optax.losses.huber_loss"),
        Counterpart("keras.losses.Huber"),
    ),
    "SigmoidMSELoss": (
        _torch("MSELoss", sigmoid, of=P),
        _sklearn("brier_score_loss", sigmoid, of=P),
        Counterpart("optax.losses.squared_error", P),
        Counterpart("keras.losses.MeanSquaredError", P),
    ),
    "BCELoss": (
        _torch("BCELoss"),
        _sklearn("log_loss"),
        Counterpart("keras.losses.BinaryCrossentropy"),
    ),
    "BCEWithLogitsLoss": (
        _torch("BCEWithLogitsLoss"),
        _sklearn("log_loss", sigmoid, of=P),
        Counterpart("sklearn.linear_model.LogisticRegression"),
        Counterpart("optax.losses.sigmoid_binary_cross_entropy"),
        Counterpart("keras.losses.BinaryCrossentropy", options={"from_logits": True}),
    ),
    "CrossEntropyLoss": (
        _torch("CrossEntropyLoss", real=False),
        Counterpart("sklearn.metrics.log_loss", Q, {}, _log_loss),
        Counterpart("sklearn.linear_model.LogisticRegression"),
        Counterpart("optax.losses.softmax_cross_entropy_with_integer_labels"),
        Counterpart("keras.losses.SparseCategoricalCrossentropy", options={"from_logits": True}),
    ),
    "OneVsRestCrossEntropyLoss": (
        _torch("BCELoss", lambda s: softmax(s, axis=1), of=Q, one_hot=True),
    ),
    "HingeLoss": (
        Counterpart("torch.nn.MarginRankingLoss", "{s} against 0", {"margin": 1}, _ranking),
        Counterpart("sklearn.metrics.hinge_loss", evaluate=_hinge),
        Counterpart("sklearn.svm.LinearSVC", options={"loss": "hinge"}),
        Counterpart("optax.losses.hinge_loss"),
        Counterpart("keras.losses.Hinge"),
    ),
    "SquaredHingeLoss": (
        Counterpart("sklearn.svm.LinearSVC", options={"loss": "squared_hinge"}),
        Counterpart("keras.losses.SquaredHinge"),
    ),
    "MulticlassHingeLoss": (
        Counterpart("sklearn.metrics.hinge_loss", evaluate=_hinge),
        Counterpart("sklearn.svm.LinearSVC", options={"multi_class": "crammer_singer"}),
        Counterpart("optax.losses.multiclass_hinge_loss"),
        # keras.losses.CategoricalHinge is another function: it takes the largest of the wrong
        # scores and 0, so that wrong scores below 0 gain nothing
    ),
    "MulticlassHingeLoss weston-watkins": (_torch("MultiMarginLoss", real=False),),
    "SoftmaxMSELoss": (
        _torch("MSELoss", lambda s: softmax(s, axis=1), of=Q, one_hot=True),
        _sklearn("mean_squared_error", lambda s: softmax(s, axis=1), of=Q, one_hot=True),
        Counterpart("keras.losses.MeanSquaredError", Q),
    ),
    "ExpMSELoss": (
        _torch("MSELoss", np.exp, of="exp({s})", one_hot=True),
        _sklearn("mean_squared_error", np.exp, of="exp({s})", one_hot=True),
    ),
}


def counterparts(loss: base.Loss) -> dict[str, Counterpart]:
    """Return the counterparts of a loss, by kind.

    Parameters
    ----------
    loss : Loss
        A loss of `lossutils.losses`.

    Returns
    -------
    dict of str to Counterpart
        Those that there are, of the kinds "torch", "sklearn", "sklearn model", "optax" and "keras".

    Raises
    ------
    ValueError
        If the loss is none of the course's.
    """
    name = type(loss).__name__
    variant = getattr(loss, "variant", "crammer-singer")
    key = name if variant == "crammer-singer" else f"{name} {variant}"
    if key not in TABLE:
        raise ValueError(f"no counterpart of {loss!r} is known; known are {', '.join(TABLE)}")
    return {entry.kind: entry for entry in TABLE[key]}
