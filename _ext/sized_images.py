"""Write each picture's size into the page, so that its place is kept until it is scrolled to."""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from sphinx.util.images import get_image_size


def size_images(app, doctree, docname) -> None:
    """Give the images of a page the width and height of their files."""
    for image in doctree.findall(nodes.image):
        if "width" not in image and "height" not in image:
            size = get_image_size(Path(app.srcdir, image["uri"]))
            if size is None:
                raise ValueError(f"{image['uri']} in {docname} has no size that could be read")
            image["width"], image["height"] = (str(round(pixels)) for pixels in size)
            image["loading"] = "lazy"


def finish(app, pagename, templatename, context, doctree) -> None:
    """Write sizes as attributes, since a style would distort what is narrowed; size the logo."""
    context["body"] = re.sub(
        r'style="width: (\d+)px; height: (\d+)px;"',
        r'width="\1" height="\2"',
        context.get("body", ""),
    )
    context["logo_size"] = get_image_size(Path(app.srcdir, app.config.html_logo))


def setup(app) -> dict[str, bool]:
    """Register both."""
    app.connect("doctree-resolved", size_images)
    app.connect("html-page-context", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
