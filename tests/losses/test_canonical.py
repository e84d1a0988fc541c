"""Poisson counts and probit: accuracy, limits, options, and how PyTorch's own differs."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, special, stats

from lossutils.losses import BCELoss, PoissonNLLLoss, ProbitLoss
from tests.cases import COUNT, each, refusal
from tests.reference import (
    assert_accurate,
    error_in_eps,
    exact,
    grid,
    logits,
    precisions,
    reference,
)

# ---- Poisson -------------------------------------------------------------------------------------

COUNTS = pytest.mark.parametrize("count", [0.0, 1.0, 2.0])
RATES = np.array([5e-324, 1e-300, 1e-8, 0.3, 0.999, 1.0, 1.001, 2.0, 17.5, 1e3, 1e20, 1e300])


@COUNTS
@precisions
@pytest.mark.parametrize("full", [False, True])
def test_accuracy_of_small_counts(dtype, count, full):
    """For counts up to 2 the loss is positive, so that it has a relative accuracy everywhere.

    25 eps of a gradient that nearly cancels are 1 eps of what cancels.
    """
    s = logits(dtype)
    assert_accurate(PoissonNLLLoss(full=full), s, np.full(len(s), count), eps=25)


@pytest.mark.parametrize("count", [3.0, 7.0, 1e3, 1e9, 0.3])
@pytest.mark.parametrize("log_input", [True, False])
@pytest.mark.parametrize("full", [False, True])
def test_accuracy_relative_to_the_larger_term(count, log_input, full):
    s = np.append(logits(np.float64), np.log(count) + np.array([0, 1e-9, 1e-3, 0.1]))
    s = s[np.abs(s) < 700] if log_input else RATES
    loss = PoissonNLLLoss(log_input, full)
    value, grad = loss.value_and_grad(s, np.full(len(s), count), reduction="none")
    for x, v, g in zip(s.tolist(), value, grad, strict=True):
        true = reference(loss, (x,), (count,))
        rate, log_rate = (np.exp(x), x) if log_input else (x, np.log(x))
        size = max(rate, abs(count * log_rate), special.gammaln(count + 1) if full else 0)
        assert error_in_eps(v, true.value, size, float) <= 4
        size = max(rate, count) if log_input else abs(true.grad[0])
        assert error_in_eps(g, true.grad[0], size, float) <= 4


@pytest.mark.parametrize("count", [0.0, 1.0])
def test_accuracy_of_rates(count):
    assert_accurate(PoissonNLLLoss(log_input=False), RATES, np.full(len(RATES), count), eps=4)


@pytest.mark.parametrize("count", [0.0, 1.0])
def test_a_rate_that_is_nan_has_no_gradient(count):
    assert np.isnan(PoissonNLLLoss(log_input=False).grad([np.nan], [count]))


@pytest.mark.parametrize("loss", [PoissonNLLLoss(full=True), ProbitLoss()])
def test_without_scipy_it_says_what_to_install(loss, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(ModuleNotFoundError, match=r"lossutils\[scipy\]"):
        loss([1.0], [1.0])


def test_limits_of_log_rates():
    value, grad = PoissonNLLLoss().value_and_grad(
        [np.inf, np.inf, -np.inf, -np.inf, 800.0, 1e300], [0, 5, 0, 5, 1e300, 5], reduction="none"
    )
    assert_array_equal(value, [np.inf, np.inf, 0, np.inf, np.inf, np.inf])
    assert_array_equal(grad, [np.inf, np.inf, 0, -5, np.inf, np.inf])


def test_limits_of_rates():
    value, grad = PoissonNLLLoss(log_input=False).value_and_grad(
        [0.0, 0.0, np.inf, np.inf], [0, 3, 0, 3], reduction="none"
    )
    assert_array_equal(value, [0, np.inf, np.inf, np.inf])
    assert_array_equal(grad, [1, -np.inf, 1, 1])


def test_the_loss_may_be_negative_and_the_full_one_is_a_log_probability():
    counts = np.array([0, 1, 3, 10, 1000])
    s = np.log(np.array([0.5, 1.0, 3.0, 14.0, 900.0]))
    assert PoissonNLLLoss()(s[2:3], [3]) < 0
    full = PoissonNLLLoss(full=True)(s, counts, reduction="none")
    assert_allclose(full, -stats.poisson.logpmf(counts, np.exp(s)), rtol=1e-12)
    assert_array_equal(PoissonNLLLoss(full=True).grad(s, counts), PoissonNLLLoss().grad(s, counts))


def test_rates_and_log_rates_are_the_same_loss():
    s, counts = np.linspace(-3, 3, 13), np.arange(13)
    by_rate, by_log = PoissonNLLLoss(log_input=False), PoissonNLLLoss()
    rate = np.exp(s)
    assert_allclose(
        by_rate(rate, counts, reduction="none"), by_log(s, counts, reduction="none"), rtol=1e-14
    )
    chained = by_rate.grad(rate, counts, reduction="none") * rate
    assert_allclose(by_log.grad(s, counts, reduction="none"), chained, rtol=1e-12, atol=1e-14)


@each(COUNT)
@pytest.mark.parametrize(
    ("counts", "got"), [([2, -1], "-1 to 2"), ([np.nan, -0.5], "-0.5 to -0.5")]
)
def test_counts_must_not_be_negative(loss, counts, got):
    for scores, targets in ((np.ones(2), counts), (np.ones((2, 1)), np.c_[counts])):
        assert refusal(loss, scores, targets) == (
            "PoissonNLLLoss: targets must be counts, which are never negative, got values from "
            f"{got}; if they were standardised, take them as they were counted"
        )
    assert "nothing broadcasts" in refusal(loss, np.ones((2, 1)), counts)


def test_a_count_need_not_be_whole():
    assert_allclose(PoissonNLLLoss(full=True)([0.0], [0.5]), 1 + special.gammaln(1.5), rtol=1e-15)


@pytest.mark.parametrize(("rates", "got"), [([-0.5, 2.0], "-0.5 to 2"), ([np.nan, -1], "-1 to -1")])
def test_rates_must_not_be_negative(rates, got):
    with pytest.raises(ValueError, match="rates") as caught:
        PoissonNLLLoss(log_input=False)(rates, [0, 1])
    assert str(caught.value) == (
        "PoissonNLLLoss: with log_input=False scores are rates, which must not be negative, got "
        f"values from {got}; for log-rates use log_input=True, or exp(scores)"
    )


def test_pytorch_approximates_the_factorial_and_adds_to_the_rate():
    """The docstring says how: Stirling's formula for counts above 1, and 1e-8."""
    torch = pytest.importorskip("torch")

    def theirs(s, y, **options):
        module = torch.nn.PoissonNLLLoss(reduction="none", **options)
        return module(torch.tensor(s), torch.tensor(y)).numpy()

    counts = np.array([0.0, 0.5, 1.0, 2.0, 5.0, 100.0])
    s = np.zeros(6)
    gap = PoissonNLLLoss(full=True)(s, counts, reduction="none") - theirs(s, counts, full=True)
    assert_allclose(gap[[0, 2]], 0, atol=1e-15)
    assert_allclose(gap[1], special.gammaln(1.5), rtol=1e-13)
    assert_allclose(gap[3:], 1 / (12 * counts[3:]), rtol=0.02)
    clamped = theirs(np.zeros(1), np.array([3.0]), log_input=False)
    assert_allclose(clamped, -3 * np.log(1e-8))
    assert -np.log(1e-8) == pytest.approx(18.4, abs=0.05)


