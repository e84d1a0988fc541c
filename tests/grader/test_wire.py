"""The messages on the pipe: a value that a student may return is decoded, all else is refused."""

import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from grader import WrongAnswer, compare, wire

VALUES = [
    None,
    True,
    -3,
    0.1,
    float("inf"),
    "text",
    [1, [2.5, "x"]],
    np.float64(0.1),
    np.array(3),
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.arange(6).reshape(2, 3)),
    np.array([], dtype=np.float32),
    np.zeros((0, 3)),
    np.array([True, False]),
    np.array([2**64 - 1], dtype=np.uint64),
    np.arange(wire.MAX_VALUES),
]


def sent(value):
    """Value as it arrives at the other end."""
    body = wire.frame(1, {"value": wire.encode(value)})[wire.HEADER.size :]
    return wire.decode(wire.parse(body)["value"])


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_survive_the_round_trip(value):
    arrived = sent(value)
    np.testing.assert_array_equal(np.array(arrived, dtype=object), np.array(value, dtype=object))
    if isinstance(value, np.ndarray):
        assert (arrived.dtype, arrived.shape) == (value.dtype, value.shape)
        assert arrived.flags.writeable


@given(st.sampled_from(sorted(wire.DTYPES)).flatmap(lambda d: arrays(d, array_shapes(min_dims=0))))
def test_every_bit_of_an_array_arrives(array):
    arrived = sent(array)
    assert (arrived.dtype, arrived.shape) == (array.dtype, array.shape)
    missing = np.isnan(array)  # of the bits of NaN only that it is NaN arrives
    np.testing.assert_array_equal(np.isnan(arrived), missing)
    assert arrived[~missing].tobytes() == array[~missing].tobytes()


def test_the_largest_array_fits_into_a_frame():
    array = np.full(wire.MAX_VALUES, -np.nextafter(1e-308, 1))
    assert len(wire.frame(1, {"value": wire.encode(array)})) < wire.MAX_BYTES


def test_extended_precision_is_rounded():
    assert sent(np.array([0.1], dtype=np.longdouble)).dtype == np.float64


def test_not_a_number_arrives():
    assert np.isnan(sent(np.nan))


def test_a_tuple_arrives_as_a_list():
    assert sent((1, (2.0,))) == [1, [2.0]]


class Odd(float):
    """A subclass of float, which could bring methods of its own."""


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({1: 2}, "a dict"),
        (1j, "a complex"),
        (Odd(1), "a Odd"),
        (np.array([None]), "dtype object"),
        (np.array([1j]), "dtype complex"),
        (np.array(["x"]), "dtype <U1"),
        ([[[[[[1]]]]]], "nested too deeply"),
        (len, "a builtin_function_or_method"),
        (np.zeros(wire.MAX_VALUES + 1), "more than 32768 numbers"),
        ([[0] * wire.MAX_VALUES, [0]], "more than 32768 numbers"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_other_objects_cannot_be_encoded(value, says):
    with pytest.raises(wire.WireError, match=says):
        wire.encode(value)


def array(dtype="float64", shape=(1,), entries=(1.0,), **more):
    """An array as JSON."""
    return {"dtype": dtype, "shape": list(shape), "entries": list(entries), **more}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({}, "an unknown object"),
        ({"npy": "AAAA"}, "an unknown object"),
        (array(more=1), "an unknown object"),
        (array(dtype="object"), "another dtype"),
        (array(dtype="U1000"), "another dtype"),
        (array(dtype=["float64"]), "another dtype"),
        (array(dtype=[{}]), "another dtype"),
        (array(entries=["x"]), "something else than numbers"),
        (array(entries=[None]), "something else than numbers"),
        (array(entries=[[1.0]]), "something else than numbers"),
        (array(shape=[2]), "does not fit its entries"),
        (array(shape=[-1]), "malformed"),
        (array(shape=[1.0]), "malformed"),
        (array(shape=[True]), "malformed"),
        (array(shape=[0, 10**20], entries=[]), "malformed"),
        (array(shape=[1] * 5), "more than 4 dimensions"),
        (array(dtype="uint8", entries=[10**30]), "do not fit its dtype"),
        (array(dtype="int64", entries=[np.nan]), "do not fit its dtype"),
        ([1] * wire.MAX_VALUES + [1], "more than 32768 numbers"),
        ([array(shape=[20_000], entries=[1] * 20_000)] * 2, "more than 32768 numbers"),
        (1 << 63, "more than 64 bits"),
        (-(1 << 63), "more than 64 bits"),
        ("x" * 1001, "more than 1000 characters"),
        ([[[[[[1]]]]]], "nested too deeply"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_other_messages_are_refused(value, says):
    with pytest.raises(wire.WireError, match=says):
        wire.decode(value)


@pytest.mark.parametrize(
    "body",
    [b"", b"[1]", b"{", b"\xff", b'{"\xc3\xa9": 1}', b"[" * 10**5, b'{"a": ' * 10**5],
    ids=lambda body: repr(body)[:20],
)
def test_what_is_no_frame(body):
    with pytest.raises(wire.WireError):
        wire.parse(body)


@pytest.mark.parametrize("unit", ["[" * 900 + "]" * 900, "1.5"], ids=["lists", "numbers"])
def test_a_reply_of_a_megabyte_takes_little_memory(unit):
    body = (
        f'{{"value": [{",".join([unit] * ((wire.MAX_BYTES - 40) // (len(unit) + 1)))}]}}'.encode()
    )
    tracemalloc.start()
    try:
        with suppress(wire.WireError, WrongAnswer):
            compare(wire.decode(wire.parse(body)["value"]), 1.0)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_a_long_text_among_many_numbers_takes_little_memory():
    value = [1] * (wire.MAX_VALUES - 1) + ["x" * 1000]
    tracemalloc.start()
    try:
        with pytest.raises(WrongAnswer, match="not a number or an array"):
            compare(wire.decode(value), np.zeros(wire.MAX_VALUES))
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
