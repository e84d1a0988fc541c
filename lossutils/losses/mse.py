"""Losses of the chapter on squared error: MSE, and its robust neighbours MAE and Huber."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import check_positive
from .targets import RealTargets, mean_over_scores, width


@dataclass(frozen=True)
class MSELoss(RealTargets):
    r"""Mean squared error, the negative log-likelihood of Gaussian noise up to scale and constant.

    .. math:: l = \frac{1}{K} \lVert y - s \rVert^2, \qquad \nabla_s l = \frac{2}{K} (s - y)

    Scores and targets have the same shape, (m,) or (m, K), with K = 1 for (m,). There is no ½.
    Convex and smooth; the gradient grows without bound with the residual, so one outlier can
    outvote many examples. Called as every `Loss`; with K columns the "mean" equals that of
    ``torch.nn.MSELoss``.

    Notes
    -----
    Source: claims C1, C2 and D2.

    Examples
    --------
    >>> MSELoss()([1.0, 2.0], [1.0, 4.0])
    2.0
    """

    def _rule(self, s, y):
        d = s - y
        return mean_over_scores(d**2), lambda: 2.0 * d / width(s)


@dataclass(frozen=True)
class MAELoss(RealTargets):
    r"""Mean absolute error, the negative log-likelihood of Laplace noise up to scale and constant.

    .. math:: l = \frac{1}{K} \sum_k |y_k - s_k|, \qquad
              \frac{\partial l}{\partial s_k} = \frac{1}{K} \operatorname{sign}(s_k - y_k)

    Scores and targets have the same shape, (m,) or (m, K), with K = 1 for (m,). At the kink s = y
    the gradient is 0, one of its subgradients. No residual pulls harder than another, so the fit is
    a median. Called as every `Loss`; it is ``torch.nn.L1Loss``.

    Notes
    -----
    Source: claim C3.

    Examples
    --------
    >>> MAELoss()([1.0, 2.0], [1.0, 4.0])
    1.0
    """

    def _rule(self, s, y):
        d = s - y
        return mean_over_scores(np.abs(d)), lambda: np.sign(d) / width(s)


@dataclass(frozen=True)
class HuberLoss(RealTargets):
    r"""Huber loss: half the squared error near the target, linear beyond ``delta``.

    .. math:: l = \frac{1}{K} \sum_k \begin{cases} \tfrac12 d_k^2 & |d_k| \le \delta \\
              \delta (|d_k| - \tfrac12 \delta) & |d_k| > \delta \end{cases}, \qquad
              \frac{\partial l}{\partial s_k} =
              \frac{1}{K} \operatorname{clip}(d_k, -\delta, \delta), \quad d = s - y

    Scores and targets have the same shape, (m,) or (m, K), with K = 1 for (m,). Note the ½, as in
    ``torch.nn.HuberLoss``. For descent it is half MSE with clipped gradients. Called as every
    `Loss`.

    Parameters
    ----------
    delta : float, default 1.0
        Residual, in the units of the targets, at which the loss turns linear; positive.

    Notes
    -----
    Source: P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical
    Statistics 35 (1964); claim C3.

    Examples
    --------
    >>> HuberLoss(delta=1.0)([0.5, 3.0], [0.0, 0.0], reduction="none")
    array([0.125, 2.5  ])
    """

    delta: float = 1.0

    def __post_init__(self) -> None:
        check_positive("HuberLoss: delta", self.delta)

    def _rule(self, s, y):
        # With q = min(|d|, delta) both cases are q (|d| - q/2): no branch is needed.
        d = s - y
        q = np.minimum(np.abs(d), self.delta)
        value = mean_over_scores(q * (np.abs(d) - 0.5 * q))
        return value, lambda: np.clip(d, -self.delta, self.delta) / width(s)
