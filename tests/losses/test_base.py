"""What holds for every loss: gradients, weights, reductions, dtypes, NaN, and new subclasses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

from lossutils import losses
from lossutils.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    DiceLoss,
    DPOLoss,
    ExpMSELoss,
    FocalLoss,
    InfoNCELoss,
    MSELoss,
    PairwiseLogisticLoss,
    PoissonNLLLoss,
    ProbitLoss,
    SigmoidMSELoss,
    SoftmaxBCELoss,
    SoftmaxMSELoss,
)
from lossutils.losses.base import Loss
from lossutils.losses.targets import RealTargets
from lossutils.verify import complex_step, numerical_gradient, torch_value_and_grad
from tests.cases import (
    ALL,
    BINARY,
    BOUNDED,
    CANDIDATES,
    CLASS,
    COLUMNS,
    COUNT,
    GRADE,
    LABELS_ONLY,
    PREFERENCE,
    SIGN,
    batches,
    each,
    example,
    refusal,
)
from tests.definitions import DEFINITIONS

every_loss = each(ALL)


def relative_error(error, *sides):
    """Return the largest error, relative to 1 or to the sides if they are larger."""
    return np.max(np.abs(error) / np.maximum(1.0, np.maximum(*map(np.abs, sides))))


def test_no_loss_is_forgotten():
    """These tests and the exact reference cover every loss."""
    exported = {getattr(losses, name) for name in losses.__all__} - {Loss}
    assert exported == {type(loss) for loss in ALL} == set(DEFINITIONS)


# ---- gradients -----------------------------------------------------------------------------------


@every_loss
@given(data=st.data())
def test_gradient_agrees_with_finite_differences(loss, data):
    scores, targets, options = data.draw(batches(loss))
    grad = loss.grad(scores, targets, **options)
    numerical = numerical_gradient(lambda s: np.sum(loss(s, targets, **options)), scores)
    assert relative_error(grad - numerical, grad, numerical) < 1e-8


@every_loss
@given(data=st.data())
def test_value_and_gradient_agree_with_pytorch(loss, data):
    pytest.importorskip("torch")
    scores, targets, options = data.draw(batches(loss))
    value, grad = loss.value_and_grad(scores, targets, **options)
    torch_value, torch_grad = torch_value_and_grad(loss, scores, targets, **options)
    assert relative_error(value - torch_value, value, torch_value) < 1e-12
    assert relative_error(grad - torch_grad, grad, torch_grad) < 1e-12


def by_example(values):
    return values.reshape(len(values), -1).mean(axis=1)


def softmax(s):
    return np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)


# The textbook formulas, accurate for moderate scores. They are analytic and take complex scores.
ANALYTIC = {
    MSELoss(): lambda s, y: by_example((y - s) ** 2),
    SigmoidMSELoss(): lambda s, y: by_example((y - 1 / (1 + np.exp(-s))) ** 2 / 2),
    BCELoss(): lambda s, y: by_example(-y * np.log(s) - (1 - y) * np.log(1 - s)),
    BCEWithLogitsLoss(): lambda s, y: by_example(np.log(1 + np.exp(s)) - y * s),
    PoissonNLLLoss(): lambda s, y: by_example(np.exp(s) - y * s),
    PoissonNLLLoss(full=True): lambda s, y: by_example(np.exp(s) - y * s + special.gammaln(y + 1)),
    PoissonNLLLoss(log_input=False): lambda s, y: by_example(s - y * np.log(s)),
    ProbitLoss(): lambda s, y: by_example(
        -y * np.log(special.ndtr(s)) - (1 - y) * np.log(special.ndtr(-s))
    ),
    FocalLoss(): lambda s, y: by_example(
        y * np.log(1 + np.exp(-s)) / (1 + np.exp(s)) ** 2
        + (1 - y) * np.log(1 + np.exp(s)) / (1 + np.exp(-s)) ** 2
    ),
    DiceLoss(): lambda s, y: (
        1
        - (2 * (y / (1 + np.exp(-s))).sum(axis=1) + 1)
        / ((1 / (1 + np.exp(-s))).sum(axis=1) + y.sum(axis=1) + 1)
    ),
    CrossEntropyLoss(): lambda s, y: np.log(np.exp(s).sum(axis=1)) - (y * s).sum(axis=1),
    CrossEntropyLoss(z_loss=0.125): lambda s, y: (
        (np.log(np.exp(s).sum(axis=1)) - (y * s).sum(axis=1))
        + 0.125 * np.log(np.exp(s).sum(axis=1)) ** 2
    ),
    PairwiseLogisticLoss(): lambda s, y: np.where(
        y[:, :, None] > y[:, None, :], np.log(1 + np.exp(s[:, None, :] - s[:, :, None])), 0
    ).sum(axis=(1, 2)),
    InfoNCELoss(0.5): lambda s, y: np.log(np.exp(2 * s).sum(axis=1)) - 2 * (y * s).sum(axis=1),
    DPOLoss(): lambda s, r: np.log(1 + np.exp(0.1 * ((s - r)[:, 1] - (s - r)[:, 0]))),
    SoftmaxBCELoss(): lambda s, y: (-y * np.log(softmax(s)) - (1 - y) * np.log(1 - softmax(s))).sum(
        axis=1
    ),
    SoftmaxMSELoss(): lambda s, y: ((y - softmax(s)) ** 2).mean(axis=1),
    ExpMSELoss(): lambda s, y: ((y - np.exp(s)) ** 2).mean(axis=1),
}


@each(ANALYTIC)
@given(data=st.data())
def test_gradient_agrees_with_the_complex_step(loss, data):
    scores, targets, _ = data.draw(batches(loss))
    labels = loss in CLASS + CANDIDATES and targets.ndim == 1
    rows = np.eye(scores.shape[-1])[targets] if labels else targets
    value, grad = loss.value_and_grad(scores, targets, reduction="none")
    formula = ANALYTIC[loss](scores, rows)
    assert relative_error(value - formula, value, formula) < 1e-12

    def column_derivative(unit):
        """Return the derivative with respect to one column; t - 1 is the step of each row."""
        return complex_step(
            lambda t: ANALYTIC[loss](scores + (t - 1)[:, None] * unit, rows), np.ones(len(scores))
        )

    if scores.ndim == 1:
        stepped = complex_step(lambda t: ANALYTIC[loss](t, rows), scores)
    else:
        stepped = np.stack([column_derivative(unit) for unit in np.eye(scores.shape[1])], axis=1)
    assert relative_error(grad - stepped, grad, stepped) < 1e-12


@every_loss
@given(data=st.data())
def test_value_and_grad_equals_two_separate_calls(loss, data):
    scores, targets, options = data.draw(batches(loss))
    value, grad = loss.value_and_grad(scores, targets, **options)
    assert_array_equal(value, loss(scores, targets, **options))
    assert_array_equal(grad, loss.grad(scores, targets, **options))


# ---- weights and reductions ----------------------------------------------------------------------


@every_loss
@given(data=st.data())
def test_reductions_agree(loss, data):
    scores, targets, options = data.draw(batches(loss))
    w = options["sample_weight"]
    each_value, each_grad = loss.value_and_grad(scores, targets, sample_weight=w, reduction="none")
    summed, summed_grad = loss.value_and_grad(scores, targets, sample_weight=w, reduction="sum")
    mean, mean_grad = loss.value_and_grad(scores, targets, sample_weight=w, reduction="mean")
    counts = np.ones(len(scores)) if w is None else w
    if getattr(loss, "ignore_index", None) is not None:
        counts = counts * (targets != loss.ignore_index)
    if getattr(loss, "weight", None) and targets.ndim == 1:
        counts = counts * np.take(loss.weight, targets, mode="clip")
    total = counts.sum()
    assert each_value.shape == scores.shape[:1]
    assert_allclose(summed, each_value.sum(), rtol=1e-14)
    assert_array_equal(summed_grad, each_grad)
    assert_allclose(mean, summed / total, rtol=1e-14)
    assert_allclose(mean_grad, summed_grad / total, rtol=1e-14)
    assert_array_equal(loss.grad(scores, targets, sample_weight=w), mean_grad)
    assert loss(scores, targets, sample_weight=w) == mean


@every_loss
@given(data=st.data())
def test_weights_equal_repetition(loss, data):
    scores, targets, _ = data.draw(batches(loss))
    times = np.array(data.draw(st.permutations([3, *[1] * len(scores)][: len(scores)])))
    times[1:] -= data.draw(st.integers(0, 1))
    times = np.maximum(times, 0) + (times.sum() == 0)
    repeated = np.repeat(scores, times, axis=0), np.repeat(targets, times, axis=0)
    for reduction in ("mean", "sum"):
        value, grad = loss.value_and_grad(scores, targets, sample_weight=times, reduction=reduction)
        expected, parts = loss.value_and_grad(*repeated, reduction=reduction)
        assert_allclose(value, expected, rtol=1e-13)
        owner = np.repeat(np.arange(len(scores)), times)
        gathered = np.zeros_like(grad)
        np.add.at(gathered, owner, parts)
        assert_allclose(grad, gathered, rtol=1e-13, atol=1e-16)


@every_loss
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("left_out", [np.inf, -np.inf, np.nan])
def test_weight_zero_leaves_an_example_out(loss, reduction, left_out):
    scores, targets = example(loss)
    if loss in BOUNDED and not np.isnan(left_out):
        left_out, targets = 0.0, np.array([1.0, 1.0, 0.5])  # the loss of 0 is infinite
    scores[0] = left_out
    options = {"reduction": reduction}
    value, grad = loss.value_and_grad(scores, targets, sample_weight=[0, 2, 1], **options)
    kept, kept_grad = loss.value_and_grad(scores[1:], targets[1:], sample_weight=[2, 1], **options)
    assert_array_equal(grad[0], np.zeros_like(grad[0]))
    assert_allclose(grad[1:], kept_grad, rtol=1e-15)
    assert_allclose(np.sum(value), np.sum(kept), rtol=1e-15)


# ---- results -------------------------------------------------------------------------------------


@every_loss
def test_float32_stays_float32(loss):
    scores, targets = example(loss)
    scores = scores.astype(np.float32)
    for reduction in ("mean", "sum"):
        value, grad = loss.value_and_grad(scores, targets, reduction=reduction)
        assert type(value) is float
        assert grad.dtype == np.float32
    assert loss(scores, targets, reduction="none").dtype == np.float32
    assert loss.grad(scores, targets, reduction="none").dtype == np.float32


@every_loss
def test_integers_become_float64(loss):
    scores, targets = example(loss)
    scores = np.round(np.abs(scores)).astype(int)
    value, grad = loss.value_and_grad(scores, targets, reduction="none")
    assert value.dtype == grad.dtype == np.float64
    assert_array_equal(grad, loss.grad(scores.astype(float), targets, reduction="none"))
    assert type(loss(scores, targets)) is float


@every_loss
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_scalar_is_accumulated_in_float64(loss, dtype):
    """In float32 a sum of 2**24 and 1 loses the 1, and even these few examples differ."""
    scores, targets = example(loss)
    scores = scores.astype(dtype)
    doubled = loss(scores.astype(np.float64), targets, reduction="sum")
    assert loss(scores, targets, reduction="sum") == doubled


@every_loss
def test_a_nan_score_gives_nan_for_its_example_alone(loss):
    scores, targets = example(loss)
    scores[(1,) * scores.ndim] = np.nan
    value, grad = loss.value_and_grad(scores, targets, reduction="none")
    assert_array_equal(np.isnan(value), [False, True, False])
    assert np.isnan(grad[1]).any()
    assert not np.isnan(grad[::2]).any()
    assert np.isnan(loss(scores, targets))


@each(COLUMNS)
def test_the_loss_of_several_columns_is_the_mean_over_them(loss):
    rng = np.random.default_rng(0)
    s, y = rng.uniform(0.1, 0.9, size=(5, 4)), rng.integers(2, size=(5, 4))
    value, grad = loss.value_and_grad(s, y, reduction="none")
    columns = [loss.value_and_grad(s[:, k], y[:, k], reduction="none") for k in range(4)]
    assert_allclose(value, np.mean([of_column for of_column, _ in columns], axis=0), rtol=1e-14)
    assert_allclose(grad, np.transpose([slope for _, slope in columns]) / 4, rtol=1e-14)
    assert_array_equal(
        loss.value_and_grad(s[:, :1], y[:, :1])[1][:, 0], loss.grad(s[:, 0], y[:, 0])
    )


@every_loss
@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_nan_score_in_any_column_gives_nan(loss, column):
    scores, targets = example(loss)
    if scores.ndim == 2 and column < scores.shape[1]:
        scores[1, column] = np.nan
        value, grad = loss.value_and_grad(scores, targets, reduction="none")
        assert_array_equal(np.isnan(value), [False, True, False])
        assert np.isnan(grad[1]).any()


@each(COLUMNS)
def test_a_nan_target_gives_nan(loss):
    scores, targets = example(loss)
    targets = targets.astype(float)
    targets[1] = np.nan
    value, grad = loss.value_and_grad(scores, targets, reduction="none")
    assert_array_equal(np.isnan(value), [False, True, False])
    assert np.isnan(grad[1]).all()


@each(CLASS)
def test_a_nan_target_probability_gives_nan(loss):
    scores, _ = example(loss)
    targets = [[1.0, 0.0, 0.0], [np.nan, 0.5, 0.5], [0.0, 0.0, 1.0]]
    value = loss(scores, targets, reduction="none")
    assert_array_equal(np.isnan(value), [False, True, False])


def test_a_nan_weight_gives_nan():
    assert np.isnan(MSELoss()([1.0, 2.0], [0.0, 0.0], sample_weight=[np.nan, 1.0]))


@every_loss
def test_zeros_are_never_negative(loss):
    """Readers would take a gradient that prints as -0.0 for a bug."""
    scores, targets = example(loss)
    for array in loss.value_and_grad(scores, targets, sample_weight=[0, 0, 1], reduction="none"):
        assert not np.signbit(array[:2]).any()


@each(SIGN)
def test_zeros_beyond_the_margin_are_never_negative(loss):
    assert not np.signbit(loss.grad([5.0, -5.0], [1, -1])).any()


@every_loss
def test_score_shape_is_that_of_the_scores(loss):
    scores, targets = example(loss)
    assert loss.score_shape(targets) == scores.shape
    if loss in CLASS:
        assert loss.score_shape(np.eye(4)) == (4, 4)
    if loss in COLUMNS:
        assert loss.score_shape([1.0, 0.0]) == (2,)
        assert loss.score_shape(np.zeros((3, 2))) == (3, 2)
    if loss in SIGN:
        assert loss.score_shape(np.zeros((3, 1))) == (3,)  # the column is refused later


@each([*BINARY, *COUNT, *LABELS_ONLY, *CANDIDATES, *GRADE, *PREFERENCE])
def test_losses_with_the_same_parameters_are_equal(loss):
    assert loss == type(loss)(**vars(loss))
    assert loss != MSELoss()


# ---- writing a loss ---------------------------------------------------------------------------


def test_a_subclass_must_define_its_rule_and_targets():
    class Unwritten(RealTargets):
        pass

    class NoTargets(Loss):
        _score_ndim = (1,)

    with pytest.raises(NotImplementedError):
        Unwritten()([1.0], [1.0])
    with pytest.raises(NotImplementedError):
        Unwritten().grad([1.0], [1.0])
    with pytest.raises(NotImplementedError):
        NoTargets()([1.0], [1.0])
    with pytest.raises(NotImplementedError):
        NoTargets().score_shape([1.0])


def test_a_new_loss_needs_one_short_method():
    """A learner writes only this; the base class adds checks, weights and reductions."""

    class LogCosh(RealTargets):
        def _rule(self, s, y):
            d = s - y
            return np.log(np.cosh(d)), lambda: np.tanh(d)

    loss = LogCosh()
    grad = loss.grad([0.5, -1.0], [0.0, 1.0], sample_weight=[1, 3])
    assert_allclose(grad, np.tanh([0.5, -2.0]) * [0.25, 0.75])
    assert refusal(loss, [1.0], [1.0, 2.0]) == (
        "LogCosh: scores have shape (1,) but targets have shape (2,); "
        "nothing broadcasts, so give one target for each score"
    )
