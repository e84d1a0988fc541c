"""Show above each chapter where in the course it stands, with a link to every other."""

from __future__ import annotations

from sphinx import addnodes


def add_progress(app, pagename, templatename, context, doctree) -> None:
    """Give the template of a numbered page the list of all numbered pages."""
    chapters = [
        page
        for part in app.env.get_doctree(app.config.root_doc).findall(addnodes.toctree)
        if part["numbered"]
        for page in part["includefiles"]
    ]
    if pagename in chapters:
        context["progress"] = [
            {
                "link": context["pathto"](page),
                "title": f"{number}. {app.env.titles[page].astext()}",
                "state": (number > here) - (number < here),  # −1 read, 0 here, 1 ahead
            }
            for here in [chapters.index(pagename) + 1]
            for number, page in enumerate(chapters, start=1)
        ]


def setup(app) -> dict[str, bool]:
    """Register the list."""
    app.connect("html-page-context", add_progress)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
