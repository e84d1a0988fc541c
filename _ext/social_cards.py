"""Draw the card that other sites show for a link to a page: its title next to its first figure."""

from __future__ import annotations

import html
import re
import textwrap
from pathlib import Path
from typing import Any

import matplotlib as mpl
import resvg_py
from docutils import nodes
from sphinx.application import Sphinx

WIDTH, HEIGHT = 1200, 630  # the size that sites ask for
FIGURE = (560, 90, 600, 450)  # left, top, width and height of the space for the figure
FONTS = Path(mpl.get_data_path(), "fonts", "ttf")  # the same on every machine
LANDING_FIGURE = "chapters/mse_vs_bce"  # its first figure answers the first page's question
BLUE, GREY = "#1d4e7e", "#48566b"


def first_figure(app: Sphinx, pagename: str, doctree: nodes.document | None) -> tuple[str, str]:
    """Return a page's first vector figure and its alternative text, or two empty strings."""
    if pagename == app.config.root_doc:  # its only figure is an explorer
        doctree = app.env.get_doctree(LANDING_FIGURE)
    sources = {name: source for source, name in app.builder.images.items()}
    for image in doctree.findall(nodes.image) if doctree else ():
        # once a page is written, its images are the copies in the site
        source = sources.get(Path(image["uri"]).name, image["uri"])
        if source.endswith(".svg"):
            return Path(app.srcdir, source).read_text("utf8"), image.get("alt", "")
    return "", ""


def card(title: str, course: str, figure: str, logo: str) -> str:
    """Return the card as SVG."""
    left, top, width, height = FIGURE
    lines = textwrap.wrap(title, 16 if figure else 32)
    size = 50 if len(lines) <= 5 else 42
    y = HEIGHT / 2 - size * 1.25 * (len(lines) - 1) / 2 + size / 3
    words = "".join(
        f'<text x="60" y="{y + k * size * 1.25:.0f}">{html.escape(line)}</text>'
        for k, line in enumerate(lines)
    )
    picture = ""
    if figure:
        # replace the figure's own size and place
        picture = re.sub(r"^.*?<svg\b", "<svg", figure, count=1, flags=re.DOTALL)
        head, _, rest = picture.partition(">")
        head = re.sub(r'\s(width|height|x|y)="[^"]*"', "", head)
        picture = f'{head} x="{left}" y="{top}" width="{width}" height="{height}">{rest}'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
     width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">
  <rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>
  <rect width="{WIDTH}" height="12" fill="{BLUE}"/>
  <g font-family="DejaVu Serif" font-weight="bold" font-size="{size}" fill="{BLUE}">{words}</g>
  {logo.replace("<svg", '<svg x="60" y="545" width="52" height="52"', 1)}
  <text x="130" y="580" font-family="DejaVu Sans" font-size="26" fill="{GREY}">{course}</text>
  {picture}
</svg>"""


def draw_card(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Write a page's card, and give the template its address and its alternative text."""
    base = app.config.html_baseurl
    if app.builder.format != "html" or not base or not context.get("title"):
        return
    title = re.sub(r"^\d+\. ", "", re.sub(r"<[^>]+>", "", html.unescape(context["title"])))
    figure, text = first_figure(app, pagename, doctree)
    logo = Path(app.srcdir, app.config.html_favicon).read_text("utf8")
    file = Path(app.outdir, "_cards", f"{pagename}.png")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(
        resvg_py.svg_to_bytes(
            svg_string=card(title, app.config.html_title or app.config.project, figure, logo),
            skip_system_fonts=True,
            font_dirs=[str(FONTS)],
            font_family="DejaVu Sans",
        )
    )
    context["card"] = {
        "address": f"{base}_cards/{pagename}.png",
        "width": WIDTH,
        "height": HEIGHT,
        "alt": f"{title}. {text}".strip(),
    }


def setup(app: Sphinx) -> None:
    """Register the drawing of cards."""
    app.connect("html-page-context", draw_card)
