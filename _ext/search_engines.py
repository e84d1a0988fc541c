"""Tell search engines what each page is about, and which pages there are.

Each page gets a description; the course, its chapters and the page of questions get data after
schema.org; the site gets ``sitemap.xml`` and ``robots.txt``.
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

from .search import tidy, words

LENGTH = 155  # of a description: search engines show no more
QUESTIONS = "appendix/questions"
UNLISTED = {"genindex", "search", "404"}  # pages without a text of their own


def describe(doctree: nodes.document) -> str:
    """Return the first paragraph that is plain text, cut after a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().replace("The question.", "").split())
        if len(text) > 40 and "\\" not in text:  # a description cannot show formulas
            return text if len(text) <= LENGTH else re.sub(r"\W*\s\S*$", " …", text[:LENGTH])
    return ""


def questions(doctree: nodes.document, address: str) -> list[dict[str, Any]]:
    """Return each question of a page with its answer, the first paragraph below it, as plain text.

    A question is a section with an anchor of its own, which does not change with its title.
    """
    return [
        {
            "@type": "Question",
            "name": tidy(section[0].astext()),
            "url": f"{address}#{section['names'][-1]}",
            "acceptedAnswer": {"@type": "Answer", "text": tidy(words(paragraph))},
        }
        for section in doctree.findall(nodes.section)
        if len(section["names"]) > 1 and (paragraph := section.next_node(nodes.paragraph))
    ]


def structured_data(app: Sphinx, pagename: str, description: str) -> dict[str, Any] | None:
    """Return a page's schema.org data: of the course, a chapter or the questions, or None."""

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
    if pagename == QUESTIONS:
        address = f"{base}{pagename}.html"
        return {
            "@context": "https://schema.org",
            "@type": "FAQPage",
            "name": title(pagename),
            "url": address,
            **common,
            "mainEntity": questions(app.env.get_doctree(pagename), address),
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
