"""Losses of the chapter on canonical links: Poisson regression of counts, and probit."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

from .._checks import Float64Array
from .._optional import optional_import
from .targets import CountTargets, UnitTargets, mean_over_scores, width


@dataclass(frozen=True)
class PoissonNLLLoss(CountTargets):
    r"""Negative log-likelihood of a Poisson count, of log-rates.

    .. math:: l = \frac{1}{K} \sum_k \bigl(e^{s_k} - y_k s_k\bigr), \qquad
              \frac{\partial l}{\partial s_k} = \frac{1}{K} \bigl(e^{s_k} - y_k\bigr)

    Scores are log-rates s; targets are counts, which need not be whole but are never
    negative. Both have the shape (m,), with K = 1, or (m, K), over which the loss of an example is
    the mean. Convex; the gradient is rate minus count (over K). Without log y! the loss can be
    negative. Gradient and value are accurate relative to the larger of the two terms that each
    subtracts. The limits s = ±inf cost +inf, except that s = -inf costs 0 if y = 0. Called as every
    `Loss`; the "mean" equals that of ``torch.nn.PoissonNLLLoss``.

    Parameters
    ----------
    log_input : bool, default True
        Whether scores are log-rates. If not, they are rates λ ≥ 0, and the loss is λ - y log λ with
        the gradient 1 - y/λ. A rate of 0 for a count above 0 costs +inf: nothing is added to λ
        (PyTorch takes the logarithm of λ + 1e-8, which costs 18.4 y there).
    full : bool, default False
        Whether to add log y!, so that the loss is the logarithm of a probability. No gradient
        depends on it. Here it is exact, by the log-gamma function of SciPy; PyTorch takes
        Stirling's approximation y log y - y + ½ log(2πy), which is too small by about 1/(12y), for
        y > 1, and 0 for other y.

    Raises
    ------
    ValueError
        Also if a target is negative, or a rate is.
    ModuleNotFoundError
        If ``full`` and SciPy is not installed.

    Notes
    -----
    Source: claims E1 and E2.

    Examples
    --------
    >>> loss = PoissonNLLLoss()
    >>> loss([0.0, 0.0], [0, 3], reduction="none")
    array([1., 1.])
    >>> loss.grad([0.0, 0.0], [0, 3], reduction="none")
    array([ 1., -2.])
    >>> round(PoissonNLLLoss(full=True)([0.0], [3]), 4)  # 1 + log 6
    2.7918
    """

    log_input: bool = True
    full: bool = False

    def _check_scores(self, s):
        if not self.log_input and (s < 0).any():
            raise ValueError(
                "PoissonNLLLoss: with log_input=False scores are rates, which must not be "
                f"negative, got values from {np.nanmin(s):g} to {np.nanmax(s):g}; "
                "for log-rates use log_input=True, or exp(scores)"
            )

    def _rule(self, s, y):
        rate = np.exp(s) if self.log_input else s
        log_rate = s if self.log_input else np.log(s)
        value = np.where(rate == np.inf, np.inf, rate - np.where(y == 0, 0.0, y * log_rate))
        if self.full:
            value = value + optional_import("scipy.special", "scipy").gammaln(y + 1.0)

        def gradient():
            if self.log_input:
                return (rate - y) / width(s)
            # (λ - y)/λ, since 1 - y/λ cancels where λ is near y; both limits are slopes of λ
            slope = np.where((rate == np.inf) | (y == 0), 1.0, (rate - y) / rate)
            return np.where(np.isnan(rate), np.nan, slope) / width(s)

        return mean_over_scores(value), gradient


@dataclass(frozen=True)
class ProbitLoss(UnitTargets):
    r"""Binary cross-entropy of the normal distribution function of a score: probit regression.

    .. math:: l = -\frac{1}{K} \sum_k
              \bigl(y_k \log \Phi(s_k) + (1 - y_k) \log \Phi(-s_k)\bigr), \qquad
              \frac{\partial l}{\partial s_k} = \frac{1}{K}
              \bigl((1 - y_k)\, h(-s_k) - y_k\, h(s_k)\bigr), \quad
              h(s_k) = \frac{\phi(s_k)}{\Phi(s_k)}

    Φ is the distribution function of the standard normal, ϕ its density, and h the inverse Mills
    ratio. Targets lie in [0, 1]; scores and targets have the shape (m,), with K = 1, or (m, K) for
    K labels at once, over which the loss of an example is the mean. Convex; a confident mistake
    costs about s²/2, and its gradient grows like s. Value and gradient keep their relative accuracy
    in both tails; infinite scores give the limits. Called as every `Loss`. PyTorch has no such
    loss.

    Raises
    ------
    ModuleNotFoundError
        If SciPy is not installed.

    Notes
    -----
    Source: C. I. Bliss, "The method of probits", Science 79 (1934).

    Examples
    --------
    >>> loss = ProbitLoss()
    >>> loss([0.0, 4.0], [1, 0], reduction="none")
    array([ 0.69314718, 10.36010149])
    >>> loss.grad([0.0, 4.0], [1, 0], reduction="none")
    array([-0.79788456,  4.22560714])
    """

    def _rule(self, s, y):
        # The label weight that disagrees with sign(s) pays for the tail Φ(-|s|), the other for the
        # rest. Mills' ratio Φ(-a)/φ(a) neither overflows nor underflows.
        a = np.abs(s)
        scaled = optional_import("scipy.special", "scipy").erfcx(a / sqrt(2.0))  # 2 Φ(-a) exp(a²/2)
        mills = sqrt(pi / 2.0) * scaled
        density = normal_density(s)
        tail = density * mills
        against, agreeing = np.where(s < 0, (y, 1.0 - y), (1.0 - y, y))
        cost = (against * a) * (0.5 * a) - against * np.log(0.5 * scaled)
        value = np.where(against == 0, 0.0, cost) - agreeing * np.log1p(-tail)

        def gradient():
            pull = np.where(against == 0, 0.0, against / mills)
            rest = agreeing * density / (1.0 - tail)
            return np.where(s < 0, -1.0, 1.0) * (pull - rest) / width(s)

        return mean_over_scores(value), gradient


def normal_density(s: Float64Array) -> Float64Array:
    r"""Return the normal density at s with full relative accuracy, also where it is tiny.

    The rounding of s² alone would cost 700 eps. With h near s and of few digits, h² is exact, and
    s² = h² + (s - h)(s + h).
    """
    a = np.minimum(np.abs(s), 40.0)  # beyond it φ is 0
    h = np.round(a * 1024.0) / 1024.0
    return np.exp(-0.5 * h * h) * np.exp(-0.5 * (a - h) * (a + h)) / sqrt(2.0 * pi)
