"""Gradient descent: what it records, where it stops, and that both twins take the same steps."""

import re
import sys
from itertools import chain

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lossutils.linear import linear_value_and_grad
from lossutils.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    ExpMSELoss,
    HingeLoss,
    MSELoss,
    PoissonNLLLoss,
    SigmoidMSELoss,
)
from lossutils.train import (
    Fit,
    History,
    fit_linear,
    fit_linear_autograd,
    gradient_descent,
    tune_lr,
)
from tests.cases import ALL, BOUNDED, each, linear_problem

# The scores of a linear model are neither probabilities nor rates.
TRAINABLE = [loss for loss in ALL if loss not in BOUNDED]


def bowl(x):
    """Return x squared and its gradient."""
    return float(np.sum(x**2)), 2 * x


# ---- gradient_descent ----------------------------------------------------------------------------


def test_history_of_a_bowl():
    history = gradient_descent(bowl, [3.0, 4.0], lr=0.25, steps=3)
    assert_array_equal(history.path[0], [[3.0, 4.0], [1.5, 2.0], [0.75, 1.0], [0.375, 0.5]])
    assert_array_equal(history.loss, [25.0, 6.25, 1.5625, 0.390625])
    assert_array_equal(history.grad_norm, [10.0, 5.0, 2.5, 1.25])
    assert_array_equal(history.params[0], [0.375, 0.5])
    assert not history.diverged


def test_several_parameters_of_any_shape():
    def value_and_grad(W, b):
        return np.sum(W**2) + b**2, 2 * W, 2 * b

    history = gradient_descent(value_and_grad, (np.ones((2, 3)), 2), lr=0.5, steps=1)
    assert [p.shape for p in history.path] == [(2, 2, 3), (2,)]
    assert history.grad_norm[0] == np.sqrt(6 * 4 + 16)
    assert_array_equal(history.params[0], np.zeros((2, 3)))
    assert history.params[1] == 0.0


def test_start_is_left_unchanged():
    start = np.array([3.0, 4.0])
    history = gradient_descent(bowl, start, lr=0.25, steps=2)
    assert_array_equal(start, [3.0, 4.0])
    history.path[0][0] = 7.0
    assert_array_equal(start, [3.0, 4.0])


def test_zero_steps_record_only_the_start():
    history = gradient_descent(bowl, 2.0, lr=1.0, steps=0)
    assert_array_equal(history.loss, [4.0])
    assert_array_equal(history.path[0], [2.0])


def test_divergence_ends_descent_without_an_error():
    history = gradient_descent(lambda x: (x**4, 4 * x**3), 2.0, lr=1.0, steps=100)
    assert history.diverged
    assert len(history.loss) < 12
    assert np.isfinite(history.loss[:-1]).all()
    assert len(history.loss) == len(history.grad_norm) == len(history.path[0])


def test_nan_ends_descent():
    history = gradient_descent(lambda x: (np.nan, x), 1.0, lr=1.0, steps=5)
    assert history.diverged
    assert len(history.loss) == 1


def test_callback_sees_each_step_and_may_end_descent():
    seen = []

    def callback(k, value, params):
        seen.append((k, value, params[0].item()))
        return value < 1.0

    history = gradient_descent(bowl, 4.0, lr=0.25, steps=50, callback=callback)
    assert seen == [(0, 16.0, 4.0), (1, 4.0, 2.0), (2, 1.0, 1.0), (3, 0.25, 0.5)]
    assert_array_equal(history.loss, [16.0, 4.0, 1.0, 0.25])


def test_only_true_ends_descent():
    """A callback may return a number without ending the descent."""
    history = gradient_descent(bowl, 4.0, lr=0.25, steps=3, callback=lambda k, value, params: 1)
    assert len(history.loss) == 4


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"lr": 0}, "lr must be a positive, finite number, got 0"),
        ({"lr": -0.1}, "lr must be a positive, finite number, got -0.1"),
        ({"lr": np.nan}, "lr must be a positive, finite number, got nan"),
        ({"lr": np.inf}, "lr must be a positive, finite number, got inf"),
        ({"steps": -1}, "steps must be a whole number of at least 0, got -1"),
        ({"steps": 2.5}, "steps must be a whole number of at least 0, got 2.5"),
    ],
)
def test_settings_out_of_range(options, text):
    with pytest.raises(ValueError, match="must") as caught:
        gradient_descent(bowl, 1.0, **{"lr": 0.1, "steps": 1, **options})
    assert str(caught.value) == text


