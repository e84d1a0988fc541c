"""Removes IPython's magics from a cell; runs in the sandbox, since it parses untrusted source."""

from __future__ import annotations

import ast
import re

# `%time x = f()`, `!ls`, `files = !ls`, `f?`
MAGIC = re.compile(r"^(\s*)(?:[%!?].*|[\w.]+\?{1,2}|[\w, ]+=\s*[%!].*)$")
# Cell magics that are followed by Python.
PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun")
MAX_REPLACEMENTS = 50


def plain_python(source: str) -> str:
    """Source of a cell with each magic and shell command replaced by ``pass``.

    Lines keep their numbers. A line that looks like a magic is replaced only if Python reports a
    syntax error there, since it may also start with the operator ``%`` or be part of a string.
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
            index = (error.lineno or 0) - 1
            if not (0 <= index < len(lines) and MAGIC.match(lines[index])):
                break
            lines[index] = MAGIC.sub(r"\1pass", lines[index])
        except (ValueError, RecursionError, MemoryError):
            break  # the cell will raise the error when it runs
    return "\n".join(lines)
