"""Say below each page which version it is, and when all tests last passed.

`make test` writes what it found to ``_build/verified.json``; the next build shows it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path


def read_version(app, config) -> None:
    """Take the version from the package."""
    source = Path(app.srcdir, "lossutils", "__init__.py").read_text("utf8")
    config.release = config.version = re.search(r'__version__ = "(.+)"', source)[1]


def add_verification(app, pagename, templatename, context, doctree) -> None:
    """Give the template what the last complete run of the tests found."""
    file = Path(app.srcdir, "_build", "verified.json")
    if file.is_file():
        context["verified"] = json.loads(file.read_text("utf8"))


def setup(app) -> dict[str, bool]:
    """Register both."""
    app.connect("config-inited", read_version)
    app.connect("html-page-context", add_verification)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
