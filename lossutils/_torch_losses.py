"""PyTorch's version of every loss, for autograd to differentiate."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ._optional import optional_import
from .losses import base


def torch_loss(loss: base.Loss) -> Callable[[Any, Any], Any]:
    """Return a loss as a function of PyTorch tensors, for autograd to differentiate.

    It is PyTorch's own function where there is one, and the textbook formula otherwise.

    Parameters
    ----------
    loss : Loss
        A loss of `lossutils.losses`.

    Returns
    -------
    callable
        Takes scores and targets, and returns a tensor of shape (m,).

    Raises
    ------
    ModuleNotFoundError
        If PyTorch is not installed.
    ValueError
        If the loss is not one of this course.
    """
    torch = optional_import("torch", "torch")
    F = torch.nn.functional
    settings: Any = loss  # only some losses have a margin, a delta and so on

    # MKL chooses a function's code at its first call. If several threads make this call at once,
    # one may get code of half the digits: https://github.com/pytorch/pytorch/issues/188792. So one
    # thread makes it here.
    torch.exp(torch.zeros(1, dtype=torch.float64))

    def per_example(values):
        return values.mean(dim=1) if values.ndim == 2 else values

    def real(function):
        return lambda s, y: per_example(function(s, y.to(s), reduction="none"))

    def one_hot(s, y):
        return y.to(s) if y.ndim == 2 else F.one_hot(y, s.shape[1]).to(s)

    def as_classes(y):
        return y.double() if y.ndim == 2 else y

    def weights(option):
        given = getattr(loss, option, None)
        return None if given is None else torch.tensor(given, dtype=torch.float64)

    def focal(s, y, reduction):
        of_1, of_0 = (1.0, 1.0) if settings.alpha is None else (settings.alpha, 1 - settings.alpha)
        if_1 = torch.sigmoid(-s) ** settings.gamma * F.softplus(-s)
        if_0 = torch.sigmoid(s) ** settings.gamma * F.softplus(s)
        return of_1 * y * if_1 + of_0 * (1 - y) * if_0

    def dice(s, y):
        p, smooth = torch.sigmoid(s), settings.smooth
        both = p.sum(dim=1) + y.sum(dim=1)
        return 1 - (2 * (p * y).sum(dim=1) + smooth) / (both + smooth)

    def cross_entropy(s, y):
        of_class, share = weights("weight"), settings.label_smoothing
        ignored = settings.ignore_index
        kept = torch.ones(len(s), dtype=bool) if ignored is None else y != ignored
        values = F.cross_entropy(
            s,
            as_classes(y),
            weight=of_class,
            ignore_index=-100 if ignored is None else ignored,
            label_smoothing=share,
            reduction="none",
        )
        if not settings.z_loss:
            return values
        target = one_hot(s, y if y.ndim == 2 else torch.where(kept, y, 0))
        target = (1 - share) * target + share / s.shape[1]
        total = target.sum(dim=1) if of_class is None else target @ of_class
        return values + settings.z_loss * kept * total * torch.logsumexp(s, dim=1) ** 2

    def softmax_bce(s, y):
        p, y = torch.softmax(s, dim=1), one_hot(s, y)
        return F.binary_cross_entropy(p, y, reduction="none").sum(dim=1)

    def poisson(s, y):
        # PyTorch's own without its 1e-8, and log y! instead of its approximation
        y = y.to(s)
        values = F.poisson_nll_loss(s, y, settings.log_input, eps=0.0, reduction="none")
        return per_example(values + torch.lgamma(y + 1) if settings.full else values)

    def hinge(s, y):
        return torch.relu(settings.margin - y * s)

    def multiclass_hinge(s, y):
        right = s.gather(1, y[:, None])
        wrong = F.one_hot(y, s.shape[1]) == 0
        violations = torch.relu(settings.margin + s - right)[wrong].reshape(len(s), -1)
        if settings.variant == "weston-watkins":
            return violations.sum(dim=1)
        return violations.max(dim=1).values  # amax would share the gradient of a tie

    def pairs(cost):
        def summed(s, y):
            costs = cost(s[:, :, None] - s[:, None, :])
            return torch.where(y[:, :, None] > y[:, None, :], costs, 0.0).sum(dim=(1, 2))

        return summed

    def info_nce(s, y):
        s = s / settings.temperature
        if not settings.decoupled:
            return F.cross_entropy(s, y, reduction="none")
        right = F.one_hot(y, s.shape[1]) == 1
        return torch.logsumexp(s.masked_fill(right, -torch.inf), dim=1) - s[right]

    def dpo(s, y):
        growth = settings.beta * ((s[:, 0] - y[:, 0]) - (s[:, 1] - y[:, 1]))
        share = settings.label_smoothing
        return -(1 - share) * F.logsigmoid(growth) - share * F.logsigmoid(-growth)

    def quantile(s, y, reduction):
        low, high = torch.relu(y - s), torch.relu(s - y)  # with slope 0 at the kink
        return settings.quantile * low + (1 - settings.quantile) * high

    def student_t(s, y, reduction):
        u = ((s - y) / settings.scale) ** 2 / settings.df
        return 0.5 * (settings.df + 1) * torch.log1p(u)

    def log_cosh(s, y, reduction):
        return torch.log(torch.cosh(s - y))

    def gaussian_nll(s, y):
        mean, variance = s[:, 0], s[:, 1].exp()
        return F.gaussian_nll_loss(mean, y.to(s), variance, full=settings.full, reduction="none")

    functions = {
        "MSELoss": real(F.mse_loss),
        "MAELoss": real(F.l1_loss),
        "HuberLoss": real(lambda s, y, **kw: F.huber_loss(s, y, delta=settings.delta, **kw)),
        "QuantileLoss": real(quantile),
        "StudentTLoss": real(student_t),
        "LogCoshLoss": real(log_cosh),
        "GaussianNLLLoss": gaussian_nll,
        "SigmoidMSELoss": lambda s, y: per_example(0.5 * (y - torch.sigmoid(s)) ** 2),
        "BCELoss": real(F.binary_cross_entropy),
        "BCEWithLogitsLoss": real(
            partial(F.binary_cross_entropy_with_logits, pos_weight=weights("pos_weight"))
        ),
        "ProbitLoss": lambda s, y: per_example(
            -y * torch.special.log_ndtr(s) - (1 - y) * torch.special.log_ndtr(-s)
        ),
        "PoissonNLLLoss": poisson,
        "CrossEntropyLoss": cross_entropy,
        "FocalLoss": real(focal),
        "DiceLoss": dice,
        "SoftmaxBCELoss": softmax_bce,
        "HingeLoss": hinge,
        "SquaredHingeLoss": lambda s, y: hinge(s, y) ** 2,
        "MulticlassHingeLoss": multiclass_hinge,
        "PairwiseLogisticLoss": pairs(lambda lead: -F.logsigmoid(lead)),
        "PairwiseHingeLoss": pairs(lambda lead: torch.relu(settings.margin - lead)),
        "InfoNCELoss": info_nce,
        "DPOLoss": dpo,
        "SoftmaxMSELoss": lambda s, y: per_example((one_hot(s, y) - torch.softmax(s, 1)) ** 2),
        "ExpMSELoss": lambda s, y: per_example((one_hot(s, y) - torch.exp(s)) ** 2),
    }
    try:
        return functions[type(loss).__name__]
    except KeyError:
        raise ValueError(
            f"no PyTorch counterpart of {loss!r} is known; known are {', '.join(functions)}"
        ) from None
