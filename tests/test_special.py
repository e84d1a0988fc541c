"""Sigmoid, softmax and the like: accuracy against 400-digit arithmetic, axes, dtypes, bad input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lossutils._checks import to_float64
from lossutils.special import (
    exact_difference,
    log_softmax,
    logsumexp,
    sigmoid,
    sigmoid_derivative,
    softmax,
    softmax_parts,
    softplus,
)
from tests.dual import exact, mp
from tests.reference import error_in_eps, grid, precisions, score_rows, widths

OF_ONE_NUMBER = {
    sigmoid: lambda z: 1 / (1 + mp.exp(-z)),
    sigmoid_derivative: lambda z: mp.exp(-z) / (1 + mp.exp(-z)) ** 2,
    softplus: lambda z: mp.log(1 + mp.exp(z)),
}
OF_ROWS = [logsumexp, softmax, log_softmax]
FUNCTIONS = [*OF_ONE_NUMBER, *OF_ROWS]
one_number = pytest.mark.parametrize("function", OF_ONE_NUMBER)
rows_only = pytest.mark.parametrize("function", OF_ROWS)
every_function = pytest.mark.parametrize("function", FUNCTIONS)


@one_number
@precisions
def test_accuracy(function, dtype):
    z = np.append(grid(dtype), [np.inf, -np.inf]).astype(dtype)
    values = function(z)
    assert values.dtype == dtype
    for x, value in zip(z, values, strict=True):
        true = OF_ONE_NUMBER[function](exact(x))
        assert error_in_eps(value, true, abs(true), dtype) <= 2, (x, value)


@precisions
@widths
def test_accuracy_of_rows(dtype, K):
    """Log-sum-exp is 0 for some s < 0, so its error there is relative to the largest score."""
    rows = score_rows(dtype, K)[::3]
    lse, p, log_p = logsumexp(rows), softmax(rows), log_softmax(rows)
    assert lse.dtype == p.dtype == log_p.dtype == dtype
    for i, row in enumerate(rows):
        s = [exact(x) for x in row]
        total = sum(mp.exp(x) for x in s)
        true = mp.log(total)
        assert error_in_eps(lse[i], true, max(abs(true), abs(max(s))), dtype) <= 2, row
        for k in range(K):
            true = mp.exp(s[k]) / total
            assert error_in_eps(p[i, k], true, true, dtype) <= 4, row
            true = -mp.log(total * mp.exp(-s[k]))  # keeps its digits even near 0
            assert error_in_eps(log_p[i, k], true, abs(true), dtype) <= 4, row


@rows_only
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_axes(function, axis):
    s = np.random.default_rng(0).normal(size=(2, 3, 4))
    by_hand = np.apply_along_axis(function, axis, s)
    assert_array_equal(function(s, axis=axis), by_hand)
    assert_array_equal(function(s), function(s, axis=-1))


@rows_only
def test_a_single_score_has_probability_1(function):
    """The log-sum-exp of a single vector is a number."""
    assert_array_equal(logsumexp([3.0]), 3.0)
    assert_array_equal(softmax([3.0]), [1.0])
    assert_array_equal(log_softmax([3.0]), [0.0])
    assert function(np.zeros((2, 0, 3))).shape[:2] == (2, 0)


def test_logsumexp_of_infinities():
    inf = np.inf
    rows = [[inf, 0.0], [-inf, 0.0], [-inf, -inf], [inf, inf], [inf, -inf], [np.nan, inf]]
    assert_array_equal(logsumexp(rows), [inf, 0.0, -inf, inf, inf, np.nan])


def test_softmax_of_infinities():
    inf, nan = np.inf, np.nan
    rows = [[inf, 0.0], [-inf, 0.0], [inf, -inf], [inf, inf], [-inf, -inf], [nan, 0.0], [0.0, nan]]
    p = softmax(rows)
    assert_array_equal(p[:3], [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert np.isnan(p[3:]).all()
    log_p = log_softmax(rows)
    assert_array_equal(log_p[:3], [[0.0, -inf], [-inf, 0.0], [0.0, -inf]])
    assert np.isnan(log_p[3:]).all()


def test_a_difference_too_large_for_a_float_gives_no_warning():
    """In these tests every warning is an error."""
    row = [1.7e308, -1.7e308]
    assert_array_equal(softmax(row), [1.0, 0.0])
    assert_array_equal(log_softmax(row), [0.0, -np.inf])
    assert logsumexp(row) == 1.7e308


@one_number
def test_nan_gives_nan(function):
    assert_array_equal(np.isnan(function([np.nan, 1.0])), [True, False])


def test_identities():
    z = grid(np.float64)
    assert_allclose(sigmoid(z) + sigmoid(-z), 1.0, rtol=2.3e-16)
    assert_array_equal(sigmoid_derivative(z), sigmoid_derivative(-z))
    assert sigmoid_derivative(0.0) == 0.25
    pairs = np.stack([np.zeros_like(z), z], axis=1)
    assert_allclose(logsumexp(pairs), softplus(z), rtol=2e-16)
    assert_allclose(softmax(pairs)[:, 1], sigmoid(z), rtol=4e-16, atol=5e-324)


def test_softmax_sums_to_one_and_ignores_a_constant():
    rows = score_rows(np.float64, 5)
    assert_allclose(softmax(rows).sum(axis=1), 1.0, rtol=4e-16)
    eighths = np.random.default_rng(0).integers(-80, 81, size=(50, 4)) / 8
    assert_array_equal(softmax(eighths + 1e15), softmax(eighths))


def test_parts_of_a_softmax():
    """The complement keeps the digits that 1 - p loses for p near 1."""
    parts = softmax_parts(np.array([[50.0, 0.0, 0.0], [0.0, 1.0, 1.0]]))
    assert_array_equal(parts.top, [[0], [1]])
    assert_array_equal(parts.gap, [[0.0, 50.0, 50.0], [1.0, 0.0, 0.0]])
    assert_array_equal(parts.e[np.arange(2), parts.top[:, 0]], 1.0)
    assert_allclose(parts.q[0, 0], 2 * np.exp(-50.0), rtol=1e-15)
    assert_allclose(parts.p + parts.q, 1.0, rtol=2e-16)
    assert_allclose(np.exp(-parts.neg_log_p), parts.p, rtol=1e-14)


def test_exact_difference_loses_nothing():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 200)) * 10.0 ** rng.integers(-20, 20, size=(2, 200))
    difference, error = exact_difference(a, b)
    assert_array_equal(difference, a - b)
    for d, e, x, y in zip(difference, error, a, b, strict=True):
        assert exact(d) + exact(e) == exact(x) - exact(y)
    assert error.any()


def test_exact_difference_of_infinities():
    with np.errstate(invalid="ignore"):
        difference, error = exact_difference(np.array([np.inf, 1.0]), np.array([1.0, np.inf]))
    assert_array_equal(difference, [np.inf, -np.inf])
    assert_array_equal(error, [0.0, 0.0])


@every_function
@pytest.mark.parametrize(
    ("dtype", "result"),
    [(np.float32, np.float32), (np.float64, np.float64), (np.float16, np.float64)]
    + [(kind, np.float64) for kind in (bool, np.int8, np.int32, np.uint64)],
)
def test_dtypes(function, dtype, result):
    assert function(np.ones((2, 3), dtype)).dtype == result


@every_function
def test_any_layout_is_accepted_and_inputs_are_unchanged(function):
    s = np.random.default_rng(0).normal(size=(4, 6))
    expected = function(s)
    read_only = s.copy()
    read_only.flags.writeable = False
    for array in (np.asfortranarray(s), np.repeat(s, 2, axis=1)[:, ::2], read_only, s.tolist()):
        before = np.array(array)
        assert_array_equal(function(array), expected)
        assert_array_equal(array, before)


@one_number
def test_a_single_number_is_accepted(function):
    assert function(0.5).shape == ()
    assert function(0.5) == function([0.5])[0]


def test_to_float64_copies_only_when_necessary():
    x = np.ones(3)
    assert to_float64(x)[0] is x
    array, dtype = to_float64(np.ones(3, np.float32))
    assert (array.dtype, dtype) == (np.float64, np.float32)
    assert to_float64([1, 2])[1] == np.float64


@every_function
@pytest.mark.parametrize(
    ("values", "dtype"), [(["a"], "<U1"), ([1j], "complex128"), ([None], "object")]
)
def test_only_real_numbers_are_accepted(function, values, dtype):
    with pytest.raises(ValueError, match="real numbers") as caught:
        function(values)
    assert str(caught.value) == (
        f"expected real numbers, got an array of dtype {dtype}; "
        "convert it with np.asarray(x, dtype=float)"
    )


@rows_only
@pytest.mark.parametrize(
    ("scores", "axis", "shape"),
    [
        (1.0, -1, "()"),
        ([], -1, "(0,)"),
        (np.zeros((0, 3)), 0, "(0, 3)"),
        (np.zeros((2, 3)), 2, "(2, 3)"),
        (np.zeros((2, 3)), -3, "(2, 3)"),
    ],
)
def test_an_empty_or_missing_axis_is_refused(function, scores, axis, shape):
    with pytest.raises(ValueError, match="axis") as caught:
        function(scores, axis=axis)
    assert str(caught.value) == (
        f"expected scores with at least one entry along axis {axis}, got shape {shape}"
    )


@rows_only
def test_a_single_nan_gives_nan(function):
    """No other entry in the row could pass the NaN on."""
    assert np.isnan(function([np.nan])).all()