def test_a_gradient_must_have_the_shape_of_its_parameter():
    with pytest.raises(ValueError, match="shapes") as caught:
        gradient_descent(lambda x: (1.0, [1.0, 2.0]), [1.0], lr=0.1, steps=1)
    assert str(caught.value) == (
        "gradients have shapes [(2,)], parameters [(1,)]; value_and_grad(*params) must return the "
        "value and then one gradient per parameter"
    )


# ---- fit_linear and its twin ---------------------------------------------------------------------


def assert_same_run(left: Fit, right: Fit, tol=1e-12):
    pairs = [(left.W, right.W), (left.b, right.b)]
    pairs += zip(left.history.path, right.history.path, strict=True)
    pairs += [(getattr(fit.history, k) for fit in (left, right)) for k in ("loss", "grad_norm")]
    for a, b in pairs:
        assert_allclose(a, b, rtol=tol, atol=tol)


@each(TRAINABLE)
@pytest.mark.parametrize("batch_size", [None, 5])
def test_twins_agree_along_the_whole_run(loss, batch_size):
    """Mini-batches have the same rows in the same order."""
    pytest.importorskip("torch")
    X, y, *_ = linear_problem(loss)
    options = {"lr": 0.05, "steps": 40, "batch_size": batch_size, "seed": 3, "l2": 0.01}
    closed, autograd = (fit(loss, X, y, **options) for fit in (fit_linear, fit_linear_autograd))
    assert_same_run(closed, autograd)
    assert len(closed.history.loss) == 41
    if batch_size is None:
        assert closed.history.loss[-1] < closed.history.loss[0]


def test_twins_agree_from_a_given_start():
    pytest.importorskip("torch")
    X, y, W, b = linear_problem(CrossEntropyLoss())
    options = {"lr": 0.1, "steps": 5, "start": (W, b)}
    closed = fit_linear(CrossEntropyLoss(), X, y, **options)
    assert_same_run(closed, fit_linear_autograd(CrossEntropyLoss(), X, y, **options))
    assert_array_equal(closed.history.path[0][0], W)
    assert_array_equal(closed.history.path[1][0], b)


def test_twins_take_read_only_data():
    pytest.importorskip("torch")
    X, y, *_ = linear_problem(MSELoss())
    X.flags.writeable = y.flags.writeable = False
    options = {"lr": 0.1, "steps": 2}
    fits = [fit(MSELoss(), X, y, **options) for fit in (fit_linear, fit_linear_autograd)]
    assert_same_run(*fits)


@pytest.mark.parametrize("fit", [fit_linear, fit_linear_autograd])
def test_twins_take_lists_and_integers(fit):
    if fit is fit_linear_autograd:
        pytest.importorskip("torch")
    fitted = fit(MSELoss(), [[0], [1], [2]], [1, 3, 5], lr=0.2, steps=400)
    assert_allclose(fitted.W, [2.0], rtol=1e-8)
    assert_allclose(fitted.b, 1.0, rtol=1e-8)


def test_fit_linear_follows_linear_value_and_grad():
    loss = BCEWithLogitsLoss()
    X, y, *_ = linear_problem(loss)
    fit = fit_linear(loss, X, y, lr=0.3, steps=1, l2=0.2)
    value, dW, db = linear_value_and_grad(loss, X, y, np.zeros(3), 0.0, l2=0.2)
    assert fit.history.loss[0] == value
    assert_array_equal(fit.W, -0.3 * dW)
    assert fit.b == -0.3 * db
    assert fit.history.grad_norm[0] == pytest.approx(np.sqrt(np.sum(dW**2) + db**2), rel=1e-15)


def test_least_squares_reaches_the_known_minimum():
    X, y, *_ = linear_problem(MSELoss(), m=60)
    fit = fit_linear(MSELoss(), X, y, lr=0.3, steps=400)
    solved = np.linalg.lstsq(np.column_stack([X, np.ones(60)]), y, rcond=None)[0]
    assert_allclose(fit.W, solved[:3], atol=1e-10)
    assert_allclose(fit.b, solved[3], atol=1e-10)


