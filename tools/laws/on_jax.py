"""Losses of optax and of Keras on JAX, as plain functions of arrays, in double precision."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax

from lossutils.laws import Subject

from . import cases
from .cases import KERAS, OPTAX, RIGHT, WRONG, Called

jax.config.update("jax_enable_x64", True)
keras.config.set_floatx("float64")


def in_jax(loss, *, real=False, tol=1e-9):
    """Wrap a function of JAX arrays of scores, targets and weights (or None)."""

    def prepared(s, y, w):
        y = np.asarray(y, dtype=np.float64) if real else np.asarray(y)
        weights = None if w is None else jnp.asarray(np.asarray(w, dtype=np.float64))
        return jnp.asarray(np.asarray(s, dtype=np.float64)), jnp.asarray(y), weights

    def value(s, y, w):
        found = loss(*prepared(s, y, w))
        if found.shape == (0,):
            raise ValueError("what comes is an array of no numbers, which cannot be differentiated")
        return float(found)

    return Subject(value, lambda s, y, w: np.asarray(jax.grad(loss)(*prepared(s, y, w))), tol=tol)


def of_optax():
    """Return what is tried of optax; its losses are means by `jax.numpy.mean`."""

    def classes(s, y, w):
        if y.ndim == 2:
            return optax.softmax_cross_entropy(s, y).mean()
        return optax.softmax_cross_entropy_with_integer_labels(s, y).mean()

    yield Called(
        OPTAX,
        "optax.softmax_cross_entropy_with_integer_labels, optax.softmax_cross_entropy of rows",
        in_jax(classes),
        cases.of_classes("repetition"),
    )
    yield Called(
        OPTAX,
        "optax.sigmoid_binary_cross_entropy",
        in_jax(lambda s, y, w: optax.sigmoid_binary_cross_entropy(s, y).mean(), real=True),
        cases.of_yes_no("repetition"),
    )
    yield Called(
        OPTAX,
        "optax.sigmoid_focal_loss(gamma=0.5)",
        in_jax(lambda s, y, w: optax.sigmoid_focal_loss(s, y, gamma=0.5).mean(), real=True),
        cases.of_focal(0.5, "repetition"),
        {RIGHT: "google-deepmind/optax/pull/1346"},
    )
    yield Called(
        OPTAX,
        "optax.squared_error",
        in_jax(lambda s, y, w: optax.squared_error(s, y).mean(), real=True),
        cases.of_numbers("repetition"),
    )


MEAN_IN_FLOAT32 = 1e-6
"""What counts as rounding where `keras.ops.mean` rounds to float32, whatever it is given: see
keras-team/keras/issues/23223."""


def of_keras():
    """Return what is tried of Keras."""

    def classes(of_scores=lambda s: s, **options):
        by_label = keras.losses.SparseCategoricalCrossentropy(**options)
        by_row = keras.losses.CategoricalCrossentropy(**options)
        return in_jax(
            lambda s, y, w: (by_row if y.ndim == 2 else by_label)(y, of_scores(s), sample_weight=w)
        )

    weights = "keras-team/keras/issues/19740"
    yield Called(
        KERAS,
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True), Categorical… of rows",
        classes(from_logits=True),
        cases.of_classes(),
        {"repetition": weights},
        {"repetition": "It divides by the number of examples, as documented."},
    )
    yield Called(
        KERAS,
        'the same with reduction="mean_with_sample_weight"',
        classes(from_logits=True, reduction="mean_with_sample_weight"),
        {row: cases.of_classes()[row] for row in ("parts", "repetition", "nothing")},
    )
    yield Called(
        KERAS,
        "keras.losses.SparseCategoricalCrossentropy() of keras.ops.softmax(s)",
        classes(keras.ops.softmax),
        cases.of_classes("repetition", "nothing", "one_hot"),
        {WRONG: "keras-team/keras/issues/17634", RIGHT: "keras-team/keras/issues/17634"},
    )
    ignoring = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    yield Called(
        KERAS,
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)",
        in_jax(lambda s, y, w: ignoring(y, s)),
        {"nothing": cases.of_classes(ignored=-1)["nothing"]},
    )

    def yes_no(of_scores=lambda s: s, **options):
        # one column: the mean over the last axis is over one score
        loss = keras.losses.BinaryCrossentropy(**options)
        return in_jax(
            lambda s, y, w: loss(y[:, None], of_scores(s)[:, None], sample_weight=w),
            real=True,
            tol=MEAN_IN_FLOAT32,
        )

    yield Called(
        KERAS,
        "keras.losses.BinaryCrossentropy(from_logits=True)",
        yes_no(from_logits=True),
        cases.of_yes_no(),
        {"repetition": weights},
    )
    yield Called(
        KERAS,
        "keras.losses.BinaryCrossentropy() of keras.ops.sigmoid(z)",
        yes_no(keras.ops.sigmoid),
        cases.of_yes_no("repetition", "nothing"),
        {RIGHT: "keras-team/keras/issues/9664", WRONG: "keras-team/keras/issues/9247"},
    )
    squared = keras.losses.MeanSquaredError()
    yield Called(
        KERAS,
        "keras.losses.MeanSquaredError()",
        in_jax(
            lambda s, y, w: squared(y[:, None], s[:, None], sample_weight=w),
            real=True,
            tol=MEAN_IN_FLOAT32,
        ),
        cases.of_numbers(),
        {"repetition": weights},
    )
