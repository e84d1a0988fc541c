"""Tell search engines what each page is about, and which pages there are.

Each page gets a description and data after schema.org; the site gets ``sitemap.xml`` and
``robots.txt``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from docutils import nodes
from sphinx.application import Sphinx

LENGTH = 155  # of a description: search engines show no more
UNLISTED = {"genindex", "search", "404"}  # pages without a text of their own


def describe(doctree: nodes.document) -> str:
    """Return the first paragraph that is plain text, cut after a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().replace("The question.", "").split())
        if len(text) > 40 and "\\" not in text:  # a description cannot show formulas
            return text if len(text) <= LENGTH else re.sub(r"\W*\s\S*$", " …", text[:LENGTH])
    return ""


def structured_data(app: Sphinx, pagename: str, description: str) -> dict[str, Any] | None:
    """Return a page's schema.org data: the course, one of its chapters, or None for other pages."""

    def title(page: str) -> str:
        return app.env.titles[page].astext()

    base = app.config.html_baseurl
    chapters = [
        page for page in app.env.toctree_includes[app.config.root_doc] if "chapters/" in page
    ]
    course = {
        "@context": "https://schema.org",
        "@type": "Course",
        "@id": f"{base}#course",
        "name": app.config.html_title or app.config.project,
        "url": base,
    }
    common = {
        "description": description,
        "inLanguage": app.config.language,
        "isAccessibleForFree": True,
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "version": app.config.release,
        "author": {"@type": "Organization", "name": app.config.author},
    }
    if pagename == app.config.root_doc:
        parts = [
            {"@type": "LearningResource", "name": title(page), "url": f"{base}{page}.html"}
            for page in chapters
        ]
        provider = {"@type": "Organization", "name": app.config.author, "url": base}
        return {**course, **common, "provider": provider, "hasPart": parts}
    if pagename in chapters:
        return {
            "@context": "https://schema.org",
            "@type": "LearningResource",
            "name": title(pagename),
            "url": f"{base}{pagename}.html",
            **common,
            "learningResourceType": "chapter",
            "position": chapters.index(pagename) + 1,
            "isPartOf": {"@type": "Course", "@id": course["@id"], "name": course["name"]},
        }
    return None


def add_description(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Give the template a page's description and its structured data."""
    context["description"] = describe(doctree) if doctree else context.get("title", "")
    context["base_path"] = urlsplit(app.config.html_baseurl).path
    if pagename in app.env.titles:
        data = structured_data(app, pagename, context["description"])
        # a "<" could end the script element that holds the data
        context["structured_data"] = data and json.dumps(data, ensure_ascii=False).replace(
            "<", "\\u003c"
        )


def write_sitemap(app: Sphinx, error: Exception | None) -> None:
    """Write the list of pages, and where search engines find it."""
    base = app.config.html_baseurl
    if error or app.builder.format != "html" or not base:
        return
    pages = sorted(set(app.env.found_docs) - UNLISTED)
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


def setup(app: Sphinx) -> None:
    """Register the descriptions and the sitemap."""
    app.connect("html-page-context", add_description)
    app.connect("build-finished", write_sitemap)
