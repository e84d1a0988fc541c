"""Correct the HTML of Sphinx, MyST-NB and the theme: accessibility, image sizes, scripts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.images import get_image_size

REPLACEMENTS = {
    # An empty header cell is not a header.
    r'<th class="[^"]*">(<p></p>)?</th>': "<td></td>",
    # The visible text of a button that unfolds code should be its name.
    r'<summary aria-label="Toggle hidden content">': "<summary>",
    # ARIA has deprecated this role; the entries of a list are list items.
    'role="doc-biblioentry"': 'role="listitem"',
    # A style would distort an image that is narrower than its size; attributes do not.
    r'style="width: (\d+)px; height: (\d+)px;"': r'width="\1" height="\2"',
}
"""Regular expressions, and what replaces their matches in the body of a page."""
THEME_SCRIPT = "sphinx-book-theme.js"  # _static/page.js does the part of it that a page needs


def give_images_their_size(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write the size of each image into the page, so that nothing moves when the image loads."""
    for image in doctree.findall(nodes.image):
        if "width" not in image and "height" not in image:
            size = get_image_size(str(Path(app.srcdir, image["uri"])))
            if size is None:
                raise ValueError(
                    f"the size of {image['uri']} in {docname} cannot be read; "
                    "expected an image file with a size: give the image a width and a height"
                )
            image["width"], image["height"] = (str(round(pixels)) for pixels in size)
            image["loading"] = "lazy"


def correct_page(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Correct the body of a page, and give the template the size of the logo."""
    for found, replacement in REPLACEMENTS.items():
        context["body"] = re.sub(found, replacement, context.get("body", ""))
    context["logo_size"] = get_image_size(str(Path(app.srcdir, app.config.html_logo)))


def defer_scripts(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Let every script wait until the page is read, and leave out the theme's own."""
    scripts = context["script_files"]
    scripts[:] = [script for script in scripts if THEME_SCRIPT not in str(script.filename)]
    for script in scripts:
        if script.filename:
            script.attributes.setdefault("defer", "defer")
        else:  # only a module can wait if the script is written into the page
            script.attributes.setdefault("type", "module")


def setup(app: Sphinx) -> None:
    """Register the corrections."""
    app.connect("doctree-resolved", give_images_their_size)
    app.connect("html-page-context", correct_page)
    app.connect("html-page-context", defer_scripts, priority=900)  # after all scripts were added
