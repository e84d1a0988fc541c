"""Losses of the chapter on outliers, quantiles and noise that varies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import check_positive, named_float64
from .base import Loss
from .targets import RealTargets, mean_over_scores, width


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


@dataclass(frozen=True)
class QuantileLoss(RealTargets):
    r"""Quantile or pinball loss, whose best constant is a quantile of the targets.

    .. math:: l = \frac{1}{K} \sum_k \max\bigl(\tau\, (y_k - s_k), (\tau - 1) (y_k - s_k)\bigr),
              \qquad \frac{\partial l}{\partial s_k} =
              \frac{1}{K} \begin{cases} -\tau & s_k < y_k \\ 1 - \tau & s_k > y_k \end{cases}

    Scores and targets have the same shape, (m,) or (m, K), with K = 1 for (m,). It is the negative
    log-likelihood of asymmetric Laplace noise up to scale and constant. At the kink s = y the
    gradient is 0, one of its subgradients. With the quantile 1/2 it is half the absolute error.
    Convex. Called as every `Loss`; it is ``sklearn.metrics.mean_pinball_loss``, and PyTorch has
    none.

    Parameters
    ----------
    quantile : float, default 0.5
        Share :math:`\tau` of the targets that shall lie below the scores; between 0 and 1.

    Notes
    -----
    Source: R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46 (1978).

    Examples
    --------
    >>> QuantileLoss(quantile=0.75)([0.0, 0.0], [4.0, -4.0], reduction="none")
    array([3., 1.])
    """

    quantile: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.quantile < 1:
            raise ValueError(
                f"QuantileLoss: quantile must lie between 0 and 1, got {self.quantile!r}"
            )

    def _rule(self, s, y):
        d, below, above = s - y, -self.quantile, 1.0 - self.quantile
        value = mean_over_scores(np.maximum(above * d, below * d))
        return value, lambda: np.where(d > 0, above, np.where(d < 0, below, d)) / width(s)


@dataclass(frozen=True)
class StudentTLoss(RealTargets):
    r"""Negative log-likelihood of Student-t noise up to a constant: far points lose their pull.

    .. math:: l = \frac{1}{K} \sum_k \frac{\nu + 1}{2} \log\Bigl(1 + \frac{d_k^2}{\nu b^2}\Bigr),
              \qquad \frac{\partial l}{\partial s_k} =
              \frac{1}{K} \frac{(\nu + 1)\, d_k}{\nu b^2 + d_k^2}, \quad d = s - y

    Scores and targets have the same shape, (m,) or (m, K), with K = 1 for (m,). Without its
    constant the loss is 0 at s = y. The gradient is steepest at :math:`|d| = b \sqrt{\nu}` and
    falls like :math:`(\nu + 1) / d` beyond: the influence redescends. Not convex, so descent may
    end in a local minimum. For large ν it is :math:`d^2 / (2 b^2)`. Called as every
    `Loss`; up to the constant it is ``-torch.distributions.StudentT(df, s, scale).log_prob(y)``.

    Parameters
    ----------
    df : float, default 4.0
        Degrees of freedom :math:`\nu`; positive. Noise with 1 is Cauchy's.
    scale : float, default 1.0
        Width :math:`b` of the noise, in the units of the targets; positive. The standard deviation
        is :math:`b \sqrt{\nu / (\nu - 2)}` with more than 2 degrees of freedom, otherwise infinite.

    Notes
    -----
    Source: K. L. Lange, R. J. A. Little and J. M. G. Taylor, "Robust statistical modeling using the
    t distribution", Journal of the American Statistical Association 84 (1989).

    Examples
    --------
    >>> StudentTLoss(df=1.0).grad([1.0, 3.0, 9.0], [0.0, 0.0, 0.0], reduction="sum").round(2)
    array([1.  , 0.6 , 0.22])
    """

    df: float = 4.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_positive("StudentTLoss: df", self.df)
        check_positive("StudentTLoss: scale", self.scale)

    def _rule(self, s, y):
        d, df, scale = s - y, self.df, self.scale
        t = d / scale
        u = t * t / df
        # Where the square overflows, the 1 beside it does not count, and the logarithm of d does.
        tail = 2.0 * (np.log(np.abs(d)) - np.log(scale)) - np.log(df)
        value = mean_over_scores(0.5 * (df + 1.0) * np.where(np.isinf(u), tail, np.log1p(u)))

        def gradient():
            near = t / (df + t * t) / scale
            far = 1.0 / (d + df * scale * (scale / d))
            return (df + 1.0) * np.where(np.abs(t) <= 1.0, near, far) / width(s)

        return value, gradient


@dataclass(frozen=True)
class LogCoshLoss(RealTargets):
    r"""Logarithm of the hyperbolic cosine: half a square near the target, straight beyond.

    .. math:: l = \frac{1}{K} \sum_k \log \cosh(s_k - y_k), \qquad
              \frac{\partial l}{\partial s_k} = \frac{1}{K} \tanh(s_k - y_k)

    Scores and targets have the same shape, (m,) or (m, K), with K = 1 for (m,). Near the target the
    loss of one score is :math:`\tfrac12 (s - y)^2`, far from it :math:`|s - y| - \log 2`, and the
    pull is at most 1, as with ``HuberLoss(delta=1)``, but without its two corners in the slope. The
    unit of the targets decides what is near. Convex. Called as every `Loss`; Keras and optax have
    it, PyTorch does not.

    Notes
    -----
    Both ends keep their relative accuracy: log(cosh(d)) loses it near 0, and overflows beyond 710.
    It is the negative log-likelihood of hyperbolic secant noise up to scale and constant.

    Examples
    --------
    >>> LogCoshLoss()([0.0, 1000.0], [0.0, 0.0], reduction="none").round(3)
    array([  0.   , 999.307])
    """

    def _rule(self, s, y):
        d = s - y
        a = np.abs(d)
        # cosh(a) - 1 = 2 sinh(a/2)^2, without a subtraction. Beyond 20 the rest is below eps / 100.
        near = np.log1p(2.0 * np.sinh(0.5 * np.minimum(a, 20.0)) ** 2)
        value = mean_over_scores(np.where(a > 20, a - np.log(2), near))
        return value, lambda: np.tanh(d) / width(s)


@dataclass(frozen=True)
class GaussianNLLLoss(Loss):
    r"""Negative log-likelihood of Gaussian noise whose variance is predicted, too.

    .. math:: l = \tfrac12 \bigl(s_2 + (y - s_1)^2 e^{-s_2}\bigr), \qquad
              \frac{\partial l}{\partial s_1} = (s_1 - y)\, e^{-s_2}, \quad
              \frac{\partial l}{\partial s_2} = \tfrac12 \bigl(1 - (y - s_1)^2 e^{-s_2}\bigr)

    Scores have shape (m, 2): the first column is the mean, the second the logarithm of the
    variance, which may be any number. Targets are real, shape (m,). The value has no lower bound
    where a mean equals its target. Convex in each column, not in both. Called as every `Loss`.

    Parameters
    ----------
    full : bool, default False
        Add the constant :math:`\tfrac12 \log 2\pi`, so that the value is the whole negative
        log-density.

    Notes
    -----
    ``torch.nn.GaussianNLLLoss`` takes the variance as an argument of its own, not its logarithm,
    and uses ``eps = 1e-6`` in place of any smaller one. Here nothing is clamped. The two agree
    where the variance is larger; below, the value there no longer depends on it.

    Source: D. A. Nix and A. S. Weigend, "Estimating the mean and variance of the target probability
    distribution", Proceedings of ICNN (1994).

    Examples
    --------
    >>> GaussianNLLLoss()([[1.0, 0.0], [1.0, np.log(4)]], [3.0, 3.0], reduction="none").round(3)
    array([2.   , 1.193])
    """

    full: bool = False

    _score_ndim = (2,)
    _score_shape = "(m, 2)"

    def score_shape(self, targets: ArrayLike) -> tuple[int, ...]:
        """Return (m, 2): a mean and a log-variance for each example."""
        return *np.shape(targets)[:1], 2

    def _check_targets(self, shape, targets):
        if shape[1] != 2:
            raise ValueError(
                f"{self._name}: scores must have two columns, mean and log-variance, got shape "
                f"{shape}; a variance v becomes a column with np.log(v)"
            )
        y, _ = named_float64(self._name, "targets", targets)
        if y.shape != shape[:1]:
            raise ValueError(
                f"{self._name}: targets must have shape {shape[:1]}, one number for each row of "
                f"scores, got {y.shape}"
                + (
                    "; one column becomes numbers with targets[:, 0]"
                    if y.shape == (shape[0], 1)
                    else ""
                )
            )
        return y

    def _rule(self, s, y):
        mean, log_variance = s.T
        d, root = mean - y, np.exp(-0.25 * log_variance)
        # Four small steps towards d exp(-log_variance): none overflows unless the result does.
        # Without an error there is none in units of a spread either, even if that is 0.
        z = np.where(d == 0, 0.0, d * root * root)
        square = z * z
        value = 0.5 * np.where(np.isinf(square), square, log_variance + square)

        def gradient():
            by_mean = np.where(d == 0, 0.0, z * root * root)
            return np.stack([by_mean, 0.5 * (1.0 - square)], axis=1)

        return value + (0.5 * np.log(2 * np.pi) if self.full else 0.0), gradient
