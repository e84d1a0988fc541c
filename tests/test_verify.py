"""The checks pass for correct derivatives, and fail for a wrong sign or factor."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lossutils import verify
from lossutils.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HingeLoss,
    MSELoss,
    MulticlassHingeLoss,
    SigmoidMSELoss,
    SquaredHingeLoss,
)
from lossutils.verify import (
    check_equal,
    compare_with_autograd,
    complex_step,
    numerical_derivative,
    numerical_gradient,
    taylor_test,
    torch_value_and_grad,
)
from tests.cases import ALL, each, example

POINTS = np.linspace(-2.0, 2.0, 9)
FAULTS = pytest.mark.parametrize("factor", [-1.0, 0.5, 2.0, 1.01])


def wave(x):
    """Return a function of several numbers and its gradient."""
    return float(np.sum(np.sin(x)) + x[0] * x[1]), np.cos(x) + np.array([x[1], x[0], 0.0])


X0 = np.array([0.3, -1.2, 2.0])


# ---- finite differences --------------------------------------------------------------------------


def test_numerical_derivative():
    assert_allclose(numerical_derivative(np.sin, POINTS), np.cos(POINTS), atol=1e-12)
    assert numerical_derivative(np.exp, 0.0).shape == ()
    assert numerical_derivative(np.exp, [[0.0, 1.0]]).shape == (1, 2)


@pytest.mark.parametrize("power", [1, 2, 3, 4])
def test_differences_are_exact_for_polynomials_up_to_order_4(power):
    """With a step of 1 on small integers there is no rounding error either."""
    x = np.arange(-3.0, 4.0)
    derivative = numerical_derivative(lambda t: t**power, x, step=1.0)
    assert_allclose(derivative, power * x ** (power - 1), rtol=1e-15, atol=1e-14)


def test_the_error_of_the_differences_is_of_order_4():
    errors = [abs(numerical_derivative(np.exp, 1.0, step=h) - np.e) for h in (0.2, 0.1)]
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.05)
    assert errors[1] == pytest.approx(0.1**4 / 30 * np.e, rel=0.05)


def test_numerical_gradient():
    assert_allclose(numerical_gradient(lambda x: wave(x)[0], X0), wave(X0)[1], atol=1e-12)
    assert numerical_gradient(np.sum, np.ones((2, 3))).shape == (2, 3)
    assert numerical_gradient(float, 3).shape == ()
    assert_allclose(numerical_gradient(lambda x: x @ x, [1, 2]), [2.0, 4.0], rtol=1e-12)


def test_numerical_gradient_does_not_change_its_argument():
    x = np.array([1.0, 2.0])
    numerical_gradient(lambda t: t @ t, x)
    assert_array_equal(x, [1.0, 2.0])


@FAULTS
def test_differences_catch_a_fault(factor):
    """The gradient tests of this suite rely on these differences."""
    wrong = factor * wave(X0)[1]
    assert np.abs(wrong - numerical_gradient(lambda x: wave(x)[0], X0)).max() > 1e-3


def test_complex_step_is_exact_to_rounding():
    assert_allclose(complex_step(np.exp, POINTS), np.exp(POINTS), rtol=3e-16)
    assert_allclose(complex_step(lambda x: x**3, [1, 2]), [3.0, 12.0], rtol=3e-16)
    assert complex_step(np.exp, POINTS).dtype == np.float64


# ---- the Taylor test -----------------------------------------------------------------------------


def test_taylor_test_of_a_right_gradient_is_of_order_2():
    result = taylor_test(wave, X0)
    assert result.order == pytest.approx(2.0, abs=0.1)
    assert result.steps[0] == 0.1
    assert_allclose(result.steps[1:] / result.steps[:-1], 0.5)
    assert len(result.steps) == len(result.remainders) == 8


@FAULTS
def test_taylor_test_of_a_wrong_gradient_is_of_order_1(factor):
    """A factor of 1.01 is visible only at small steps and along the gradient."""
    grad = wave(X0)[1]
    direction = grad / np.linalg.norm(grad)
    result = taylor_test(lambda x: (wave(x)[0], factor * wave(x)[1]), X0, direction=direction)
    assert result.order < 1.7 if factor == 1.01 else result.order == pytest.approx(1.0, abs=0.25)


def test_taylor_test_measures_the_remainder():
    """The remainder of x**2 along d = 2 is 4 h**2."""
    result = taylor_test(lambda x: (float(x**2), 2 * x), 1.0, direction=2.0)
    assert_allclose(result.remainders, 4 * result.steps**2, rtol=1e-10)
    assert result.order == pytest.approx(2.0, abs=1e-6)


def test_the_seed_decides_the_direction():
    same, again, other = (taylor_test(wave, X0, seed=seed).remainders for seed in (0, 0, 1))
    assert_array_equal(same, again)
    assert not np.array_equal(same, other)
    unit = np.random.default_rng(0).normal(size=3)
    by_hand = taylor_test(wave, X0, direction=unit / np.linalg.norm(unit))
    assert_array_equal(same, by_hand.remainders)


@pytest.mark.parametrize("loss", [MSELoss(), CrossEntropyLoss(), SquaredHingeLoss()], ids=repr)
def test_taylor_test_of_a_loss(loss):
    scores, targets = example(loss)
    result = taylor_test(lambda s: loss.value_and_grad(s, targets), scores)
    assert result.order == pytest.approx(2.0, abs=0.2)


# ---- check_equal ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "options", "line"),
    [
        ([1.0, 2.0], [1.0, 2.0], {}, "E holds at 2 random points (to 1e-12)"),
        (np.ones(1000), np.ones(1000), {}, "E holds at 1,000 random points (to 1e-12)"),
        (np.ones((3, 2)), np.ones((3, 2)), {}, "E holds at 3 random points (to 1e-12)"),
        (2.0, 2.0, {}, "E holds (to 1e-12)"),
        ([2.0, 2.0, 2.0], 2, {}, "E holds at 3 random points (to 1e-12)"),
        (2, [2.0, 2.0, 2.0], {}, "E holds at 3 random points (to 1e-12)"),
        ([1.0], [1.00005], {"tol": 1e-4}, "E holds at 1 random points (to 0.0001)"),
        ([1.0, 2.0], [1.0, 2.0], {"points": "labels"}, "E holds at 2 labels (to 1e-12)"),
        ([1e20], [1e20 * (1 + 1e-13)], {}, "E holds at 1 random points (to 1e-12)"),
        ([1e-20], [-1e-20], {}, "E holds at 1 random points (to 1e-12)"),
    ],
)
def test_check_equal_prints_that_it_holds(left, right, options, line, capsys):
    assert check_equal("E", left, right, **options) is None
    assert capsys.readouterr().out == line + "\n"


@pytest.mark.parametrize(
    ("left", "right", "options", "text"),
    [
        (
            [1.0, 2.0, 3.0],
            [1.0, -2.0, 3.0],
            {},
            "E does not hold at point 1: left is 2.0, right is -2.0, "
            "their relative difference 2 exceeds 1e-12",
        ),
        (
            [1.0, 2.0, 8.0],
            [1.5, 2.0, 4.0],
            {},
            "E does not hold at point 2: left is 8.0, right is 4.0, "
            "their relative difference 0.5 exceeds 1e-12",
        ),
        (
            np.ones((2, 2)),
            [[1.0, 1.0], [3.0, 1.0]],
            {"tol": 1e-4},
            "E does not hold at point 1, 0: left is 1.0, right is 3.0, "
            "their relative difference 0.67 exceeds 0.0001",
        ),
        (
            0.25,
            0.5,
            {},
            "E does not hold: left is 0.25, right is 0.5, "
            "their relative difference 0.25 exceeds 1e-12",
        ),
        (
            [1.0, np.nan],
            [1.0, np.nan],
            {},
            "E does not hold at point 1: left is nan, right is nan, "
            "their relative difference inf exceeds 1e-12",
        ),
        (
            np.inf,
            np.inf,
            {},
            "E does not hold: left is inf, right is inf, "
            "their relative difference inf exceeds 1e-12",
        ),
        (
            [1.0],
            [1.0 + 1e-11],
            {},
            "E does not hold at point 0: left is 1.0, right is 1.00000000001, "
            "their relative difference 1e-11 exceeds 1e-12",
        ),
    ],
)
def test_check_equal_says_where_it_does_not_hold(left, right, options, text, capsys):
    with pytest.raises(AssertionError) as caught:
        check_equal("E", left, right, **options)
    assert str(caught.value) == text
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("left", "right", "text"),
    [
        (
            [1.0, 2.0],
            [1.0],
            "E: the left side has shape (2,), the right side (1,); compute both at the same points",
        ),
        (
            np.ones((2, 1)),
            np.ones(2),
            "E: the left side has shape (2, 1), the right side (2,); "
            "compute both at the same points",
        ),
        ([], [], "E: there is no point to check; give arrays that are not empty"),
        ([], 1.0, "E: there is no point to check; give arrays that are not empty"),
    ],
)
def test_check_equal_refuses_sides_that_do_not_match(left, right, text):
    with pytest.raises(ValueError, match="E: ") as caught:
        check_equal("E", left, right)
    assert str(caught.value) == text


def test_check_equal_takes_tensors(capsys):
    torch = pytest.importorskip("torch")
    tensor = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    check_equal("E", tensor, [1.0, 2.0])
    check_equal("E", 2 * tensor, 2 * tensor)
    with pytest.raises(AssertionError, match="at point 1"):
        check_equal("E", tensor, [1.0, 3.0])


# ---- autograd ------------------------------------------------------------------------------------


@each(ALL)
def test_compare_with_autograd_prints_both_lines(loss, capsys):
    pytest.importorskip("torch")
    scores, targets = example(loss)
    name = type(loss).__name__
    compare_with_autograd(loss, scores, targets)
    assert capsys.readouterr().out == (
        f"{name} against PyTorch: value holds (to 1e-12)\n"
        f"{name} against PyTorch: gradient holds at 3 examples (to 1e-12)\n"
    )
    weights = np.array([0.0, 1.0, 2.5])
    compare_with_autograd(loss, scores, targets, sample_weight=weights, reduction="none", tol=1e-10)
    assert capsys.readouterr().out == (
        f"{name} against PyTorch: value holds at 3 examples (to 1e-10)\n"
        f"{name} against PyTorch: gradient holds at 3 examples (to 1e-10)\n"
    )


@FAULTS
@pytest.mark.parametrize("part", ["value", "gradient"])
def test_compare_with_autograd_catches_a_fault(factor, part):
    pytest.importorskip("torch")
    rules = {
        "value": lambda self, s, y: (factor * (s - y) ** 2, lambda: 2 * (s - y)),
        "gradient": lambda self, s, y: ((s - y) ** 2, lambda: factor * 2 * (s - y)),
    }
    faulty = type("MSELoss", (MSELoss,), {"_rule": rules[part]})
    with pytest.raises(AssertionError, match=f"^MSELoss against PyTorch: {part} does not hold"):
        compare_with_autograd(faulty(), [0.5, -1.0], [0.0, 1.0])


def test_torch_value_and_grad_has_the_shapes_of_the_loss():
    pytest.importorskip("torch")
    scores, targets = example(CrossEntropyLoss())
    for reduction, shape in (("mean", ()), ("sum", ()), ("none", (3,))):
        value, grad = torch_value_and_grad(
            CrossEntropyLoss(), scores.astype(np.float32), targets, reduction=reduction
        )
        assert value.shape == shape
        assert (grad.shape, grad.dtype) == ((3, 3), np.float64)


def test_verify_imports_no_loss():
    """Otherwise agreement with a closed-form gradient would prove nothing."""
    assert "torch" not in vars(sys.modules["lossutils.verify"])
    assert not [name for name in vars(verify) if name.endswith("Loss")]


@pytest.mark.parametrize("tol", [0, -1e-9, 1e-3, 1.0, np.inf, np.nan])
def test_a_useless_tolerance_is_refused(tol):
    with pytest.raises(ValueError, match=r"tol must lie between 0 and 0\.001") as caught:
        check_equal("E", 1.0, 1.0, tol=tol)
    assert str(caught.value).endswith(f"to mean anything, got {tol!r}")


@pytest.mark.parametrize(("factor", "holds"), [(0.9, True), (1.1, False)])
def test_the_tolerance_is_exact(factor, holds, capsys):
    if holds:
        check_equal("E", 1.0, 1.0 + factor * 1e-6, tol=1e-6)
        assert capsys.readouterr().out == "E holds (to 1e-06)\n"
    else:
        with pytest.raises(AssertionError):
            check_equal("E", 1.0, 1.0 + factor * 1e-6, tol=1e-6)


@pytest.mark.parametrize("direction", [None, [[1.0, 0.0]]])
def test_taylor_test_refuses_other_shapes(direction):
    def value_and_grad(x):
        grad = 2 * x if direction is not None else 2 * x[:, None]
        return float(np.sum(x**2)), grad

    with pytest.raises(ValueError, match="all three must be the same"):
        taylor_test(value_and_grad, [1.0, 2.0], direction=direction)


def test_taylor_test_refuses_a_straight_line():
    with pytest.raises(ValueError, match="test where it is curved"):
        taylor_test(lambda x: (float(x.sum()), np.ones(2)), [1.0, 2.0])


@pytest.mark.parametrize(
    ("loss", "scores", "targets", "options"),
    [
        (HingeLoss(), [1.0, 2.0], [0, 1], {}),
        (SigmoidMSELoss(), [1.0, 2.0], [[0], [1]], {}),
        (BCEWithLogitsLoss(), [1.0, 2.0], [0, 3], {}),
        (CrossEntropyLoss(), [[1.0, 2.0]], [[3.0, 3.0]], {}),
        (MSELoss(), [1.0], [1.0], {"reduction": "avg"}),
        (MSELoss(), [1.0], [1.0], {"sample_weight": [0.0]}),
    ],
)
def test_autograd_and_the_loss_refuse_the_same_input(loss, scores, targets, options):
    with pytest.raises(ValueError) as ours:  # noqa: PT011
        loss(scores, targets, **options)
    with pytest.raises(ValueError) as theirs:  # noqa: PT011
        torch_value_and_grad(loss, scores, targets, **options)
    assert str(theirs.value) == str(ours.value)


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64])
def test_labels_of_any_integer_kind_reach_pytorch(kind):
    scores, labels = np.array([[1.0, 2.0, 0.0], [0.5, 0.0, 3.0]]), np.array([2, 1], dtype=kind)
    for loss in (CrossEntropyLoss(), MulticlassHingeLoss()):
        compare_with_autograd(loss, scores[::-1], labels[::-1])