# ---- probit --------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", [0, 1])
@precisions
def test_accuracy_of_probit(dtype, label):
    s = logits(dtype)
    s = np.concatenate([s, np.linspace(-39, 39, 157).astype(dtype)])
    assert_accurate(ProbitLoss(), s, np.full(len(s), label), eps=8)


@pytest.mark.parametrize("target", [1e-300, 0.3, 0.5])
def test_accuracy_of_probit_against_soft_targets(target):
    s = logits(np.float64)
    assert_accurate(ProbitLoss(), s, np.full(len(s), target), eps=8)


@pytest.mark.parametrize("target", [0.0, 1.0, 0.3])
@precisions
def test_limits_of_probit(dtype, target):
    s = np.array([-np.inf, np.inf], dtype)
    assert_accurate(ProbitLoss(), s, [target, target], eps=0.5)


def test_the_logarithm_of_scipy_loses_what_ours_keeps():
    """The reason not to use `log_ndtr`: it rounds s² where the loss of a right answer is tiny."""
    s, kept = np.linspace(20, 37, 60), 0
    ours = ProbitLoss()(s, np.ones(60), reduction="none")
    for x, value, theirs in zip(s.tolist(), ours, -special.log_ndtr(s), strict=True):
        true = reference(ProbitLoss(), (x,), (1.0,)).value
        assert abs(exact(value) / true - 1) < 8 * 2.3e-16
        kept = max(kept, float(abs(exact(theirs) / true - 1)))
    assert kept > 50 * 2.3e-16


def test_probit_is_bce_of_the_normal_distribution_function():
    s, y = np.linspace(-4, 4, 21), np.tile([0.0, 1.0, 0.25], 7)
    expected = BCELoss()(special.ndtr(s), y, reduction="none")
    assert_allclose(ProbitLoss()(s, y, reduction="none"), expected, rtol=1e-12)
    chained = BCELoss().grad(special.ndtr(s), y, reduction="none") * stats.norm.pdf(s)
    assert_allclose(ProbitLoss().grad(s, y, reduction="none"), chained, rtol=1e-9, atol=1e-15)


def test_probit_is_the_chance_that_noise_flips_the_sign():
    for s in (-1.5, 0.0, 0.7):
        chance, _ = integrate.quad(lambda noise: stats.norm.pdf(noise) * 1.0, -np.inf, s)
        assert_allclose(ProbitLoss()([s], [1]), -np.log(chance), rtol=1e-8)


def test_probit_is_symmetric_and_grows_like_half_a_square():
    s = grid(np.float64)
    s = s[np.abs(s) < 1e100]
    loss = ProbitLoss()
    right, wrong = (
        loss.value_and_grad(x, y, reduction="none") for x, y in ((s, 0 * s), (-s, 0 * s + 1))
    )
    assert_array_equal(right[0], wrong[0])
    assert_array_equal(right[1], -wrong[1])
    assert loss([1e4], [0]) == pytest.approx(0.5e8, rel=1e-6)
    assert loss.grad([1e4], [0])[0] == pytest.approx(1e4, rel=1e-6)
