"""Say in each page's head what the page is about and where it belongs; load scripts after it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

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


def structured_data(app, pagename: str, title: str, description: str) -> dict | None:
    """Return what schema.org calls the page: the course, or a chapter of it; None for others."""
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
            {"@type": "LearningResource", "name": title_of(app, page), "url": f"{base}{page}.html"}
            for page in chapters
        ]
        provider = {"@type": "Organization", "name": app.config.author, "url": base}
        return {**course, **common, "provider": provider, "hasPart": parts}
    if pagename in chapters:
        return {
            **{"@context": "https://schema.org", "@type": "LearningResource"},
            **{"name": title, "url": f"{base}{pagename}.html"},
            **common,
            "learningResourceType": "chapter",
            "position": chapters.index(pagename) + 1,
            "isPartOf": {"@type": "Course", "@id": course["@id"], "name": course["name"]},
        }
    return None


def title_of(app, pagename: str) -> str:
    """Return the plain title of a page."""
    return app.env.titles[pagename].astext()


def complete_head(app, pagename, templatename, context, doctree) -> None:
    """Give the template a description, and let every script wait until the page is read."""
    context["description"] = describe(doctree) if doctree else context.get("title", "")
    context["base_path"] = urlsplit(app.config.html_baseurl).path
    if pagename in app.env.titles:
        data = structured_data(app, pagename, title_of(app, pagename), context["description"])
        # "<" would end the script that holds it
        context["structured_data"] = data and json.dumps(data, ensure_ascii=False).replace(
            "<", "\\u003c"
        )
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
