"""The losses of PyTorch, scikit-learn, optax (JAX) and Keras that match those of the course.

The functions of PyTorch and scikit-learn can be called here, so that chapters measure the factors
between them and the losses of the course. `torch_loss` gives PyTorch's version of every loss, for
autograd. Of optax and Keras only the names are known; tests look them up where they are installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._optional import optional_import
from ._torch_losses import torch_loss
from .losses import base
from .special import sigmoid, softmax

__all__ = ["TABLE", "Counterpart", "counterparts", "to_tensor", "torch_loss"]


@dataclass(frozen=True)
class Counterpart:
    """One library's function for one loss."""

    name: str
    """Dotted name, as in ``torch.nn.MSELoss``."""
    of: str = "{s}"
    """What it takes instead of the scores ``s``, such as ``sigmoid({s})``."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options to call it with."""
    evaluate: Callable[[Any, Any, Any], Any] | None = None
    """Takes the function, scores and targets, and returns the mean loss. None if only the name is
    known."""
    wraps: str = ""
    """Dotted name of the model that it trains once for each label, if it does."""

    def markdown(self) -> str:
        """Return the name without its library, and what it takes, for a table."""
        arguments = [self.wraps.rpartition(".")[2] + "()"] if self.wraps else []
        arguments += [f"{name}={value!r}" for name, value in self.options.items()]
        call = f"({', '.join(arguments)})" if arguments else ""
        name = self.name.removeprefix(self.kind.partition(" ")[0] + ".") + call
        return f"`{name}`" + ("" if self.of == "{s}" else f" of `{self.of.format(s='s')}`")

    @property
    def kind(self) -> str:
        """Name of its library, or "sklearn model" for a model that is trained with the loss.

        What comes with torchvision is PyTorch's.
        """
        library, place, *_ = self.name.split(".")
        if library == "sklearn" and place != "metrics":
            return "sklearn model"
        return "torch" if library == "torchvision" else library

    @property
    def installed(self) -> bool:
        """Whether the library can be imported here."""
        return find_spec(self.name.partition(".")[0]) is not None

    def function(self) -> Any:
        """Import the function or class, and call it with its arguments if there are any.

        Raises
        ------
        ImportError, AttributeError
            If there is no such name.
        TypeError
            If it has no such option.
        """
        found = _look_up(self.name)
        if self.wraps:
            return found(_look_up(self.wraps)(), **self.options)
        return found(**self.options) if self.options else found

    def __call__(self, scores: ArrayLike, targets: ArrayLike) -> float:
        """Return the library's mean loss of some examples."""
        if self.evaluate is None:
            raise ValueError(f"only the name of {self.name} is known; it cannot be called here")
        return float(self.evaluate(self.function(), np.asarray(scores), np.asarray(targets)))


def _look_up(dotted):
    module, _, name = dotted.rpartition(".")
    return getattr(import_module(module), name)


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


def _sklearn_binary(name, prepare=lambda s: s, *, of="{s}"):
    """Take each label of each example for a question of its own; scikit-learn reads classes."""

    def evaluate(function, s, y):
        return function(np.ravel(y), prepare(np.ravel(s)), labels=[0, 1])

    return Counterpart(f"sklearn.metrics.{name}", of, {}, evaluate)


def _ranking(function, s, y):
    """Rank the score against 0."""
    return function(to_tensor(s), to_tensor(0.0 * s), to_tensor(y))


def _two_scores(function, s, y):
    """Rank the first item of a pair against the second."""
    return function(*to_tensor(s).T, to_tensor(np.sign(y[:, 0] - y[:, 1])))


def _lead(function, s, y):
    """Judge the lead of the first item by whether it is the better one."""
    return function()(to_tensor(s[:, 0] - s[:, 1]), to_tensor(np.sign(y[:, 0] - y[:, 1])))


def _growth_of_lead(function, s, y):
    """Judge a tenth of how much the lead has grown, which should be much."""
    growth = 0.1 * np.subtract(*(s - y).T)
    return function()(to_tensor(growth), to_tensor(np.ones(len(s))))


def _gaussian_nll(function, s, y):
    """Take the variance instead of its logarithm, as an argument of its own."""
    return function()(to_tensor(s[:, 0]), to_tensor(y), to_tensor(np.exp(s[:, 1])))


def _log_loss(function, s, y):
    """Name all classes, since a batch may lack some."""
    return function(y, softmax(s, axis=1), labels=np.arange(s.shape[1]))


def _hinge(function, s, y):
    return function(y, s, labels=np.arange(s.shape[1])) if s.ndim == 2 else function(y, s)


def _normal_cdf(s):
    return optional_import("scipy.special", "scipy").ndtr(s)


