"""Runs a student's cells and functions inside the sandbox, as the grader requests over a pipe.

This program is untrusted: it shares its process with the student's code, which can change all of
it. `grader.student` starts it and checks every reply.
"""

from __future__ import annotations

import ast
import builtins
import json
import os
import sys
import types
from contextlib import suppress
from functools import cache
from typing import Any

# In the sandbox Python runs isolated and without site-packages.
sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), "/packages"]

import magics  # type: ignore[import-not-found]  # noqa: E402
import skipped  # type: ignore[import-not-found]  # noqa: E402
import wire  # type: ignore[import-not-found]  # noqa: E402


def limit(memory: int, processes: int, file_bytes: int, files: int) -> None:
    """Set the limits that the kernel enforces.

    This happens inside the sandbox, because the kernel counts processes per user and namespace:
    outside, all students would share one limit, and one fork bomb would use it up.
    """
    try:
        import resource
    except ModuleNotFoundError:  # Windows, where only --unsafe runs
        return
    for name, value in (
        ("RLIMIT_AS", memory),
        ("RLIMIT_NPROC", processes),
        ("RLIMIT_FSIZE", file_bytes),
        ("RLIMIT_NOFILE", files),
        ("RLIMIT_CORE", 0),
    ):
        with suppress(ValueError, OSError, AttributeError):  # macOS lacks some (--unsafe only)
            resource.setrlimit(getattr(resource, name), (value, value))


def answer(request: dict, notebook: dict) -> dict:
    """Carry out a request: say hello, run a cell, or call a function."""
    if request["op"] == "cell":
        # All cells share one namespace, as in a kernel.
        source = magics.plain_python(request["source"])
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(source, request["name"], "exec", flags, dont_inherit=True)
        if (coroutine := eval(code, notebook)) is not None:  # the cell awaits
            event_loop().run(coroutine)
    elif request["op"] == "call":
        function = notebook.get(request["function"])
        if not callable(function):
            return {"missing": True}
        kwargs = {name: wire.decode(value) for name, value in request["kwargs"].items()}
        value = function(*wire.decode(request["args"]), **kwargs)
        try:
            return {"value": wire.encode(value)}
        except wire.WireError as error:
            return {"unusable": str(error)}
    return {}


@cache
def event_loop() -> Any:
    """The event loop of all cells, as in a kernel: tasks of one cell may be awaited in another."""
    import asyncio  # takes a third of the time in which Python starts, and few notebooks need it

    return asyncio.Runner()


def describe(error: BaseException) -> dict:
    """Type, text and line of an exception in the student's code."""
    line, trace = None, error.__traceback__
    if isinstance(error, SyntaxError):
        line = error.lineno
    while trace:
        if trace.tb_frame.f_code.co_filename.startswith("<cell"):
            line = trace.tb_lineno
        trace = trace.tb_next
    try:
        text = str(error)[:300]
    except BaseException:
        text = ""
    return {"error": type(error).__name__[:80], "text": text, "line": line}


def main() -> None:
    """Answer requests until the grader closes the pipe."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # keep printed text out of the replies
    limit(**json.loads(sys.argv[1]))
    sys.meta_path.insert(0, skipped.Finder())
    module = types.ModuleType("__main__")  # dataclasses look their module up in sys.modules
    sys.modules["__main__"] = module
    notebook = module.__dict__
    nothing = skipped.Skipped()  # without the module site, Python has no help()
    notebook.update(__builtins__=builtins, display=nothing, get_ipython=nothing, help=nothing)

    process = os.getpid()
    while header := requests.read(wire.HEADER.size):
        number, length = wire.HEADER.unpack(header)
        request = wire.parse(requests.read(length))
        try:
            reply = answer(request, notebook)
        except BaseException as error:  # including SystemExit and KeyboardInterrupt
            reply = describe(error)
        if os.getpid() != process:  # the student forked; only the parent may answer
            os._exit(0)
        replies.write(wire.frame(number, reply))
        replies.flush()


if __name__ == "__main__":
    main()
