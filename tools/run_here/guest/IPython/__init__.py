"""What the chapters use of IPython, which a browser does not need as a whole."""

from . import display  # noqa: F401


def get_ipython():
    """Return None: there is no interactive shell."""


version_info = (9, 0)  # matplotlib asks for it
