"""Let the pages of the offline copy run, too: from a folder, without a server.

A page that is opened from a folder may load scripts, but neither modules nor data. So the modules
go into one script, and each file of data, in base64, into a script of its own.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

from tools.run_here.parts import MANIFEST, OUT, read_manifest

SCRIPT = "_static/run_here.js"
TEMPLATE = Path(__file__).with_name("folder.js")
BUTTON = re.compile(r'<script [^>]*data-run-here[^>]*src="([^"]*)_static/run_here-[^"]*"></script>')
NOTEBOOK = re.compile(r'data-notebook="([^"]*)"')


def on_page(page: str) -> str:
    """Return the HTML of a page whose button works from a folder.

    All packages are loaded at once: Python cannot ask for more later, since a worker has no way to
    read a file of the folder.
    """
    found = BUTTON.search(page)
    if not found:
        return page
    tag = found[0].replace(' type="module"', "")
    tag = re.sub(r'data-packages="([^"]*)"', r'data-packages="\1 rest"', tag)
    tag = re.sub(r' src="[^"]*"', f' src="{found[1]}{SCRIPT}"', tag)
    return page.replace(found[0], tag)


def files(site: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the scripts to add to a built site, by name."""
    folder = next(site.glob("_static/run_here-*"))
    modules = {
        file.relative_to(folder).as_posix(): file.read_text("utf8")
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    text = TEMPLATE.read_text("utf8").replace("MODULES;", f"{json.dumps(modules)};")
    yield SCRIPT, text.encode()
    parts = read_manifest(site / OUT.name)["parts"].values()
    wanted = {f"{OUT.name}/{name}" for name in (MANIFEST, *(part["file"] for part in parts))}
    for page in site.rglob("*.html"):
        html = page.read_text("utf8")
        if BUTTON.search(html) and (notebook := NOTEBOOK.search(html)):
            wanted.add(urljoin(page.relative_to(site).as_posix(), notebook[1]))
    for name in sorted(wanted):
        body = base64.b64encode((site / name).read_bytes()).decode()
        yield f"{name}.js", f'fileOfTheCourse("{name}", "{body}");\n'.encode()
