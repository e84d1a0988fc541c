"""Show below each page which version it is, and when all tests last passed.

``make test`` writes its result to ``_build/verified.json``; the next build shows it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from tools.facts import version


def read_version(app: Sphinx, config: Config) -> None:
    """Tell Sphinx the version of the package."""
    config.release = config.version = version(Path(app.srcdir))


def add_verification(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Give the template the result of the last complete run of the tests."""
    file = Path(app.srcdir, "_build", "verified.json")
    if file.is_file():
        context["verified"] = json.loads(file.read_text("utf8"))


def setup(app: Sphinx) -> None:
    """Register the version and the result of the tests."""
    app.connect("config-inited", read_version)
    app.connect("html-page-context", add_verification)
