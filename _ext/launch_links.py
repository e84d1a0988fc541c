"""Links that open a page's notebook, and its assignment, where they can be run.

A JupyterHub is linked to where ``launch_hub`` in `_config.yml` says its address; it needs
nbgitpuller.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode


def links(repository: str, branch: str, file: str, hub: str = "") -> list[tuple[str, str]]:
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


def add_links(app, pagename, templatename, context, doctree) -> None:
    """Give the template the links of a notebook, and those of its assignment if there is one."""
    options, root = app.config.html_theme_options, Path(app.srcdir)
    repository = options["repository_url"].removeprefix("https://github.com/")
    branch, hub = options["repository_branch"], app.config.launch_hub
    page, name = f"{pagename}.ipynb", Path(pagename).name
    assignment = f"assignments/{name}/{name}.ipynb"
    if not (root / page).is_file():
        return
    source = context["pathto"](f"_sources/{context['sourcename']}", 1)
    context["launch"] = [
        ("This page", [*links(repository, branch, page, hub), ("Download", source)])
    ]
    if assignment != page and (root / assignment).is_file():
        raw = f"https://raw.githubusercontent.com/{repository}/{branch}/{assignment}"
        places = [*links(repository, branch, assignment, hub), ("Download", raw)]
        context["launch"].append(("Its assignment", places))


def setup(app) -> dict[str, bool]:
    """Register the links and the address of a hub."""
    app.add_config_value("launch_hub", "", "html")
    app.connect("html-page-context", add_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
