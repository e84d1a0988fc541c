"""Cut KaTeX's fonts to the characters that the pages have, a third of what they weigh."""

from __future__ import annotations

from pathlib import Path

from fontTools import subset
from katex_math import VENDOR


def cut_fonts(app, error) -> None:
    """Write the fonts of a site that was built without an error."""
    if error or app.builder.format != "html":
        return
    site = Path(app.outdir)
    pages = (page for page in site.rglob("*.html") if "_static" not in page.parts)
    characters = {character for page in pages for character in page.read_text("utf8")}
    options = subset.Options(flavor="woff2", layout_features=["*"])
    for whole in VENDOR.rglob("*.woff2"):
        font = subset.load_font(whole, options)
        cutter = subset.Subsetter(options)
        cutter.populate(text="".join(characters))
        cutter.subset(font)
        subset.save_font(font, site / "_static" / whole.relative_to(VENDOR), options)


def setup(app) -> dict[str, bool]:
    """Register what runs when all pages are written."""
    app.connect("build-finished", cut_fonts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
