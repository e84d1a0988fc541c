"""Removes IPython's magics from a cell; runs in the sandbox, since it parses untrusted source."""

from __future__ import annotations

import ast
import re

# `%time x = f()`, `y = %time f()`: what follows is Python, and its result is used.
TIMED = re.compile(r"^((?:[^=!%(]*=)?\s*)%time\s+(?=\S)")
# `files = !ls`, `home = %env HOME`
ASSIGNED = re.compile(r"^([^=!%(]+=\s*)[%!].*$")
# `%matplotlib inline`, `!ls`, `f?`
MAGIC = re.compile(r"^(\s*)(?:[%!?].*|[\w.*\[\]-]+\?{1,2}\s*)$")
# Cell magics that are followed by Python.
PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun")
MAX_REPLACEMENTS = 50


def plain_python(source: str) -> str:
    """Source of a cell with each magic and shell command replaced by ``pass``.

    A name that a command's output is assigned to becomes an empty list. Lines keep their numbers. A
    line that looks like a magic is replaced only if Python reports a syntax error there, since it
    may also start with the operator ``%`` or be part of a string.
    """
    first = source.split(maxsplit=1)
    if first and first[0].startswith("%%") and first[0] not in PYTHON_CELLS:
        return ""
    lines = source.split("\n")
    for _ in range(MAX_REPLACEMENTS):
        try:
            ast.parse("\n".join(lines))
            break
        except SyntaxError as error:
            if not _replace(lines, (error.lineno or 0) - 1):
                break
        except (ValueError, RecursionError, MemoryError):
            break  # the cell will raise the error when it runs
    return "\n".join(lines)


def _replace(lines: list[str], index: int) -> bool:
    """Replace the magic that starts in a line; return whether there is one."""
    if not 0 <= index < len(lines):
        return False
    line = lines[index]
    for pattern, plain in ((TIMED, r"\1"), (ASSIGNED, r"\1[]"), (MAGIC, r"\1pass")):
        if pattern.match(line):
            lines[index] = pattern.sub(plain, line)
            break
    else:
        return False
    # A backslash continues a command on the next line; `%time` is followed by Python, which does.
    while pattern is not TIMED and line.endswith("\\") and index + 1 < len(lines):
        index += 1
        line, lines[index] = lines[index], ""
    return True
