"""Say in each page's head what the page is about and where it belongs; load scripts after it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from docutils import nodes

LENGTH = 155  # of a description: search engines show no more
THEME_SCRIPT = "sphinx-book-theme.js"  # _static/page.js does what is needed of it


def describe(doctree: nodes.document) -> str:
    """Return the page's first paragraph that is plain text, cut after a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().replace("The question.", "").split())
        if len(text) > 40 and "\\" not in text:  # formulas cannot be set here
            return text if len(text) <= LENGTH else re.sub(r"\W*\s\S*$", " …", text[:LENGTH])
    return ""


def complete_head(app, pagename, templatename, context, doctree) -> None:
    """Give the template a description, and let every script wait until the page is read."""
    context["description"] = describe(doctree) if doctree else context.get("title", "")
    scripts = context["script_files"]
    scripts[:] = [script for script in scripts if THEME_SCRIPT not in str(script.filename)]
    for script in scripts:
        if script.filename:
            script.attributes.setdefault("defer", "defer")
        else:  # scripts within the page can only wait as modules
            script.attributes.setdefault("type", "module")


def copy_landing_page(app, error) -> None:
    """Let the site's bare address show the first page, rather than lead to it by a detour."""
    if error is None and app.builder.format == "html":
        first = Path(app.outdir, f"{app.config.root_doc}.html")
        shutil.copyfile(first, first.with_name("index.html"))


def setup(app) -> dict[str, bool]:
    """Register what completes a page."""
    app.connect("html-page-context", complete_head, priority=900)  # after scripts were added
    app.connect("build-finished", copy_landing_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