def test_fit_gives_scores():
    X, y, *_ = linear_problem(CrossEntropyLoss())
    fit = fit_linear(CrossEntropyLoss(), X, y, lr=0.1, steps=2)
    assert_array_equal(fit.scores(X), X @ fit.W + fit.b)
    assert fit.scores(X).shape == (12, 3)
    binary = fit_linear(BCEWithLogitsLoss(), X, y > 0, lr=0.1, steps=2)
    assert type(binary.b) is float
    assert binary.scores(X).shape == (12,)


@pytest.mark.parametrize("loss", [BCEWithLogitsLoss(), SigmoidMSELoss()], ids=repr)
def test_several_labels_are_separate_models_in_one(loss):
    """The mean over K labels divides each gradient by K, so the rate is K times as large."""
    X, Y, *_ = linear_problem(loss, labels=3)
    together = fit_linear(loss, X, Y, lr=0.9, steps=20)
    assert together.W.shape == (3, 3)
    for k in range(3):
        alone = fit_linear(loss, X, Y[:, k], lr=0.3, steps=20)
        assert_allclose(together.W[:, k], alone.W, rtol=1e-12)
        assert_allclose(together.b[k], alone.b, rtol=1e-12)
    pytest.importorskip("torch")
    by_autograd = fit_linear_autograd(loss, X, Y, lr=0.9, steps=20)
    assert_allclose(by_autograd.W, together.W, rtol=1e-10)
    assert_allclose(by_autograd.history.loss, together.history.loss, rtol=1e-12)


def test_batches_use_every_row_once_before_any_again():
    rows = []

    class Spy(MSELoss):
        def _rule(self, s, y):
            rows.append(sorted(y.tolist()))
            return super()._rule(s, y)

    X, y = np.zeros((10, 1)), np.arange(10.0)
    fit_linear(Spy(), X, y, lr=0.1, steps=5, batch_size=4)
    assert [len(batch) for batch in rows] == [4, 4, 2, 4, 4, 2]
    for epoch in (rows[:3], rows[3:]):
        assert sorted(chain.from_iterable(epoch)) == y.tolist()
    assert rows[:3] != rows[3:]


def test_the_seed_decides_the_batches():
    X, y, *_ = linear_problem(MSELoss())
    runs = [
        fit_linear(MSELoss(), X, y, lr=0.1, steps=9, batch_size=4, seed=seed).history.loss
        for seed in (0, 0, 1)
    ]
    assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_a_diverging_fit_stops():
    X, y, *_ = linear_problem(ExpMSELoss())
    history = fit_linear(ExpMSELoss(), 10 * X, y, lr=50.0, steps=200).history
    assert history.diverged
    assert len(history.loss) < 50


def test_progress_shows_a_bar(capsys):
    X, y, *_ = linear_problem(MSELoss())
    quiet = fit_linear(MSELoss(), X, y, lr=0.1, steps=30)
    assert capsys.readouterr() == ("", "")
    shown = fit_linear(MSELoss(), X, y, lr=0.1, steps=30, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "30/30" in err
    assert f"loss={shown.history.loss[-1]:.4g}" in err
    assert_same_run(quiet, shown, tol=0)


NO_ROWS = (
    "X must have shape (m, n) with at least one row and one column, got {}; "
    "a single feature becomes one column with X[:, None]"
)


@pytest.mark.parametrize("fit", [fit_linear, fit_linear_autograd])
@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"X": np.zeros(4)}, NO_ROWS.format("(4,)")),
        (
            {"X": np.zeros((3, 2))},
            "X has 3 rows but targets have shape (4,); give one target for each row of X",
        ),
        ({"X": np.zeros((0, 2)), "y": []}, NO_ROWS.format("(0, 2)")),
        ({"batch_size": 0}, "batch_size must be a whole number from 1 to 4, got 0"),
        ({"batch_size": 5}, "batch_size must be a whole number from 1 to 4, got 5"),
        ({"batch_size": 1.5}, "batch_size must be a whole number from 1 to 4, got 1.5"),
        ({"lr": -1}, "lr must be a positive, finite number, got -1"),
        ({"steps": -1}, "steps must be a whole number of at least 0, got -1"),
    ],
)
def test_bad_input_is_refused(fit, change, text):
    if fit is fit_linear_autograd:
        pytest.importorskip("torch")
    arguments = {"X": np.zeros((4, 2)), "y": np.zeros(4), "lr": 0.1, "steps": 1, **change}
    with pytest.raises(ValueError, match=r".") as caught:
        fit(MSELoss(), **arguments)
    assert str(caught.value) == text


