"""Runs a student's cells and functions inside the sandbox, as the grader requests over a pipe.

This program is untrusted: it shares its process with the student's code, which can change all of
it. `grader.student` starts it and checks every reply.
"""

from __future__ import annotations

import builtins
import json
import os
import sys
import types
from contextlib import suppress
from importlib.machinery import ModuleSpec

# In the sandbox Python runs isolated and without site-packages.
sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), "/packages"]

import magics  # type: ignore[import-not-found]  # noqa: E402
import numpy as np  # noqa: E402
import wire  # type: ignore[import-not-found]  # noqa: E402

# Modules for display only, which a grader does not need.
SKIPPED = {"matplotlib", "mpl_toolkits", "IPython", "ipywidgets", "tqdm"}


class Skipped:
    """Stand-in for anything that draws or displays; every operation on it does nothing."""

    def __getattr__(self, name):
        if name.startswith("__"):  # Python and NumPy look for protocols such as __array__
            raise AttributeError(name)
        return subplots if name == "subplots" else Skipped()

    def __call__(self, *args, **kwargs):
        """Return another stand-in, as for a figure or an axes."""
        return Skipped()

    def __getitem__(self, key):
        return Skipped()

    def __setitem__(self, key, value):
        pass

    def __iter__(self):
        return iter(())

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


def subplots(nrows=1, ncols=1, **options):
    """Stand-ins for a figure and its axes, in the right number for unpacking."""
    axes = np.empty((nrows, ncols), dtype=object)
    for index in np.ndindex(nrows, ncols):
        axes[index] = Skipped()
    return Skipped(), axes[0, 0] if axes.size == 1 else axes.squeeze()


def progress(iterable=None, *args, **kwargs):
    """Stand-in for tqdm: the loop without its bar."""
    return iterable


class SkippedModule(types.ModuleType):
    """Stand-in for a module of `SKIPPED`, or for ``lossutils`` with only its ``selfcheck``."""

    __path__: list[str] = []  # noqa: RUF012 - a package, so that its submodules can be imported

    def __getattr__(self, name):
        if self.__name__ == "lossutils" and name != "selfcheck":
            raise AttributeError(f"lossutils.{name} {ABSENT}")
        if name in ("tqdm", "trange"):
            return progress if name == "tqdm" else range
        return getattr(Skipped(), name)


ABSENT = "is not there while grading: write the functions in NumPy alone"


class SkippedFinder:  # not a MetaPathFinder: importing that takes as long as starting Python
    """Imports stand-ins for the modules of `SKIPPED` and for the self-check of lossutils."""

    def find_spec(self, fullname, path=None, target=None):
        """Spec of a stand-in, or None to let the next finder look."""
        if fullname.partition(".")[0] == "lossutils":
            if fullname not in ("lossutils", "lossutils.selfcheck"):
                raise ModuleNotFoundError(f"{fullname} {ABSENT}", name=fullname)
        elif fullname.partition(".")[0] not in SKIPPED:
            return None
        return ModuleSpec(fullname, self, is_package=True)  # type: ignore[arg-type]

    def create_module(self, spec):
        """Make the stand-in."""
        return SkippedModule(spec.name)

    def exec_module(self, module):
        """Leave it empty."""


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
        exec(compile(source, request["name"], "exec", dont_inherit=True), notebook)
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
    sys.meta_path.insert(0, SkippedFinder())
    module = types.ModuleType("__main__")  # dataclasses look their module up in sys.modules
    sys.modules["__main__"] = module
    notebook = module.__dict__
    notebook.update(__builtins__=builtins, display=Skipped(), get_ipython=Skipped())

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
