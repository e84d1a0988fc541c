"""What IPython understands in a cell and Python does not; used in the sandbox, since it parses."""

from __future__ import annotations

import ast
import re

# `%time x = f()`, `!ls`, `files = !ls`, `f?`
MAGIC = re.compile(r"^(\s*)(?:[%!?].*|[\w.]+\?{1,2}|[\w, ]+=\s*[%!].*)$")
# Cell magics whose cell is Python all the same.
PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun")
MOST = 50  # lines replaced one by one


def plain_python(source: str) -> str:
    """Source of a cell without magics and shell commands; lines keep their numbers.

    A line that looks like a magic is replaced only where Python stumbles over it, since it may as
    well begin with the operator ``%``, or stand in a text.
    """
    first = source.split(maxsplit=1)
    if first and first[0].startswith("%%") and first[0] not in PYTHON_CELLS:
        return ""
    lines = source.split("\n")
    for _ in range(MOST):
        try:
            ast.parse("\n".join(lines))
            break
        except SyntaxError as error:
            at = (error.lineno or 0) - 1
            if not (0 <= at < len(lines) and MAGIC.match(lines[at])):
                break
            lines[at] = MAGIC.sub(r"\1pass", lines[at])
        except (ValueError, RecursionError, MemoryError):
            break  # running it will say what is wrong
    return "\n".join(lines)
