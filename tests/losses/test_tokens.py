"""Cross-entropy of tokens: labels to leave out, and the term that ties down the log-sum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from lossutils._kernels import Kernel, kernel_for
from lossutils.linear import linear_value_and_grad
from lossutils.losses import CrossEntropyLoss
from lossutils.special import logsumexp, softmax
from lossutils.train import fit_linear, fit_linear_autograd
from tests.cases import assert_same, batches, each, in_plain_numpy, linear_problem, refusal
from tests.reference import assert_accurate, labels_for, precisions, score_rows, widths

WEIGHT = (0.5, 2.0, 1.0)
IGNORING = [
    CrossEntropyLoss(ignore_index=-100),
    CrossEntropyLoss(ignore_index=1),
    CrossEntropyLoss(0.2, WEIGHT, ignore_index=0, z_loss=0.25),
]
Z = CrossEntropyLoss(z_loss=0.125)
REDUCTIONS = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])


def with_ignored(loss, m=9, seed=0):
    """Return scores and labels, and a mask of those that are kept."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=m)
    labels[::2] = loss.ignore_index
    return rng.normal(size=(m, 3)), labels, labels != loss.ignore_index


def without(loss):
    return CrossEntropyLoss(loss.label_smoothing, loss.weight, None, loss.z_loss)


# ---- labels to leave out -------------------------------------------------------------------------


@each(IGNORING)
@REDUCTIONS
@pytest.mark.parametrize("spoilt", [0.0, np.nan, np.inf, -np.inf])
def test_ignored_examples_are_as_if_they_were_not_there(loss, reduction, spoilt):
    s, y, kept = with_ignored(loss)
    s[~kept] = spoilt
    value, grad = loss.value_and_grad(s, y, reduction=reduction)
    expected, slopes = without(loss).value_and_grad(s[kept], y[kept], reduction=reduction)
    assert_array_equal(grad[~kept], np.zeros((np.sum(~kept), 3)))
    assert_allclose(grad[kept], slopes, rtol=1e-14, atol=1e-17)
    if reduction == "none":
        assert_array_equal(value[~kept], np.zeros(np.sum(~kept)))
        value = value[kept]
    assert_allclose(value, expected, rtol=1e-14)


@each(IGNORING)
def test_an_ignored_label_equals_the_sample_weight_0(loss):
    s, y, kept = with_ignored(loss)
    w = np.arange(1.0, 10.0)
    expected = without(loss).value_and_grad(s, np.where(kept, y, 0), sample_weight=w * kept)
    assert_same(loss.value_and_grad(s, y, sample_weight=w), expected, rtol=1e-14)


@REDUCTIONS
@pytest.mark.parametrize("ignored", [-100, -1, 0, 2, 255])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_ignored_labels_reduce_as_in_pytorch(reduction, ignored, smoothing, weight):
    torch = pytest.importorskip("torch")
    loss = CrossEntropyLoss(smoothing, weight, ignored)
    s, y, _ = with_ignored(loss)
    theirs = torch.nn.CrossEntropyLoss(
        weight=None if weight is None else torch.tensor(weight).double(),
        ignore_index=ignored,
        label_smoothing=smoothing,
        reduction=reduction,
    )
    scores = torch.tensor(s, requires_grad=True)
    expected = theirs(scores, torch.tensor(y))
    expected.sum().backward()
    value, grad = loss.value_and_grad(s, y, reduction=reduction)
    assert_allclose(value, expected.detach(), rtol=1e-14)
    assert_allclose(grad, scores.grad, rtol=1e-12, atol=1e-16)


ALL_IGNORED = (
    "CrossEntropyLoss: each label is ignore_index, to be left out; a mean over no example is "
    "undefined, so skip such a batch, or take the sum, which is 0"
)


@each(IGNORING)
def test_a_mean_over_ignored_labels_alone_is_refused(loss):
    """The sum is 0, so that the sums of parts add up to that of the whole."""
    s, y = np.ones((2, 3)), np.full(2, loss.ignore_index)
    for call in (loss, loss.grad, loss.value_and_grad, loss.check):
        assert refusal(call, s, y) == ALL_IGNORED
        assert refusal(call, s, y, sample_weight=[1.0, 2.0]) == ALL_IGNORED
    value, grad = loss.value_and_grad(s, y, reduction="sum")
    assert value == 0.0
    assert_array_equal(grad, np.zeros((2, 3)))
    assert_array_equal(loss(s, y, reduction="none"), np.zeros(2))


