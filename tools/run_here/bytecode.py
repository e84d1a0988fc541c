"""Make bytecode smaller: without columns of source code, and without docstrings.

Python's ``.pyc`` files say of each instruction from which line and columns it comes. A traceback
shows columns by marking a part of the source line, but the source of libraries does not go into
the page; so lines are kept, and columns dropped. Docstrings become empty, as under
``python -OO``; those of NumPy are kept, since it works on them while it is imported.

This reads and writes the format of Python's module ``marshal`` itself, since its code objects are
those of another version of Python than the one that builds the site.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

MAGIC = b"R\x0e\r\n"
"""How the bytecode of CPython 3.15 begins."""
HEADER = 16
LOAD_CONST, STORE_NAME = 81, 115
"""Operations of 3.15: ``__doc__ = "..."`` is one of each."""
HAS_DOCSTRING = 0x4000000
"""Flag of a function whose first constant is its docstring."""
REFERRED = 0x80
"""Flag of a value that later ones may refer to by number."""
SIZED = {"i": 4, "g": 8, "y": 16, "l": None, "N": 0, "F": 0, "T": 0, "S": 0, ".": 0, "0": 0}
"""How many bytes follow each type of fixed size; a long integer tells its own."""
SHORT, LONG = "zZ", "sautAI"
"""Strings whose length is one byte, or four; ``s`` is one of bytes."""
NO_COLUMNS, NOTHING, LARGEST_ENTRY = 13, 15, 8
"""Kinds of entries of a table of lines: one with a line, one without; and its most instructions."""


class Value(NamedTuple):
    """Where a value is in a file, its type and parts, and its number if others may refer to it."""

    start: int
    end: int
    kind: str
    parts: list[Value]
    number: int | None


class Reader:
    """Reads the values of a file, and what of them is to be replaced.

    Parameters
    ----------
    data : bytes
        A ``.pyc`` file of CPython 3.15.
    docstrings : bool
        Whether to keep docstrings.
    """

    def __init__(self, data: bytes, *, docstrings: bool) -> None:
        if data[:4] != MAGIC:
            raise ValueError(f"this is not the bytecode of CPython 3.15: it begins {data[:4]!r}")
        self.data, self.at, self.docstrings = data, HEADER, docstrings
        self.numbered: list[Value | None] = []
        self.used: set[int] = set()
        self.replaced: dict[int, tuple[Value, bytes]] = {}
        self.value()

    def result(self) -> bytes:
        """Return the smaller file."""
        out, at = [], 0
        for start, (value, new) in sorted(self.replaced.items()):
            if value.kind == "s" or value.number not in self.used:  # nothing else is that docstring
                out += [self.data[at:start], new]
                at = value.end
        return b"".join([*out, self.data[at:]])

    def number(self) -> int:
        """Read four bytes."""
        self.at += 4
        return struct.unpack_from("<i", self.data, self.at - 4)[0]

    def value(self) -> Value:
        """Read a value."""
        start, first = self.at, self.data[self.at]
        kind = chr(first & ~REFERRED)
        self.at += 1
        number = None
        if first & REFERRED:
            number = len(self.numbered)
            self.numbered.append(None)
        parts: list[Value] = []
        if kind == "r":
            referred = self.number()
            self.used.add(referred)
            found = self.numbered[referred]
            return found if found is not None else Value(start, self.at, kind, [], None)
        if kind == "c":
            parts = self.code()
        elif kind in SIZED:
            size = SIZED[kind]
            size = 2 * abs(self.number()) if size is None else size  # which moves self.at, too
            self.at += size
        elif kind in SHORT:
            self.at += 1 + self.data[self.at]
        elif kind in LONG:
            size = self.number()
            self.at += size
        elif kind in ")(<>[:":
            parts = [self.value() for _ in range(self.count(kind))]
        elif kind in "{}":
            while self.data[self.at] != ord("0"):
                parts.append(self.value())
            self.at += 1
        else:
            raise ValueError(f"a value of the unknown type {kind!r} at byte {start}")
        made = Value(start, self.at, kind, parts, number)
        if number is not None:
            self.numbered[number] = made
        return made

    def count(self, kind: str) -> int:
        """Read how many values a tuple, a list, a set or a slice holds."""
        if kind == ":":
            return 3
        if kind == ")":
            self.at += 1
            return self.data[self.at - 1]
        return self.number()

    def code(self) -> list[Value]:
        """Read a code object, and note its docstring and its table of lines."""
        flags = struct.unpack_from("<i", self.data, self.at + 16)[0]
        self.at += 20
        parts = [self.value() for _ in range(8)]
        self.at += 4  # the first line
        parts += [self.value(), self.value()]
        code, constants, names, lines = parts[0], parts[1].parts, parts[2].parts, parts[8]
        if not self.docstrings:
            self.drop_docstring(flags, self.data[code.start + 5 : code.end], constants, names)
        old = self.data[lines.start + 5 : lines.end]
        new = without_columns(old)
        self.replaced[lines.start] = (
            lines,
            self.data[lines.start : lines.start + 1] + struct.pack("<i", len(new)) + new,
        )
        return parts

    def drop_docstring(
        self, flags: int, code: bytes, constants: list[Value], names: list[Value]
    ) -> None:
        """Note the docstring of a function, a class or a module to be replaced by an empty one."""
        found = constants[:1] if flags & HAS_DOCSTRING else []
        for i in range(0, len(code) - 3, 2):
            if code[i] == LOAD_CONST and code[i + 2] == STORE_NAME:
                name = names[code[i + 3]]
                if self.data[name.start : name.end].endswith(b"\x07__doc__"):
                    found = [constants[code[i + 1]]]
                    break
        for value in found:
            if value.kind in "zZautAI":
                flag = self.data[value.start] & REFERRED
                self.replaced[value.start] = (value, bytes([ord("z") | flag, 0]))


def without_columns(table: bytes) -> bytes:
    """Return a table of lines whose entries have no columns.

    Parameters
    ----------
    table : bytes
        ``co_linetable`` of a code object.

    Returns
    -------
    bytes
        A table that gives the same line for each instruction.
    """
    spans: list[tuple[int, int | None]] = []  # of how many instructions, and how the line moves
    at = 0
    while at < len(table):
        kind, length = table[at] >> 3 & 15, (table[at] & 7) + 1
        moved: int | None = 0
        at += 1
        if kind < 10:
            at += 1
        elif kind < NO_COLUMNS:
            moved = kind - 10
            at += 2
        elif kind < NOTHING:
            moved, at = signed(table, at)
            for _ in range(3 if kind > NO_COLUMNS else 0):
                _, at = unsigned(table, at)
        else:
            moved = None
        # One that goes on with the line of the last one, or has no line either, is a part of it.
        if spans and moved in (0, None) and (moved is None) == (spans[-1][1] is None):
            spans[-1] = (spans[-1][0] + length, spans[-1][1])
        else:
            spans.append((length, moved))
    return b"".join(entries(length, moved) for length, moved in spans)


def entries(length: int, moved: int | None) -> bytes:
    """Return entries for some instructions of one line."""
    out = b""
    while length > 0:
        head = min(length, LARGEST_ENTRY)
        length -= head
        if moved is None:
            out += bytes([0x80 | NOTHING << 3 | head - 1])
        else:
            zigzag = moved << 1 if moved >= 0 else -moved << 1 | 1
            out += bytes([0x80 | NO_COLUMNS << 3 | head - 1]) + six_bits(zigzag)
            moved = 0
    return out


def unsigned(table: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place, in pieces of six bits, and where it ends."""
    number = shift = 0
    while True:
        byte = table[at]
        at += 1
        number |= (byte & 63) << shift
        shift += 6
        if not byte & 64:
            return number, at


def signed(table: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place whose last bit is its sign, and where it ends."""
    number, at = unsigned(table, at)
    return (-(number >> 1) if number & 1 else number >> 1), at


def six_bits(number: int) -> bytes:
    """Return a number in pieces of six bits."""
    out = bytearray()
    while number >= 64:
        out.append(number & 63 | 64)
        number >>= 6
    return bytes([*out, number])


def smaller(data: bytes, *, docstrings: bool = False) -> bytes:
    """Return a smaller ``.pyc`` file that does the same.

    Parameters
    ----------
    data : bytes
        A ``.pyc`` file of CPython 3.15.
    docstrings : bool
        Whether to keep docstrings.
    """
    return Reader(data, docstrings=docstrings).result()
