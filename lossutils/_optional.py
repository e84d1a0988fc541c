"""Import packages that only parts of lossutils need."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


def optional_import(module: str, extra: str) -> ModuleType:
    """Import a package that an extra of lossutils installs.

    Parameters
    ----------
    module : str
        Name to import, such as ``"torch"`` or ``"matplotlib.pyplot"``.
    extra : str
        Extra of lossutils that installs it.

    Raises
    ------
    ModuleNotFoundError
        If the package is absent; the message says how to install it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise  # the package is installed, but something that it needs is not
        raise ModuleNotFoundError(
            f"this part of lossutils needs {package}; install it with "
            f"python -m pip install 'lossutils[{extra}]'",
            name=package,
        ) from error


def is_dask(*objects: Any) -> bool:
    """Return whether any object is a dask collection, without importing dask.

    If dask has not been imported, none can be.
    """
    dask = sys.modules.get("dask")
    return dask is not None and any(dask.is_dask_collection(x) for x in objects)