def test_pytorch_has_nan_for_a_mean_over_ignored_labels_alone():
    """So the docstring says; its gradient is 0, and so is the sum."""
    torch = pytest.importorskip("torch")
    s, y = torch.ones(2, 3, requires_grad=True), torch.full((2,), -100)
    mean = torch.nn.CrossEntropyLoss()(s, y)
    mean.backward()
    assert mean.isnan()
    assert not s.grad.any()
    assert torch.nn.CrossEntropyLoss(reduction="sum")(s, y) == 0


@each(IGNORING)
@given(data=st.data())
def test_sums_of_parts_add_up_whatever_is_ignored(loss, data):
    s, y, _ = with_ignored(loss, m=8)
    y[data.draw(st.lists(st.integers(0, 7)))] = loss.ignore_index
    cut = data.draw(st.integers(1, 7))
    whole, grad = loss.value_and_grad(s, y, reduction="sum")
    parts = [
        loss.value_and_grad(s[p], y[p], reduction="sum") for p in np.split(np.arange(8), [cut])
    ]
    assert_allclose(sum(value for value, _ in parts), whole, rtol=1e-14, atol=1e-16)
    assert_array_equal(np.concatenate([slopes for _, slopes in parts]), grad)


def test_an_ignored_label_sets_no_width():
    assert CrossEntropyLoss(ignore_index=255).score_shape([0, 255, 2]) == (3, 3)
    assert CrossEntropyLoss(ignore_index=2).score_shape([0, 2, 2]) == (3, 2)
    assert CrossEntropyLoss(ignore_index=-100).score_shape([-100, -100]) == (2, 2)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_ignored_labels_may_be_of_any_integer_type(dtype):
    loss = CrossEntropyLoss(ignore_index=100)
    y = np.array([0, 100, 2])
    assert loss(np.eye(3), y.astype(dtype)) == loss(np.eye(3), y)
    assert np.isfinite(CrossEntropyLoss(ignore_index=-100)(np.eye(3), np.arange(3, dtype=dtype)))


def test_targets_must_be_labels_if_one_is_ignored():
    assert "must be integer labels of shape (3,), got" in refusal(IGNORING[0], np.eye(3), np.eye(3))


def test_other_labels_outside_the_classes_are_still_refused():
    text = "labels must be 0 to 2 for scores with 3 columns"
    assert text in refusal(IGNORING[0], np.eye(3), [0, -1, -100])
    assert text in refusal(CrossEntropyLoss(), np.eye(3), [0, 1, -100])


@pytest.mark.parametrize("bad", [1.0, "pad", True, np.nan, (1, 2)])
def test_what_is_ignored_must_be_a_whole_number(bad):
    assert refusal(CrossEntropyLoss, ignore_index=bad) == (
        f"CrossEntropyLoss: ignore_index must be a whole number, a label to leave out, got {bad!r}"
    )
    assert CrossEntropyLoss(ignore_index=np.int64(3)) == CrossEntropyLoss(ignore_index=3)


# ---- linear models -------------------------------------------------------------------------------


@each([*IGNORING, Z])
def test_no_kernel_computes_what_it_does_not_know(loss):
    assert type(kernel_for(loss, (3,), 5)) is Kernel
    X, y, W, b = linear_problem(CrossEntropyLoss())
    assert_same(linear_value_and_grad(loss, X, y, W, b), in_plain_numpy(loss, X, y, W, b))


@each(IGNORING)
@pytest.mark.parametrize("weights", [None, np.array([0.0, 1.0, 2.0, 0.5] * 50)])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_blocks_and_chunks_may_have_no_label_that_is_kept(loss, weights, n_threads):
    X, y, W, b = linear_problem(CrossEntropyLoss(), m=200)
    y[40:110] = loss.ignore_index
    plain = in_plain_numpy(loss, X, y, W, b, sample_weight=weights)
    options = {"sample_weight": weights, "block_rows": 7, "n_threads": n_threads}
    assert_same(linear_value_and_grad(loss, X, y, W, b, **options), plain, rtol=1e-12)
    da = pytest.importorskip("dask.array")
    chunked = da.from_array(X, chunks=(31, 3))
    assert_same(linear_value_and_grad(loss, chunked, y, W, b, **options), plain, rtol=1e-12)


def test_a_linear_model_refuses_ignored_labels_alone():
    X, y, W, b = linear_problem(CrossEntropyLoss())
    y[:] = -100
    assert refusal(linear_value_and_grad, IGNORING[0], X, y, W, b) == ALL_IGNORED
    da = pytest.importorskip("dask.array")
    chunked = da.from_array(X, chunks=(5, 3))
    assert refusal(linear_value_and_grad, IGNORING[0], chunked, y, W, b) == ALL_IGNORED


