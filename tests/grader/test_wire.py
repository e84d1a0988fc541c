"""The messages on the pipe: a value that a student may return is decoded, all else is refused."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import wire

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
    np.array([True, False]),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_survive_the_round_trip(value):
    arrived = wire.decode(json.loads(json.dumps(wire.encode(value))))
    np.testing.assert_array_equal(np.array(arrived, dtype=object), np.array(value, dtype=object))
    if isinstance(value, np.ndarray):
        assert (arrived.dtype, arrived.shape) == (value.dtype, value.shape)
        assert arrived.flags.writeable


def test_not_a_number_arrives():
    assert np.isnan(wire.decode(json.loads(json.dumps(wire.encode(np.nan)))))


def test_a_tuple_arrives_as_a_list():
    assert wire.decode(wire.encode((1, (2.0,)))) == [1, [2.0]]


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
    ],
    ids=repr,
)
def test_other_objects_cannot_be_encoded(value, says):
    with pytest.raises(TypeError, match=says):
        wire.encode(value)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"npy": 3},
        {"npy": "", "more": 1},
        {"npy": ""},
        {"npy": "é"},
        1 << 63,
        -(1 << 63),
        "x" * 1001,
        [[[[[[1]]]]]],
    ],
    ids=repr,
)
def test_other_messages_are_refused(value):
    with pytest.raises(wire.WireError):
        wire.decode(value)


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff", b"[" * 10**5, b'{"a": ' * 10**5])
def test_what_is_no_frame(body):
    with pytest.raises(wire.WireError):
        wire.parse(body)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["npy", "x"]), inner),
)


@given(ANYTHING)
def test_any_json_is_a_plain_value_or_refused(value):
    try:
        decoded = wire.decode(value)
    except wire.WireError:
        return
    wire.encode(decoded)  # raises TypeError unless the value is plain


@given(st.binary(max_size=200), st.integers(0, 40), st.binary(max_size=8))
def test_a_damaged_array_is_an_array_or_refused(more, position, patch):
    whole = base64.b64decode(wire.encode(np.arange(3.0))["npy"])
    damaged = whole[:position] + patch + whole[position + len(patch) :] + more
    try:
        array = wire.decode({"npy": base64.b64encode(damaged).decode()})
    except wire.WireError:
        return
    assert array.nbytes <= len(damaged)
    assert array.dtype.kind in "biuf"
