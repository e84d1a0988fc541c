"""Check every external link of the built site and of the repository's Markdown files.

Sphinx's link checker visits the addresses, with the options ``linkcheck_...`` of `_config.yml`. We
give it the links of the built pages, not the book's sources: pages have links that no source has,
in menus, and on the book it would write its reports into the folder that is published. Links to
this repository and its site are looked up in the working tree, because a new file is not published
yet. Run this with ``make links``.
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
"""The addresses that each page links to, by the name of the page."""


def addresses(html: str) -> set[str]:
    """Return the addresses on other hosts that a page links to or loads pictures from."""
    elements = BeautifulSoup(html, "html.parser").select("a[href], img[src]")
    found = (element.get("href") or element.get("src") for element in elements)
    return {address for address in found if urlsplit(address).scheme in ("http", "https")}


def links(site: Path, markdown: list[Path]) -> Pages:
    """Collect the links in a built site's pages and in Markdown files."""
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
    """Return "site" or "repository" and the file there that one of our own addresses shows.

    The file is "" if the address shows none, such as a list of issues. The result is None for an
    address that is not ours.
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
    """Look up our own addresses in the working tree; return the broken ones, and other links."""
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
    """Visit each address with Sphinx's link checker; return whether all of them answer."""
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
    meanings = {"redirected": "has moved", "timeout": "does not answer", "broken": "is broken"}
    for status, meaning in meanings.items():
        for link in sorted((link for link in found if link["status"] == status), key=str):
            on = ", ".join(page for page, links in pages.items() if link["uri"] in links)
            print(f"{link['uri']} {meaning} ({link['info']}); linked to from {on}")
    return done.returncode == 0


def main() -> None:
    """Check all links; exit with a message if one is broken."""
    parser = argparse.ArgumentParser(
        description="Check the external links of the built site and of the Markdown files."
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
