"""Number formats agree with NumPy and PyTorch, and right digits are counted correctly."""

import numpy as np
import pytest
import torch
from mpmath import mpf

from lossutils.precision import FORMATS, NO_NUMBER, right_digits, round_to, worst_digits

RNG = np.random.default_rng(0)
EDGES = [0.0, -0.0, 1.0, 1 + 2**-8, 1 + 3 * 2**-8, 65504.0, 65520.0, 3.3895e38, 3.4e38, 1e39]
TINY = [2.0**-24, 2.0**-25, 3 * 2.0**-25, 2.0**-133, 2.0**-134, 3 * 2.0**-134, 1e-45, 1e-300]
NUMBERS = np.concatenate([RNG.normal(size=1000) * 10.0 ** RNG.uniform(-44, 38, 1000), EDGES, TINY])


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_a_format_has_the_limits_of_torch(form):
    limits = torch.finfo(getattr(torch, form.name))
    assert (form.eps, form.largest) == (limits.eps, limits.max)
    assert form.smallest_normal == limits.smallest_normal
    assert round_to(form.smallest, form.name) == form.smallest
    assert round_to(0.5 * form.smallest, form.name) == 0
    assert 10.0**-form.digits >= 8 * form.eps > 10.0 ** -(form.digits + 1)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("sign", [1, -1])
def test_rounding_equals_that_of_torch(name, sign):
    x = sign * NUMBERS
    theirs = torch.tensor(x).to(getattr(torch, name)).double().numpy()
    ours = round_to(x, name).astype(float)
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(np.signbit(ours), np.signbit(theirs))


def test_rounding_to_bfloat16_keeps_infinities_and_nan():
    rounded = round_to([np.inf, -np.inf, np.nan], "bfloat16")
    assert rounded.dtype == np.float32
    np.testing.assert_array_equal(rounded, [np.inf, -np.inf, np.nan])
    assert round_to(3.0, "bfloat16").shape == ()
    full = np.array([0x7FFFFFFF], dtype=np.uint32).view(np.float32)  # rounding this NaN carries
    assert np.isnan(round_to(full, "bfloat16"))


@pytest.mark.parametrize("sign", [0, 0x8000])
def test_rounding_to_bfloat16_equals_that_of_torch_at_every_number(sign):
    """The inputs are all 65,536 numbers, their midpoints, and the nearest floats of both."""
    high = (np.arange(0x8000, dtype=np.uint32) + np.uint32(sign)) << np.uint32(16)
    for low in (0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF):
        x = (high + np.uint32(low)).view(np.float32)
        theirs = torch.tensor(x).to(torch.bfloat16).float().numpy()
        np.testing.assert_array_equal(round_to(x, "bfloat16"), theirs)


def test_an_unknown_format_is_named_with_those_that_are_known():
    with pytest.raises(ValueError, match=r"'float8'.*float64, float32, bfloat16, float16"):
        round_to([1.0], "float8")


def test_right_digits():
    third = mpf(1) / 3
    values = [1 / 3, 0.33334, 0.33, 0.4, 1.0, -1 / 3, np.nan, np.inf, -np.inf]
    expected = [14, 4, 2, 0, 0, 0, NO_NUMBER, NO_NUMBER, NO_NUMBER]
    assert right_digits(values, [third] * len(values)).tolist() == expected
    assert right_digits(np.float32([1 / 3, 0.33334]), [third] * 2).tolist() == [6, 4]


def test_right_digits_beyond_the_range_of_the_format():
    huge, tiny = mpf(10) ** 400, mpf(10) ** -400
    values = [np.inf, -np.inf, np.nan, 1e308, 0.0, 5e-324, 1e-300, np.inf]
    true = [huge, huge, huge, huge, tiny, tiny, tiny, tiny]
    expected = [14, NO_NUMBER, NO_NUMBER, 0, 14, 14, 0, NO_NUMBER]
    assert right_digits(values, true).tolist() == expected
    assert right_digits([0.0, 1e-9], [0, 0]).tolist() == [14, 0]
    assert right_digits([2e-323, 2.5e-323], [tiny, tiny]).tolist() == [14, 0]
    assert right_digits([np.nan, -np.inf], [-huge, -huge]).tolist() == [NO_NUMBER, 14]


def test_worst_digits_finds_the_worst_of_each_interval():
    formulas = {"good": lambda t: t + 1, "bad": lambda t: np.where(t > 2.9, np.nan, t + 1.015)}
    exact = dict.fromkeys(formulas, lambda t: mpf(t) + 1)
    for dtype, full in [("float64", 14), ("float32", 6)]:
        found = worst_digits(formulas, exact, [0, 1, 2, 3], dtype=dtype)
        assert found.tolist() == [[full, full, full], [1, 2, NO_NUMBER]]


def test_worst_digits_computes_in_the_format():
    seen = []
    worst_digits({"a": lambda t: seen.append(t.dtype) or t}, {"a": float}, [0, 1], dtype="float16")
    assert seen == [np.float16]


def test_results_that_cannot_be_counted_are_refused():
    with pytest.raises(ValueError, match=r"got dtype int64; convert them with np\.asarray"):
        right_digits(np.array([1, 2]), [1, 2])
    with pytest.raises(ValueError, match=r"one true value for each result, got 1 for shape \(2,\)"):
        right_digits([1.0, 2.0], [1])
    with pytest.raises(ValueError, match="no exact value is given for a"):
        worst_digits({"a": np.exp, "b": np.exp}, {"b": np.exp}, [0, 1])
