"""The loss of the chapter on squared error."""

from __future__ import annotations

from dataclasses import dataclass

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
