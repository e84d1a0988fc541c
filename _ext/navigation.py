"""Ways from page to page: the launch menu, the line of chapters, and index.html as first page.

The launch menu opens the notebook of a page, and its assignment, in Colab, Binder or the JupyterHub
that ``launch_hub`` in `_config.yml` names; the hub needs nbgitpuller.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx


def launch_links(repository: str, branch: str, file: str, hub: str = "") -> list[tuple[str, str]]:
    """Return the name and the address of each place that can run a file of the repository."""
    course = repository.partition("/")[2]
    places = [
        ("Colab", f"https://colab.research.google.com/github/{repository}/blob/{branch}/{file}"),
        ("Binder", f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/{file}"),
    ]
    if hub:
        query = {
            "repo": f"https://github.com/{repository}",
            "branch": branch,
            "urlpath": f"lab/tree/{course}/{file}",
        }
        address = f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{urlencode(query)}"
        places.append(("JupyterHub", address))
    return places


def add_launch_menu(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Give the template the links of a notebook, and of its assignment if there is one."""
    options, root = app.config.html_theme_options, Path(app.srcdir)
    repository = options["repository_url"].removeprefix("https://github.com/")
    branch, hub = options["repository_branch"], app.config.launch_hub
    page, name = f"{pagename}.ipynb", Path(pagename).name
    assignment = f"assignments/{name}/{name}.ipynb"
    if not (root / page).is_file():
        return
    source = context["pathto"](f"_sources/{context['sourcename']}", 1)
    context["launch"] = [
        ("This page", [*launch_links(repository, branch, page, hub), ("Download", source)])
    ]
    if assignment != page and (root / assignment).is_file():
        raw = f"https://raw.githubusercontent.com/{repository}/{branch}/{assignment}"
        places = [*launch_links(repository, branch, assignment, hub), ("Download", raw)]
        context["launch"].append(("Its assignment", places))


def add_progress_line(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Give the template of a chapter the list of all chapters, and which of them is this one."""
    chapters = [
        page
        for part in app.env.get_doctree(app.config.root_doc).findall(addnodes.toctree)
        if part["numbered"]
        for page in part["includefiles"]
    ]
    if pagename in chapters:
        here = chapters.index(pagename)
        context["progress"] = [
            {
                "link": context["pathto"](page),
                "title": f"{number + 1}. {app.env.titles[page].astext()}",
                "state": "earlier" if number < here else "here" if number == here else "ahead",
            }
            for number, page in enumerate(chapters)
        ]


def copy_first_page(app: Sphinx, error: Exception | None) -> None:
    """Show the first page at the site's bare address too, where Jupyter Book would redirect."""
    if error is None and app.builder.format == "html":
        first = Path(app.outdir, f"{app.config.root_doc}.html")
        shutil.copyfile(first, first.with_name("index.html"))


def setup(app: Sphinx) -> None:
    """Register the links and the address of a hub."""
    app.add_config_value("launch_hub", "", "html")
    app.connect("html-page-context", add_launch_menu)
    app.connect("html-page-context", add_progress_line)
    app.connect("build-finished", copy_first_page)
