"""Losses of MLX, as plain functions of arrays, in float32, in which it computes by default."""

from __future__ import annotations

import mlx.core as mx
import mlx.nn as mlx_nn
import numpy as np

from lossutils.laws import Subject

from . import cases
from .cases import MLX, SINGLE_PRECISION, WRONG, Called


def in_mlx(loss, *, real=False):
    """Wrap a function of MLX arrays of scores, targets and weights (or None)."""
    mx.set_default_device(mx.cpu)

    def prepared(s, y, w):
        y = np.asarray(y)
        whole = y.dtype.kind in "iu" and not real
        return (
            mx.array(np.asarray(s, dtype=np.float32)),
            mx.array(y.astype(np.int32 if whole else np.float32)),
            None if w is None else mx.array(np.asarray(w, dtype=np.float32)),
        )

    def gradient(s, y, w):
        scores, targets, weights = prepared(s, y, w)
        return np.array(mx.grad(lambda x: loss(x, targets, weights))(scores))

    return Subject(lambda s, y, w: loss(*prepared(s, y, w)).item(), gradient, tol=SINGLE_PRECISION)


def of_mlx():
    """Return what is tried of MLX."""
    yield Called(
        MLX,
        'mlx.nn.losses.cross_entropy(reduction="mean")',
        in_mlx(lambda s, y, w: mlx_nn.losses.cross_entropy(s, y, weights=w, reduction="mean")),
        cases.of_classes("slope"),
        {"shift": "ml-explore/mlx/pull/4188"},
    )
    for logits in (True, False):
        yield Called(
            MLX,
            "mlx.nn.losses.binary_cross_entropy"
            + ("" if logits else "(with_logits=False) of mlx.core.sigmoid(z)"),
            in_mlx(
                lambda s, y, w, logits=logits: mlx_nn.losses.binary_cross_entropy(
                    s if logits else mx.sigmoid(s), y, w, logits, "mean"
                ),
                real=True,
            ),
            cases.of_yes_no("slope", *([] if logits else ["repetition", "nothing"])),
            {} if logits else {WRONG: "ml-explore/mlx/pull/1280"},
        )
