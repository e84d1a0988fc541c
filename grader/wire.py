"""The messages between grader and student: frames of JSON, with arrays as ``.npy``, never pickle.

Both ends use this file. The trusted end assumes that every frame is hostile: `decode` accepts only
numbers, short texts, lists and numeric arrays, and refuses what is deep, large or malformed.
"""

from __future__ import annotations

import base64
import io
import json
import math
import re
import struct
from typing import Any, Literal

import numpy as np

HEADER = struct.Struct(">QI")  # number of the request, length of the JSON that follows
MAX_BYTES = 1 << 20  # of JSON in a frame; parsed, it may need twenty times as much memory
MAX_DEPTH = 4
MAX_TEXT = 1000


class WireError(ValueError):
    """A message is malformed, or holds a value that a student's function may not return."""


def frame(number: int, message: object) -> bytes:
    """Encode a message as a frame: its number, its length, its JSON."""
    body = json.dumps(message).encode()
    return HEADER.pack(number, len(body)) + body


def parse(body: bytes) -> dict[str, Any]:
    """Decode the JSON object of a frame; raises `WireError` for anything else."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {type(error).__name__}") from None
    if not isinstance(message, dict):
        raise WireError(f"not an object but {type(message).__name__}")
    return message


def encode(value: object, depth: int = 0) -> object:
    """Value as JSON, arrays as ``{"npy": base64}``; raises `TypeError` for other objects."""
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"an array of dtype {array.dtype}")
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
        return {"npy": base64.b64encode(buffer.getvalue()).decode()}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple):
        if depth == MAX_DEPTH:
            raise TypeError("lists nested too deeply")
        return [encode(entry, depth + 1) for entry in value]  # type: ignore[attr-defined]
    raise TypeError(f"a {type(value).__name__}")


def decode(value: object, depth: int = 0) -> Any:
    """Value that `encode` wrote; raises `WireError` for anything else."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        if abs(value) >= 1 << 63:
            raise WireError("an integer of more than 64 bits")
        return value
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise WireError(f"a text of {len(value)} characters, at most {MAX_TEXT} are read")
        return value
    if isinstance(value, list):
        if depth == MAX_DEPTH:
            raise WireError("lists nested too deeply")
        return [decode(entry, depth + 1) for entry in value]
    if isinstance(value, dict) and value.keys() == {"npy"} and isinstance(value["npy"], str):
        return _array(value["npy"])
    raise WireError("an unknown object")


MAGIC = b"\x93NUMPY\x01\x00"
ARRAY_HEADER = re.compile(
    rb"\{'descr': '([<>|][biuf]\d{1,2})', 'fortran_order': (True|False), "
    rb"'shape': \(([\d, ]{0,100})\), \} *\n"
)


def _array(text: str) -> np.ndarray:
    """Array of a base64 ``.npy``.

    `numpy.load` is not safe here: it evaluates the header and allocates the size that it states.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:
        raise WireError("an array that is not base64") from None
    start = len(MAGIC) + 2
    length = int.from_bytes(content[len(MAGIC) : start], "little")
    header = ARRAY_HEADER.fullmatch(content[start : start + length])
    if not content.startswith(MAGIC) or header is None:
        raise WireError("an array with a broken header")
    try:
        dtype = np.dtype(header[1].decode())
        shape = tuple(int(word) for word in header[3].decode().split(",") if word.strip())
    except (TypeError, ValueError):
        raise WireError("an array with a broken header") from None
    data = content[start + length :]
    if len(shape) > MAX_DEPTH:
        raise WireError(f"an array of {len(shape)} dimensions, at most {MAX_DEPTH} are read")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise WireError("an array whose header does not fit its data")
    order: Literal["C", "F"] = "F" if header[2] == b"True" else "C"
    return np.frombuffer(data, dtype).reshape(shape, order=order).copy()
