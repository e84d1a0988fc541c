"""Losses of PyTorch, fvcore and MONAI, as plain functions of arrays, in double precision."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from lossutils.laws import Subject

from . import cases
from .cases import FVCORE, MONAI, PYTORCH, RIGHT, SINGLE_PRECISION, WRONG, Called, is_rows


def tensor(y):
    """Return targets as PyTorch takes them: labels as integers, all else in double precision."""
    y = np.ascontiguousarray(y)
    return torch.tensor(y) if y.dtype.kind in "iu" else torch.tensor(y, dtype=torch.float64)


def in_torch(loss, *, real=False, tol=1e-9, size=None):
    """Wrap a function of tensors of scores, targets and weights (or None)."""

    def evaluate(s, y, w):
        scores = torch.tensor(np.ascontiguousarray(s), dtype=torch.float64, requires_grad=True)
        targets = tensor(np.asarray(y, dtype=np.float64) if real else y)
        weights = None if w is None else torch.tensor(np.asarray(w), dtype=torch.float64)
        return scores, loss(scores, targets, weights)

    def gradient(s, y, w):
        scores, value = evaluate(s, y, w)
        (found,) = torch.autograd.grad(value, scores)
        return found.numpy()

    options = {} if size is None else {"size": size}
    return Subject(lambda s, y, w: float(evaluate(s, y, w)[1]), gradient, tol=tol, **options)


def class_weighted(weights, smoothing=0.0):
    """Wrap PyTorch's cross-entropy with a weight for each class."""
    weight = torch.tensor(weights, dtype=torch.float64)

    def size(y, w):
        return float(len(y) if is_rows(y) else weight[tensor(y)].sum())

    def loss(s, y, w):
        return F.cross_entropy(s, y, weight=weight, label_smoothing=smoothing)

    return in_torch(loss, size=size)


EMPTY = "pytorch/pytorch/issues/50224"


def pytorch():
    """Return what is tried of PyTorch."""
    yield Called(
        PYTORCH,
        "torch.nn.CrossEntropyLoss()",
        in_torch(lambda s, y, w: F.cross_entropy(s, y)),
        cases.of_classes("repetition"),
        {
            "shift": "pytorch/pytorch/issues/11752",
            "nothing": EMPTY,
            RIGHT: "pytorch/pytorch/issues/195678",
        },
    )
    yield Called(
        PYTORCH,
        "torch.nn.CrossEntropyLoss(ignore_index=-100)",
        in_torch(lambda s, y, w: F.cross_entropy(s, y, ignore_index=-100)),
        {"nothing": cases.of_classes(ignored=-100)["nothing"]},
        {"nothing": "pytorch/pytorch/issues/70348"},
    )
    weighted = cases.of_classes("proper", "repetition", "permutation", "nothing", WRONG, RIGHT)
    weighted["one_hot"] = (cases.of(cases.laws.one_hot, *cases.ISSUE_25571),)
    yield Called(
        PYTORCH,
        "torch.nn.CrossEntropyLoss(weight=(2, 4, 6))",
        class_weighted((2.0, 4.0, 6.0)),
        weighted,
        {"one_hot": "pytorch/pytorch/issues/25571"},
        {
            "one_hot": "The mean of labels divides by the weights of the right classes, and "
            "that of rows by the number of examples; both are documented."
        },
    )
    for weight in (9, 19, 100):
        yield Called(
            PYTORCH,
            f"torch.nn.CrossEntropyLoss(weight=(1, {weight}), label_smoothing=0.1)",
            class_weighted((1.0, float(weight)), 0.1),
            cases.smoothed_and_weighted(),
            {"proper": "pytorch/pytorch/issues/104776"},
        )

    def label_or_row(s, y, w):
        log_p = F.log_softmax(s, dim=1)
        return F.kl_div(log_p, y, reduction="mean") if y.ndim == 2 else F.nll_loss(log_p, y)

    yield Called(
        PYTORCH,
        'NLLLoss() of labels, KLDivLoss(reduction="mean") of rows',
        in_torch(label_or_row),
        {"one_hot": cases.of_classes()["one_hot"]},
        {"one_hot": "pytorch/pytorch/issues/6622"},
        {"one_hot": 'This mean is over examples and classes; "batchmean" is over examples.'},
    )
    yield Called(
        PYTORCH,
        "torch.nn.BCEWithLogitsLoss(weight=w)",
        in_torch(lambda s, y, w: F.binary_cross_entropy_with_logits(s, y, weight=w), real=True),
        cases.of_yes_no(),
        {
            "repetition": "pytorch/pytorch/issues/54843",
            "nothing": EMPTY,
        },
    )
    yield Called(
        PYTORCH,
        "torch.nn.BCELoss() of torch.sigmoid(z)",
        in_torch(lambda s, y, w: F.binary_cross_entropy(torch.sigmoid(s), y), real=True),
        cases.of_yes_no("repetition"),
        {WRONG: "pytorch/pytorch/issues/103316", "nothing": EMPTY},
    )
    for name, loss, elicited in (
        ("MSELoss", F.mse_loss, "mean"),
        ("L1Loss", F.l1_loss, "median"),
    ):
        yield Called(
            PYTORCH,
            f"torch.nn.{name}()",
            in_torch(lambda s, y, w, loss=loss: loss(s, y), real=True),
            cases.of_numbers("repetition", elicited=elicited),
            {"nothing": EMPTY},
        )


def fvcore():
    """Return what is tried of fvcore, which computes in float32."""
    from fvcore.nn import sigmoid_focal_loss

    for gamma in (2.0, 0.5):
        yield Called(
            FVCORE,
            f'fvcore.nn.sigmoid_focal_loss(gamma={gamma:g}, reduction="mean")',
            in_torch(
                lambda s, y, w, gamma=gamma: sigmoid_focal_loss(
                    s, y, gamma=gamma, reduction="mean"
                ),
                real=True,
                tol=SINGLE_PRECISION,
            ),
            cases.of_focal(gamma, "repetition", "slope"),
        )


def monai():
    """Return what is tried of MONAI."""
    from monai.losses import DiceLoss

    def dice(**options):
        loss = DiceLoss(sigmoid=True, **options)
        return in_torch(lambda s, y, w: loss(s[:, None], y[:, None]), real=True)

    yield Called(
        MONAI,
        "monai.losses.DiceLoss(sigmoid=True)",
        dice(),
        cases.of_masks(),
        {"proper": "Project-MONAI/MONAI/issues/8094"},
    )
    yield Called(
        MONAI,
        "monai.losses.DiceLoss(sigmoid=True, soft_label=True)",
        dice(soft_label=True),
        cases.of_masks("nothing"),
    )
    yield Called(
        MONAI,
        "monai.losses.DiceLoss(sigmoid=True, batch=True)",
        dice(batch=True),
        {"parts": cases.of_masks()["parts"]},
        {"parts": "Project-MONAI/MONAI/issues/807"},
        {"parts": "A Dice of the whole batch is no mean over images; that is what is asked for."},
    )
