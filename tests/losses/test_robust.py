"""MAE, Huber and the other robust losses: accuracy, limits, and how they are related."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from lossutils.losses import (
    GaussianNLLLoss,
    HuberLoss,
    LogCoshLoss,
    MAELoss,
    MSELoss,
    QuantileLoss,
    StudentTLoss,
)
from tests.cases import MEAN_AND_VARIANCE, REAL, each, example, refusal
from tests.reference import (
    assert_accurate,
    error_in_eps,
    exact,
    grid,
    mp,
    precisions,
    reference,
    score_rows,
    widths,
)

ROBUST = [loss for loss in REAL if not isinstance(loss, MSELoss)]
UNUSUAL = [
    HuberLoss(delta=1e-8),
    HuberLoss(delta=40.0),
    QuantileLoss(quantile=1e-3),
    QuantileLoss(quantile=0.999),
    StudentTLoss(df=0.3, scale=1e-6),
    StudentTLoss(df=1e4, scale=70.0),
]
EPS = {StudentTLoss: 6, LogCoshLoss: 5}
"""Where the textbook formula has more roundings than the four of the others."""


def bound(loss):
    return EPS.get(type(loss), 4)


@each([*ROBUST, *UNUSUAL])
@precisions
def test_accuracy(loss, dtype):
    pairs = score_rows(dtype, 2)
    assert_accurate(loss, pairs[:, 0], pairs[:, 1], eps=bound(loss))


@each(ROBUST)
@precisions
@widths
def test_accuracy_of_several_scores(loss, dtype, K):
    rows = score_rows(dtype, K)
    assert_accurate(loss, rows, rows[::-1], eps=bound(loss))


@each(ROBUST)
def test_accuracy_near_the_target(loss):
    """Errors of all sizes from 1e-150, whose squares are still numbers, to 100."""
    errors = np.geomspace(1e-150, 100, 400)
    assert_accurate(loss, errors, np.zeros(400), eps=bound(loss))
    assert_accurate(loss, -errors, np.zeros(400), eps=bound(loss))


@each([loss for loss in ROBUST if not isinstance(loss, StudentTLoss)])
def test_limits(loss):
    assert_accurate(loss, [np.inf, -np.inf, 1.0, 1.0], [0.5, 0.5, np.inf, -np.inf], eps=0)
    assert_accurate(loss, [[np.inf, -np.inf]], [[0.5, 0.5]], eps=0)


@each([StudentTLoss(), StudentTLoss(df=1.0, scale=0.5)])
def test_infinitely_far_points_pull_no_more(loss):
    value, grad = loss.value_and_grad([np.inf, -np.inf, 0.0], [0.0, 0.0, np.inf], reduction="none")
    assert_array_equal(value, [np.inf] * 3)
    assert_array_equal(grad, [0.0] * 3)


@pytest.fixture
def batch():
    scores = np.random.default_rng(0).normal(scale=3, size=(2, 50, 3))
    return scores[0], scores[1]


def assert_proportional(left, right, factor, batch, rtol):
    for mine, theirs in zip(left.value_and_grad(*batch), right.value_and_grad(*batch), strict=True):
        assert_allclose(mine, factor * np.asarray(theirs), rtol=rtol)


def test_huge_huber_is_half_of_mse(batch):
    assert_proportional(HuberLoss(delta=1e9), MSELoss(), 0.5, batch, 1e-15)


def test_tiny_huber_is_delta_times_mae(batch):
    assert_proportional(HuberLoss(delta=1e-12), MAELoss(), 1e-12, batch, 1e-11)


def test_the_middle_quantile_loss_is_half_of_mae(batch):
    assert_proportional(QuantileLoss(), MAELoss(), 0.5, batch, 1e-15)


def test_student_t_with_many_degrees_of_freedom_is_gaussian(batch):
    """Its value is then half the square in units of the scale."""
    assert_proportional(StudentTLoss(df=1e12, scale=2.0), MSELoss(), 0.125, batch, 1e-9)


def test_a_gaussian_of_log_variance_0_is_half_of_mse():
    rng = np.random.default_rng(0)
    mean, y = rng.normal(size=(2, 50))
    scores = np.column_stack([mean, np.zeros(50)])
    value, grad = GaussianNLLLoss().value_and_grad(scores, y)
    half, half_grad = MSELoss().value_and_grad(mean, y)
    assert_allclose(value, half / 2, rtol=1e-14)
    assert_allclose(grad[:, 0], half_grad / 2, rtol=1e-14)


@each(REAL)
def test_gradient_at_the_minimum_is_exactly_zero(loss):
    """For MAE and the quantile loss it is a kink, where we promise the subgradient 0."""
    assert_array_equal(loss.grad([[1.5, -2.0]], [[1.5, -2.0]]), [[0.0, 0.0]])
    assert loss([[1.5, -2.0]], [[1.5, -2.0]]) == 0.0


def test_huber_turns_linear_at_delta():
    value, grad = HuberLoss(delta=2.0).value_and_grad([1.0, 2.0, 5.0], [0.0] * 3, reduction="none")
    assert_array_equal(value, [0.5, 2.0, 8.0])
    assert_array_equal(grad, [1.0, 2.0, 2.0])


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.8])
def test_the_best_constant_of_a_quantile_loss_is_the_quantile(quantile):
    y = np.random.default_rng(0).normal(size=101)
    loss = QuantileLoss(quantile)
    totals = [loss(np.full(101, s), y) for s in y]
    assert y[np.argmin(totals)] == np.quantile(y, quantile, method="inverted_cdf")


def test_the_two_sides_of_a_quantile_loss_are_its_shares():
    value, grad = QuantileLoss(quantile=0.75).value_and_grad(
        [0.0, 0.0], [4.0, -4.0], reduction="none"
    )
    assert_array_equal(value, [3.0, 1.0])
    assert_array_equal(grad, [-0.75, 0.25])


@pytest.mark.parametrize("df", [0.5, 1.0, 4.0, 30.0])
@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_student_t_is_scipys_but_for_a_constant(df, scale):
    y = np.linspace(-20, 20, 101)
    ours = StudentTLoss(df, scale)(np.zeros(101), y, reduction="none")
    theirs = stats.t.logpdf(0.0, df, scale=scale) - stats.t.logpdf(y, df, scale=scale)
    assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13)


def test_student_t_pulls_hardest_at_the_root_of_df():
    loss = StudentTLoss(df=4.0, scale=3.0)
    d = np.linspace(0, 60, 6001)
    pull = loss.grad(d, np.zeros_like(d), reduction="none")
    assert d[np.argmax(pull)] == pytest.approx(6.0)
    assert pull.max() == pytest.approx(5 / (2 * 3 * 2))
    assert pull[-1] < pull.max() / 4


def test_student_t_in_the_far_tail():
    """The square overflows, and the loss is a logarithm of a large number."""
    with_square_too_large = [1e160, 1e300, 1e308]
    assert_accurate(StudentTLoss(), with_square_too_large, [0.0] * 3, eps=4)
    assert_accurate(StudentTLoss(df=2.0, scale=1e-150), [1e300], [0.0], eps=4)


def test_log_cosh_has_its_two_ends():
    """The textbook formula returns 0 at 1e-9 and infinity at 1000."""
    loss = LogCoshLoss()
    assert loss([1e-9], [0.0]) == pytest.approx(5e-19, rel=1e-15)
    assert loss([1000.0], [0.0]) == 1000.0 - np.log(2)
    assert_allclose(loss([20.0, 20.0000001], [0.0, 0.0], reduction="none"), 20 - np.log(2))


# ---- the Gaussian with a variance of its own -----------------------------------------------------


def rows_and_targets(dtype):
    """Return rows of means and log-variances, and targets.

    The log-variances of the grid are extreme; the others are ordinary, so that no term vanishes.
    """
    rows = score_rows(dtype, 2)
    rng = np.random.default_rng(2)
    means, targets = rng.choice(grid(dtype), size=(2, 300))
    ordinary = np.column_stack([means, rng.normal(scale=8.0, size=300)]).astype(dtype)
    return np.concatenate([rows, ordinary]), np.append(rng.choice(rows[:, 0], len(rows)), targets)


@each(MEAN_AND_VARIANCE)
@precisions
def test_gaussian_nll_is_accurate_next_to_its_largest_term(loss, dtype):
    """Its terms differ in sign, so their sum may be small, and its error is that of the larger."""
    scores, targets = rows_and_targets(dtype)
    value, grad = loss.value_and_grad(scores, targets, reduction="none")
    for s, y, v, g in zip(scores, targets, value, grad, strict=True):
        true = reference(loss, tuple(s.tolist()), (float(y),))
        largest = max(abs(true.value), abs(exact(s[1])) / 2, mp.mpf(loss.full))
        assert error_in_eps(v, true.value, largest, dtype) <= 8, (s, y, v)
        for entry, slope, size in zip(g, true.grad, true.summands, strict=True):
            assert error_in_eps(entry, slope, max(abs(slope), size), dtype) <= 8, (s, y, g)


@pytest.mark.parametrize(
    ("scores", "target", "value", "grad"),
    [
        ([0.0, np.inf], 1.0, np.inf, [0.0, 0.5]),
        ([0.0, -np.inf], 1.0, np.inf, [-np.inf, -np.inf]),
        ([0.0, -np.inf], 0.0, -np.inf, [0.0, 0.5]),
        ([np.inf, 0.0], 1.0, np.inf, [np.inf, -np.inf]),
        ([0.0, 0.0], np.inf, np.inf, [-np.inf, -np.inf]),
        ([0.0, -1e300], 0.0, -5e299, [0.0, 0.5]),
        ([0.0, -1e300], 1.0, np.inf, [-np.inf, -np.inf]),
        ([1e-300, -1400.0], 0.0, None, None),  # its factors overflow, its terms do not
    ],
)
def test_gaussian_nll_at_the_limits(scores, target, value, grad):
    found, slopes = GaussianNLLLoss().value_and_grad([scores], [target])
    if value is None:
        assert_allclose(found, -700 + 0.5 * np.exp(1400 - 600 * np.log(10)), rtol=1e-11)
        assert np.isfinite(slopes).all()
        return
    assert found == value
    assert_array_equal(slopes, [grad])


def test_full_adds_the_constant_of_the_density():
    rng = np.random.default_rng(0)
    scores, y = rng.normal(size=(50, 2)), rng.normal(size=50)
    spread = np.exp(scores[:, 1] / 2)
    expected = -stats.norm.logpdf(y, scores[:, 0], spread)
    full = GaussianNLLLoss(full=True)(scores, y, reduction="none")
    assert_allclose(full, expected, rtol=1e-12)
    part = GaussianNLLLoss()(scores, y, reduction="none")
    assert_allclose(full - part, np.log(2 * np.pi) / 2, rtol=1e-12)


def test_torch_clamps_the_variance_and_we_do_not():
    """Below 1e-6 the value of PyTorch no longer depends on the variance; the two agree above."""
    torch = pytest.importorskip("torch")
    log_variance = np.log([1e-8, 1e-7, 1e-5])
    scores, y = np.column_stack([np.zeros(3), log_variance]), np.full(3, 1e-3)
    mean, variance = torch.zeros(3, dtype=torch.float64), torch.tensor(np.exp(log_variance))
    theirs = torch.nn.GaussianNLLLoss(reduction="none")(mean, torch.tensor(y), variance).numpy()
    ours = GaussianNLLLoss()(scores, y, reduction="none")
    assert theirs[0] == theirs[1]
    assert_allclose(ours[2], theirs[2], rtol=1e-12)
    assert (ours[:2] > theirs[:2] + 0.5)[0]


@each(MEAN_AND_VARIANCE)
@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"scores": [1.0, 2.0, 3.0]}, "scores must have shape (m, 2), got (3,)"),
        (
            {"scores": np.zeros((0, 2))},
            "the batch is empty (scores have shape (0, 2)); "
            "a mean over no example is undefined, so skip empty batches",
        ),
        (
            {"scores": np.zeros((3, 3))},
            "scores must have two columns, mean and log-variance, got shape (3, 3); "
            "a variance v becomes a column with np.log(v)",
        ),
        (
            {"targets": [1.0, 2.0]},
            "targets must have shape (3,), one number for each row of scores, got (2,)",
        ),
        (
            {"targets": [[1.0], [2.0], [3.0]]},
            "targets must have shape (3,), one number for each row of scores, got (3, 1); "
            "one column becomes numbers with targets[:, 0]",
        ),
        (
            {"targets": ["a", "b", "c"]},
            "targets: expected real numbers, got an array of dtype <U1; "
            "convert it with np.asarray(x, dtype=float)",
        ),
    ],
)
def test_what_is_no_mean_and_variance_is_refused_with_the_remedy(loss, change, text):
    scores, targets = example(loss)
    arguments = {"scores": scores, "targets": targets, **change}
    for call in (loss, loss.grad, loss.value_and_grad):
        assert refusal(call, **arguments) == f"GaussianNLLLoss: {text}"


# ---- options -------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, -1.0, np.inf, np.nan])
@pytest.mark.parametrize(
    ("loss", "option"), [(HuberLoss, "delta"), (StudentTLoss, "df"), (StudentTLoss, "scale")]
)
def test_widths_must_be_positive(loss, option, value):
    with pytest.raises(ValueError, match=option) as caught:
        loss(**{option: value})
    name = f"{loss.__name__}: {option}"
    assert str(caught.value) == f"{name} must be a positive, finite number, got {value!r}"


@pytest.mark.parametrize("quantile", [0, 1, -0.1, 50, np.nan])
def test_a_quantile_must_be_a_share(quantile):
    with pytest.raises(ValueError, match="quantile") as caught:
        QuantileLoss(quantile=quantile)
    expected = f"QuantileLoss: quantile must lie between 0 and 1, got {quantile!r}"
    assert str(caught.value) == expected