def test_wrong_labels_are_refused_before_the_first_step():
    with pytest.raises(ValueError, match=r"^BCEWithLogitsLoss: targets must lie in \[0, 1\]"):
        fit_linear(BCEWithLogitsLoss(), np.zeros((2, 1)), [-1, 1], lr=0.1, steps=1)


def test_importing_train_does_not_load_torch():
    """The closed form needs no PyTorch; see also test_import.py."""
    assert "torch" not in vars(sys.modules["lossutils.train"])
    assert isinstance(gradient_descent(bowl, 1.0, lr=0.1, steps=1), History)


@pytest.mark.parametrize("fit", [fit_linear, fit_linear_autograd])
@pytest.mark.parametrize(
    ("loss", "y", "options", "text"),
    [
        (HingeLoss(), [0, 1, 1, 0], {}, "HingeLoss: targets must be -1 or +1"),
        (HingeLoss(), [[1], [-1], [1], [1]], {}, "scores have shape (4,) but targets have shape"),
        (CrossEntropyLoss(), [-5, 0, 1, 1], {}, "labels must be 0 to 1"),
        (CrossEntropyLoss(), ["a", "b", "a", "b"], {}, "targets must be integer labels"),
        (CrossEntropyLoss(), [np.nan, 0, 1, 1], {}, "targets must be integer labels"),
        (CrossEntropyLoss(), [[0], [1], [1], [0]], {}, "labels with targets[:, 0]"),
        (BCELoss(), [0, 1, 1, 0], {}, "BCELoss takes probabilities"),
        (PoissonNLLLoss(log_input=False), [0, 1, 2, 0], {}, "takes rates, and the scores of"),
        (PoissonNLLLoss(), [0, 1, -2, 0], {}, "targets must be counts"),
        (MSELoss(), [0, 1, 1, 0], {"start": [np.zeros(2)]}, "start must be a pair (W, b), got 1"),
        (MSELoss(), [0, 1, 1, 0], {"l2": -1.0}, "l2 must be non-negative and finite, got -1.0"),
    ],
)
def test_both_twins_refuse_the_same_targets(fit, loss, y, options, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        fit(loss, np.eye(4)[:, :2], y, lr=0.1, steps=1, **options)


def test_labels_of_one_class_give_a_model_of_two_scores():
    assert fit_linear(CrossEntropyLoss(), np.eye(3), [0, 0, 0], lr=0.1, steps=1).W.shape == (3, 2)


def test_a_function_that_changes_its_arguments_does_not_change_the_start():
    start = np.array([4.0])

    def overwrite(x):
        value, grad = float(x[0] ** 2), 2 * x
        x[:] = 99.0
        return value, grad

    gradient_descent(overwrite, start, lr=0.1, steps=2)
    assert start == [4.0]


def test_a_learning_rate_function_is_called_at_each_step():
    rates = [0.5, 0.25, 0.1]
    path = gradient_descent(bowl, 1.0, lr=lambda k: rates[k], steps=3).path[0]
    assert_allclose(path, [1.0, 0.0, 0.0, 0.0])
    path = gradient_descent(bowl, 1.0, lr=lambda k: 0.25 / (k + 1), steps=2).path[0]
    assert_allclose(path, [1.0, 0.5, 0.375])


def test_a_learning_rate_that_becomes_negative_is_refused():
    with pytest.raises(ValueError, match=r"lr must be a positive, finite number, got -0\.1"):
        gradient_descent(bowl, 1.0, lr=lambda k: 0.1 - 0.2 * k, steps=3)


def test_tuning_takes_the_best_rate_and_the_smallest_of_ties():
    tuned = tune_lr(lambda lr: lr, lambda lr: -abs(lr - 3), [8, 4, 2, 1])
    assert (tuned.lr, tuned.fit, tuned.score) == (2, 2, -1)
    assert tuned.scores == {1: -2, 2: -1, 4: -1, 8: -5}


def test_tuning_skips_runs_that_diverge():
    def fit(lr):
        return gradient_descent(bowl, 1.0, lr=lr, steps=2000)

    tuned = tune_lr(fit, lambda history: -history.loss[-1], [0.01, 0.4, 4.0])
    assert tuned.lr == 0.4
    assert tuned.scores[4.0] == -np.inf
    with pytest.raises(ValueError, match=r"none of the learning rates \[4.0\] has a finite score"):
        tune_lr(fit, lambda history: -history.loss[-1], [4.0])