P, Q, PHI = "sigmoid({s})", "softmax({s})", "ndtr({s})"
"""What some functions take instead of scores."""

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
    "QuantileLoss": (
        _sklearn("mean_pinball_loss"),
        Counterpart("sklearn.linear_model.QuantileRegressor"),
    ),
    "StudentTLoss": (),  # but for a constant it is -torch.distributions.StudentT(...).log_prob
    "LogCoshLoss": (
        Counterpart("optax.losses.log_cosh"),
        Counterpart("keras.losses.LogCosh"),
    ),
    "GaussianNLLLoss": (
        Counterpart("torch.nn.GaussianNLLLoss", "mean, exp(log-variance)", {}, _gaussian_nll),
    ),
    "SigmoidMSELoss": (
        _torch("MSELoss", sigmoid, of=P),
        _sklearn_binary("brier_score_loss", sigmoid, of=P),
        Counterpart("optax.losses.squared_error", P),
        Counterpart("keras.losses.MeanSquaredError", P),
    ),
    "BCELoss": (
        _torch("BCELoss"),
        _sklearn_binary("log_loss"),
        Counterpart("keras.losses.BinaryCrossentropy"),
    ),
    "BCEWithLogitsLoss": (
        _torch("BCEWithLogitsLoss"),
        _sklearn_binary("log_loss", sigmoid, of=P),
        Counterpart("sklearn.linear_model.LogisticRegression"),
        Counterpart("optax.losses.sigmoid_binary_cross_entropy"),
        Counterpart("keras.losses.BinaryCrossentropy", options={"from_logits": True}),
    ),
    "ProbitLoss": (
        _torch("BCELoss", _normal_cdf, of=PHI),
        _sklearn_binary("log_loss", _normal_cdf, of=PHI),
        Counterpart("keras.losses.BinaryCrossentropy", PHI),
    ),
    "PoissonNLLLoss": (
        _torch("PoissonNLLLoss"),
        # sklearn.metrics.mean_poisson_deviance is 2 (λ - y - y log(λ/y)): another constant
        Counterpart("sklearn.linear_model.PoissonRegressor"),
        Counterpart("keras.losses.Poisson", "exp({s})"),
    ),
    "BCEWithLogitsLoss several labels": (
        _torch("BCEWithLogitsLoss"),
        _sklearn_binary("log_loss", sigmoid, of=P),
        Counterpart(
            "sklearn.multioutput.MultiOutputClassifier",
            wraps="sklearn.linear_model.LogisticRegression",
        ),
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
    "SoftmaxBCELoss": (_torch("BCELoss", lambda s: softmax(s, axis=1), of=Q, one_hot=True),),
    # of torchvision with alpha=-1; optax has no alpha by default
    "FocalLoss": (
        Counterpart("torchvision.ops.sigmoid_focal_loss"),
        Counterpart("optax.losses.sigmoid_focal_loss"),
        Counterpart("keras.losses.BinaryFocalCrossentropy", options={"from_logits": True}),
    ),
    # optax's smooth is half of ours; Keras has 1e-7, and only in the denominator
    "DiceLoss": (
        Counterpart("optax.losses.binary_dice_loss"),
        Counterpart("keras.losses.Dice", P, {"axis": (1,)}),
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
        # keras.losses.CategoricalHinge is another function: it compares with the larger of 0 and
        # the largest wrong score
    ),
    "MulticlassHingeLoss weston-watkins": (_torch("MultiMarginLoss", real=False),),
    "PairwiseLogisticLoss": (Counterpart("torch.nn.SoftMarginLoss", "s₁ - s₂", {}, _lead),),
    "PairwiseHingeLoss": (
        Counterpart("torch.nn.MarginRankingLoss", "s₁ and s₂", {"margin": 1}, _two_scores),
        # with -distances for scores also torch.nn.TripletMarginLoss, but for its eps of 1e-6
    ),
    "InfoNCELoss": (
        _torch("CrossEntropyLoss", of="{s} / τ", real=False),
        Counterpart("optax.losses.ntxent", "embeddings"),
    ),
    # TRL's DPOTrainer computes it, with loss_type="sigmoid"
    "DPOLoss": (
        Counterpart(
            "torch.nn.SoftMarginLoss", "β times the growth of s₁ - s₂", {}, _growth_of_lead
        ),
    ),
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


def counterparts(loss: base.Loss, *, several_labels: bool = False) -> dict[str, Counterpart]:
    """Return the counterparts of a loss, by kind.

    Parameters
    ----------
    loss : Loss
        A loss of `lossutils.losses`.
    several_labels : bool, default False
        Those for K labels of each example at once, of which any number may be 1. Known of
        ``BCEWithLogitsLoss``.

    Returns
    -------
    dict of str to Counterpart
        The known ones, of the kinds "torch", "sklearn", "sklearn model", "optax" and "keras".

    Raises
    ------
    ValueError
        If the loss is not one of this course, or none is known for several labels.
    """
    name = type(loss).__name__
    variant = getattr(loss, "variant", "crammer-singer")
    key = name if variant == "crammer-singer" else f"{name} {variant}"
    key += " several labels" if several_labels else ""
    if key not in TABLE:
        of = f"{loss!r} for several labels" if several_labels else repr(loss)
        raise ValueError(f"no counterpart of {of} is known; known are {', '.join(TABLE)}")
    return {entry.kind: entry for entry in TABLE[key]}


def to_tensor(x: ArrayLike) -> Any:
    """Copy an array into a PyTorch tensor: integers as int64, all other numbers as float64."""
    torch = optional_import("torch", "torch")
    array = np.ascontiguousarray(x)
    return torch.tensor(array.astype(np.int64 if array.dtype.kind in "iu" else np.float64))