@pytest.mark.parametrize("ignored", [-100, 255])
def test_models_of_chunks_are_as_wide_as_the_classes(ignored):
    da = pytest.importorskip("dask.array")
    X, y, *_ = linear_problem(CrossEntropyLoss())
    y[4] = ignored
    loss = CrossEntropyLoss(ignore_index=ignored)
    in_memory = fit_linear(loss, X, y, lr=0.1, steps=2)
    in_chunks = fit_linear(loss, da.from_array(X, chunks=(5, 3)), y, lr=0.1, steps=2)
    assert in_memory.W.shape == (3, 3)
    assert_allclose(in_chunks.W, in_memory.W, rtol=1e-12)


@each([*IGNORING[:1], Z, CrossEntropyLoss(0.1, WEIGHT, -100, 0.125)])
def test_training_by_autograd_takes_the_same_steps(loss):
    pytest.importorskip("torch")
    X, y, *_ = linear_problem(loss, m=40)
    options = {"lr": 0.3, "steps": 20, "l2": 0.1}
    ours, theirs = fit_linear(loss, X, y, **options), fit_linear_autograd(loss, X, y, **options)
    assert_allclose(ours.W, theirs.W, rtol=1e-12, atol=1e-15)
    assert_allclose(ours.history.loss, theirs.history.loss, rtol=1e-12)


# ---- the term that ties down the log-sum ---------------------------------------------------------


@each([Z, CrossEntropyLoss(0.1, z_loss=1e-4)])
@precisions
@widths
def test_accuracy_with_z_loss(loss, dtype, K):
    rows = score_rows(dtype, K)
    assert_accurate(loss, rows, labels_for(rows), eps=100)


def test_accuracy_with_z_loss_and_weights():
    rows = score_rows(np.float64, 3)
    loss = CrossEntropyLoss(0.1, WEIGHT, z_loss=0.125)
    assert_accurate(loss, rows, labels_for(rows), eps=100)


@precisions
@pytest.mark.parametrize("scores", [[np.inf, 0.0, 3.0], [-np.inf, 0.0, 3.0]])
@pytest.mark.parametrize("label", [0, 1, 2])
def test_limits_with_z_loss(dtype, scores, label):
    assert_accurate(Z, np.array([scores], dtype), [label], eps=4)


def test_z_loss_is_what_its_definition_says():
    """For a label it has the weight of the class; without one, PyTorch computes the first term."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    s, y = rng.normal(size=(6, 3)), np.array([0, 1, 2, -100, 1, 0])
    kept = y != -100
    weights = kept * np.take(WEIGHT, y, mode="clip")
    log_sum = torch.logsumexp(torch.tensor(s), dim=1).numpy()
    module = torch.nn.CrossEntropyLoss(torch.tensor(WEIGHT).double())
    first = module(torch.tensor(s), torch.tensor(y)).item()
    second = 0.25 * (weights * log_sum**2).sum() / weights.sum()
    assert_allclose(CrossEntropyLoss(0.0, WEIGHT, -100, 0.25)(s, y), first + second, rtol=1e-14)


@given(data=st.data())
def test_the_gradient_of_z_loss_sums_to_its_pull(data):
    """Cross-entropy leaves the sum of a row free; z-loss alone moves it."""
    s, y, _ = data.draw(batches(Z))
    grad = Z.grad(s, y, reduction="none")
    assert_allclose(grad.sum(axis=1), 2 * Z.z_loss * logsumexp(s), rtol=1e-12, atol=1e-14)


def test_at_its_minimum_the_softmax_is_the_target_and_the_log_sum_0():
    p = np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])
    assert_allclose(Z.grad(np.log(p), p), np.zeros((2, 3)), atol=1e-16)
    assert np.abs(Z.grad(np.log(p) + 1.0, p)).max() > 0.05


def test_a_log_sum_that_is_0_adds_nothing():
    s = np.log(softmax([[1.0, -2.0, 0.5]]))
    assert_allclose(Z(s, [1]), CrossEntropyLoss()(s, [1]), rtol=1e-15)


@pytest.mark.parametrize("bad", [-1e-4, np.inf, np.nan])
def test_z_loss_must_be_finite_and_not_negative(bad):
    assert refusal(CrossEntropyLoss, z_loss=bad) == (
        f"CrossEntropyLoss: z_loss must be a finite number that is not negative, got {bad!r}"
    )
