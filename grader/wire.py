"""The messages between grader and student: frames of JSON, never pickle.

JSON keeps every bit of a float, and no header of an array has to be believed. Both ends use this
file. The trusted end assumes that every frame is hostile: `decode` accepts only numbers, short
texts, lists and numeric arrays, and refuses what is deep, large or malformed.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np

HEADER = struct.Struct(">QI")  # number of the request, length of the JSON that follows
MAX_BYTES = 1 << 20  # of JSON in a frame; parsed, it needs at most fifty times as much memory
MAX_VALUES = 1 << 15  # numbers, texts and lists in a message; so many floats fit into a frame
MAX_DEPTH = 4  # of lists, and dimensions of an array
MAX_TEXT = 1000  # characters

TOO_DEEP = "lists nested too deeply"
TOO_MANY = f"more than {MAX_VALUES} numbers"
TOO_LONG = f"a text of more than {MAX_TEXT} characters"

DTYPES = {
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64"),
}


class WireError(ValueError):
    """A message is malformed, or holds a value that may not pass; the text says what it was."""


def frame(number: int, message: object) -> bytes:
    """Encode a message as a frame: its number, its length, its JSON."""
    body = json.dumps(message).encode("ascii")
    return HEADER.pack(number, len(body)) + body


def parse(body: bytes) -> dict[str, Any]:
    """Decode the JSON object of a frame; raises `WireError` for anything else."""
    try:
        message = json.loads(body.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {type(error).__name__}") from None
    if not isinstance(message, dict):
        raise WireError(f"not an object but {type(message).__name__}")
    return message


def text(value: object, length: int) -> str:
    """Text that the other end sent, cut; empty for anything else, which may be deep or large."""
    return value[:length] if isinstance(value, str) else ""


def encode(value: object) -> object:
    """Value as JSON; an array as its dtype, its shape, and the list of its entries.

    Raises
    ------
    WireError
        For other objects, and for more values than `decode` accepts.
    """
    encoded = _encode(value, 0)
    _check_size(encoded)
    return encoded


def _encode(value: object, depth: int) -> object:
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype == np.longdouble:
            array = array.astype(np.float64)
        if array.dtype.name not in DTYPES:
            raise WireError(f"an array of dtype {array.dtype}")
        if array.size > MAX_VALUES:  # before a list of it takes ten times its memory
            raise WireError(TOO_MANY)
        return {"dtype": array.dtype.name, "shape": array.shape, "entries": array.ravel().tolist()}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple):
        if depth == MAX_DEPTH:
            raise WireError(TOO_DEEP)
        return [_encode(entry, depth + 1) for entry in value]  # type: ignore[attr-defined]
    raise WireError(f"a {type(value).__name__}")


def decode(value: object) -> Any:
    """Value that `encode` wrote; raises `WireError` for anything else."""
    _check_size(value)
    return _decode(value)


def _check_size(value: object) -> None:
    """Raise `WireError` for a value in JSON that is too deep or too large."""
    number, lists = 0, [(value, 0)]
    while lists:
        current, depth = lists.pop()
        entries = current.get("entries") if isinstance(current, dict) else current
        number += len(entries) if isinstance(entries, list) else 0
        if number > MAX_VALUES:
            raise WireError(TOO_MANY)
        if isinstance(current, list):
            if depth == MAX_DEPTH:
                raise WireError(TOO_DEEP)
            lists += [(entry, depth + 1) for entry in current if isinstance(entry, list | dict)]


def _decode(value: object) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        if abs(value) >= 1 << 63:
            raise WireError("an integer of more than 64 bits")
        return value
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise WireError(TOO_LONG)
        return value
    if isinstance(value, list):
        return [_decode(entry) for entry in value]
    if isinstance(value, dict) and value.keys() == {"dtype", "shape", "entries"}:
        return _array(**value)
    raise WireError("an unknown object")


def _array(dtype: object, shape: object, entries: object) -> np.ndarray:
    if not (isinstance(dtype, str) and dtype in DTYPES):
        raise WireError("an array of another dtype")
    if not isinstance(entries, list) or not set(map(type, entries)) <= {bool, int, float}:
        raise WireError("an array of something else than numbers")
    # Without a limit for each length, an empty array of shape (0, 10**20) would pass.
    if not isinstance(shape, list) or not all(
        type(length) is int and 0 <= length <= MAX_VALUES for length in shape
    ):
        raise WireError("an array whose shape is malformed")
    if len(shape) > MAX_DEPTH:
        raise WireError(f"an array of more than {MAX_DEPTH} dimensions")
    if math.prod(shape) != len(entries):
        raise WireError("an array whose shape does not fit its entries")
    try:
        with np.errstate(all="ignore"):  # 1e300 is infinite in float16
            return np.array(entries, dtype).reshape(shape)
    except (ValueError, OverflowError):  # 300 in uint8, NaN in int64
        raise WireError("an array whose entries do not fit its dtype") from None
