"""The Sphinx extension of this course: what its site needs beyond Jupyter Book and the theme."""

from __future__ import annotations

from importlib import import_module

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

PARTS = (
    "checks",
    "formulas",
    "markup",
    "navigation",
    "provenance",
    "run_here",
    "search",
    "search_engines",
    "social_cards",
    "unused_assets",
)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Set up every part of the extension."""
    for name in PARTS:
        # imported only here, since the slides need the formulas without the rest
        import_module(f"{__name__}.{name}").setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
