"""Stand-ins for modules that are not there while grading: plots, displays, progress, lossutils.

A cell that draws runs to its end, since each operation on a stand-in gives another stand-in. Like
the rest of the student's process, they are untrusted.
"""

from __future__ import annotations

import opcode
import sys
import types
from importlib.machinery import ModuleSpec

import numpy as np

MODULES = {
    *("matplotlib", "mpl_toolkits", "seaborn", "plotly"),
    *("IPython", "ipywidgets", "tqdm", "google"),  # google.colab
}
ABSENT = "is not there while grading: write the functions in NumPy alone"
UNPACK = opcode.opmap["UNPACK_SEQUENCE"]


class Skipped:
    """Stand-in for anything that draws or displays."""

    __array_ufunc__ = None  # leaves NumPy's operators to the methods below

    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):  # Python and NumPy look for protocols such as __array__
            raise AttributeError(name)
        return WITH_RESULT.get(name) or Skipped()

    def __call__(self, *args, **kwargs):
        """Return another stand-in, as for a figure or an axes."""
        return Skipped()

    def __getitem__(self, key):
        return Skipped()

    def __setitem__(self, key, value):
        pass

    def __iter__(self):
        # `line, = ax.plot(x)` needs one stand-in, `low, high = plt.xlim()` two: the operand of
        # Python's instruction says how many. A loop runs over none.
        frame = sys._getframe(1)
        code, at = frame.f_code.co_code, frame.f_lasti
        return iter([Skipped() for _ in range(code[at + 1] if code[at] == UNPACK else 0)])

    def __len__(self):
        return 0

    def __bool__(self):
        return True

    def __float__(self):
        return 0.0

    def __int__(self):
        return 0

    def __format__(self, style):
        return ""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


def _operation(self, other=None):
    return Skipped()


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(Skipped, f"__{_name}__", _operation)
    setattr(Skipped, f"__r{_name}__", _operation)
for _name in ("lt", "le", "gt", "ge", "neg", "abs"):
    setattr(Skipped, f"__{_name}__", _operation)


# ---- what has a result that cells compute with -------------------------------------------------


class Progress(Skipped):
    """Stand-in for a bar of tqdm: the loop without its bar."""

    def __init__(self, iterable=None, *args, **kwargs):
        self._iterable = () if iterable is None else iterable

    def __iter__(self):
        return iter(self._iterable)

    def __len__(self):
        return len(self._iterable)


class Tqdm(Skipped):
    """Stand-in for the class ``tqdm``, which also has methods of its own, such as ``write``."""

    def __call__(self, *args, **kwargs):
        """Return a loop without its bar."""
        return Progress(*args, **kwargs)


def trange(*args, **options):
    """Stand-in for ``trange``."""
    return Progress(range(*args))


def hist(x=(), bins=None, range=None, density=False, weights=None, **options):
    """Heights and edges of a histogram's bars, and a stand-in for the bars."""
    try:
        bins = 10 if bins is None else bins
        return (*np.histogram(x, bins, range, density, weights), Skipped())
    except (TypeError, ValueError):  # several data sets, or NaN: pyplot draws these too
        return Skipped()


def axes(nrows=1, ncols=1, *args, squeeze=True, **options):
    """Stand-ins for axes, in the right number for unpacking: ``Figure.subplots``."""
    grid = np.empty((nrows, ncols), dtype=object)
    for index in np.ndindex(nrows, ncols):
        grid[index] = Skipped()
    if not squeeze:
        return grid
    return grid[0, 0] if grid.size == 1 else grid.squeeze()


def subplots(*args, **options):
    """Stand-ins for a figure and its axes: ``pyplot.subplots``."""
    return Skipped(), axes(*args, **options)


WITH_RESULT = {
    "hist": hist,
    "subplots": axes,
    "tqdm": Tqdm(),
    "tqdm_notebook": Tqdm(),
    "trange": trange,
}


# ---- importing them ----------------------------------------------------------------------------


class SkippedModule(types.ModuleType):
    """Stand-in for a module of `MODULES`, or for ``lossutils`` with only its ``selfcheck``."""

    __path__: list[str] = []  # noqa: RUF012 - a package, so that its submodules can be imported
    __version__ = "0"

    def __getattr__(self, name):
        if self.__name__ == "lossutils" and name != "selfcheck":
            raise AttributeError(f"lossutils.{name} {ABSENT}")
        return subplots if name == "subplots" else getattr(Skipped(), name)


class Finder:  # not a MetaPathFinder: importing that takes as long as starting Python
    """Imports stand-ins for `MODULES` and for the self-check of lossutils."""

    def find_spec(self, fullname, path=None, target=None):
        """Spec of a stand-in, or None to let the next finder look."""
        if fullname.partition(".")[0] == "lossutils":
            if fullname not in ("lossutils", "lossutils.selfcheck"):
                raise ModuleNotFoundError(f"{fullname} {ABSENT}", name=fullname)
        elif fullname.partition(".")[0] not in MODULES:
            return None
        return ModuleSpec(fullname, self, is_package=True)  # type: ignore[arg-type]

    def create_module(self, spec):
        """Make the stand-in."""
        return SkippedModule(spec.name)

    def exec_module(self, module):
        """Leave it empty."""
