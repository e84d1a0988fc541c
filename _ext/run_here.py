"""Give chapters what they need to run in the reader's browser: scripts, and ``_python``.

The scripts are in ``tools/run_here/page``, and ``make python`` makes ``_python``. Where it has not
been made, the pages have no button, and the rest of the site is the same.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinxcontrib import katex

from tools.run_here.parts import EVERY_PAGE, NEEDED_BY, OUT, PAGE, read_manifest

from .navigation import launch_links

WITH_BUTTON = ("chapters/", "assignments/")
ANSWER = re.compile(r"^answer = None\b", re.MULTILINE)
"""How the cell of an exercise waits for the reader's answer."""
KATEX = Path(katex.__file__).with_name("katex.min.js")
"""It typesets formulas that a reader's run prints."""


@cache
def scripts() -> dict[Path, Path]:
    """Return the scripts, and where each is in the site.

    The folder's name has a digest of them all, since they load each other, and a browser must not
    mix those of two versions of the site.
    """
    files = sorted(file for file in PAGE.rglob("*") if file.suffix in (".js", ".css"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    folder = Path("_static", f"run_here-{digest}")
    places = {file: folder / file.relative_to(PAGE) for file in files}
    return places | {KATEX: folder / "vendor" / KATEX.name}


class NumberCells(SphinxTransform):
    """Let a script find each code cell of a notebook, by its place there."""

    default_priority = 800

    def apply(self, **_: Any) -> None:
        """Change the document of this transform."""
        for cell in self.document.findall(nodes.container):
            if cell.get("nb_element") == "cell_code":
                cell["classes"].append(f"code-cell-{cell['cell_index']}")


def exercises(notebook: dict[str, Any]) -> dict[int, str]:
    """Return the place and the id of each cell that waits for a reader's answer."""
    return {
        place: cell["id"]
        for place, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code" and ANSWER.search("".join(cell["source"]))
    }


def add_button(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Load the script of the button where code can be run, and tell it what the page needs."""
    parts = read_manifest(OUT).get("parts")
    if not parts or not pagename.startswith(WITH_BUTTON):
        return
    source = (Path(app.srcdir) / f"{pagename}.ipynb").read_text("utf8")
    packages = [name for name, pattern in NEEDED_BY.items() if re.search(pattern, source)]
    size = sum(parts[name]["bytes"] for name in (*EVERY_PAGE, *packages))
    options = app.config.html_theme_options
    repository = options["repository_url"].removeprefix("https://github.com/")
    (_, colab), *_ = launch_links(repository, options["repository_branch"], f"{pagename}.ipynb")
    facts = {
        "data-run-here": "",
        "data-notebook": context["pathto"](f"_sources/{context['sourcename']}", 1),
        "data-folder": context["pathto"]("_python/", 1),
        "data-packages": " ".join(packages),
        "data-megabytes": f"{size / 1e6:.0f}",
        "data-colab": colab,
    }
    if found := exercises(json.loads(source)):
        facts["data-exercises"] = " ".join(f"{place}:{name}" for place, name in found.items())
    if pagename.startswith("assignments/"):
        facts["data-hand-in"] = f"{Path(pagename).name}.ipynb"
    button = scripts()[PAGE / "button.js"].relative_to("_static").as_posix()
    app.add_js_file(button, type="module", **facts)


def publish(app: Sphinx, error: Exception | None) -> None:
    """Copy Python and the scripts into the site."""
    if error or app.builder.format != "html":
        return
    site = Path(app.outdir)
    for old in (site / OUT.name, *site.glob("_static/run_here-*")):
        shutil.rmtree(old, ignore_errors=True)
    if read_manifest(OUT):
        shutil.copytree(OUT, site / OUT.name)
        for file, place in scripts().items():
            (site / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, site / place)


def setup(app: Sphinx) -> None:
    """Register the transform, the script and the copying."""
    app.add_transform(NumberCells)
    app.connect("html-page-context", add_button)
    app.connect("build-finished", publish)
