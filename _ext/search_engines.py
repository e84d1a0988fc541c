"""Tell search engines which pages there are: ``sitemap.xml`` and ``robots.txt``."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

EMPTY = {"genindex", "search", "404"}  # pages without a text of their own


def write_sitemap(app, error) -> None:
    """Write both files beside the pages."""
    base = app.config.html_baseurl
    if error or app.builder.format != "html" or not base:
        return
    pages = sorted(set(app.env.found_docs) - EMPTY)
    addresses = "".join(f"<url><loc>{escape(base + page)}.html</loc></url>\n" for page in pages)
    out = Path(app.outdir)
    (out / "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{addresses}</urlset>\n',
        "utf8",
    )
    (out / "robots.txt").write_text(
        f"User-agent: *\nDisallow:\n\nSitemap: {base}sitemap.xml\n", "utf8"
    )


def setup(app) -> dict[str, bool]:
    """Register the writing of the sitemap."""
    app.connect("build-finished", write_sitemap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
