"""Check every link that leads out of the site, and out of the repository's own pages.

Sphinx's link checker visits the addresses, with the options ``linkcheck_...`` of `_config.yml`. It
is given what the built pages link to, not the book's sources: a page has links that no source has
(its menus), and run on the book the checker would leave its reports in the folder that is
published. Addresses of this repository are looked up in this folder instead, since what a change
adds is not published before the change is. Run it with ``make links``.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from tools import facts
from tools.facts import ROOT, SITE

Pages = dict[str, set[str]]
"""Addresses that each page links to, by the name of the page."""


def addresses(html: str) -> set[str]:
    """Return the addresses on other hosts that a page leads to, or shows pictures from."""
    elements = BeautifulSoup(html, "html.parser").select("a[href], img[src]")
    found = (element.get("href") or element.get("src") for element in elements)
    return {address for address in found if urlsplit(address).scheme in ("http", "https")}


def links(site: Path, markdown: list[Path]) -> Pages:
    """Collect the links of a built site's pages, and those of Markdown files."""
    pages = {
        str(file.relative_to(site)): addresses(file.read_text("utf8"))
        for file in sorted(site.rglob("*.html"))
        if "_static" not in file.relative_to(site).parts
    }
    if not pages:
        raise FileNotFoundError(f"{site} has no pages: run make book first")
    render = MarkdownIt().render
    return pages | {file.name: addresses(render(file.read_text("utf8"))) for file in markdown}


def own(address: str, repository: str, branch: str, pages: str) -> tuple[str, str] | None:
    """Say which file an address of this repository shows: of the "site", or of the "repository".

    The file is "" where there is none to look up: a list of issues, say. None: it is elsewhere.
    """
    home = re.escape(repository)
    if address.startswith(f"https://{pages}"):
        path = unquote(urlsplit(address.removeprefix(f"https://{pages}")).path)
        return "site", path or "index.html"
    if not re.match(rf"https://[\w.]+/(?:github/|v2/gh/)?{home}(?:[/?#]|$)", address):
        return None
    file = re.search(rf"(?:{home}(?:/blob|/tree)?/{branch}/|urlpath=lab/tree/)([^?#]+)", address)
    return "repository", unquote(file[1]) if file else ""


def check_own(pages: Pages, site: Path, root: Path) -> tuple[list[str], Pages]:
    """Look up the addresses of this repository; return the broken ones, and all other links."""
    config = yaml.safe_load((root / "_config.yml").read_text("utf8"))
    repository, branch = facts.repository(root), config["repository"]["branch"]
    published = facts.published(root).removeprefix("https://")
    broken, rest = [], {}
    for page, links in pages.items():
        rest[page] = set()
        for address in sorted(links):
            if not (found := own(address, repository, branch, published)):
                rest[page].add(address)
                continue
            place, file = found
            if not ({"site": site, "repository": root}[place] / file).exists():
                broken.append(f"{page}: {address}: the {place} has no {file}")
    return broken, rest


def check(pages: Pages, options: dict[str, object]) -> bool:
    """Visit each address with Sphinx's link checker, which shows progress; True if all answer."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "source"), Path(folder, "out")
        source.mkdir()
        settings = options | {"extensions": ["myst_parser"], "root_doc": "links"}
        conf = [f"{name} = {value!r}" for name, value in settings.items()]
        (source / "conf.py").write_text("\n".join(conf), "utf8")
        lines = ["# Links"]
        for page, links in pages.items():
            lines += ["", f"## {page}", ""] + [f"- <{address}>" for address in sorted(links)]
        (source / "links.md").write_text("\n".join(lines), "utf8")
        build = [sys.executable, "-m", "sphinx", "-b", "linkcheck", "-N", str(source), str(out)]
        done = subprocess.run(build, check=False)
        report = out / "output.json"
        found = [json.loads(line) for line in report.read_text("utf8").splitlines()]
    says = {"redirected": "has moved", "timeout": "does not answer", "broken": "is broken"}
    for status, means in says.items():
        for link in sorted((link for link in found if link["status"] == status), key=str):
            on = ", ".join(page for page, links in pages.items() if link["uri"] in links)
            print(f"{link['uri']} {means} ({link['info']}); linked to from {on}")
    return done.returncode == 0


def main() -> None:
    """Check, and fail if a link is broken."""
    parser = argparse.ArgumentParser(
        description="Check the links of the built site and of README.md and its neighbours."
    )
    parser.add_argument("--site", type=Path, default=SITE, help="default: %(default)s")
    site = parser.parse_args().site
    markdown = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
    try:
        pages = links(site, markdown)
    except FileNotFoundError as error:
        parser.error(str(error))
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))["sphinx"]["config"]
    options = {name: value for name, value in config.items() if name.startswith("linkcheck_")}
    broken, rest = check_own(pages, site, ROOT)
    number = len(set().union(*rest.values()))
    print(f"{len(pages)} pages link to {number} addresses elsewhere; visiting them ...", flush=True)
    reached = check(rest, options)
    print("\n".join(broken))
    sys.exit(None if reached and not broken else "Some links are broken: see above.")


if __name__ == "__main__":
    main()
