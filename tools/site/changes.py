"""Say which pages of the site a change touches, and how much.

Two built sites are compared page by page: the words, the figures and the links of each article, not
what every build has anew (the note of the last verification, digests in addresses). The list may be
stored as JSON too, which `tools.github.comment` reads; it comes from anyone's pull request
then, so `read` takes nothing on trust. Run it with ``make changes BASE=folder``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections import Counter
from dataclasses import asdict, dataclass, fields
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

from tools.facts import SITE, published

NAME = re.compile(r"[A-Za-z0-9_]+(?:[/-][A-Za-z0-9_]+)*", re.ASCII)
"""What a page's name looks like, without its ending."""
MOST_PAGES, LONGEST_NAME, LARGEST = 500, 100, 10_000_000
"""What a list from elsewhere may hold."""
BLOCKS = (
    "address, article, blockquote, br, caption, dd, details, div, dl, dt, figcaption, figure, h1, "
    "h2, h3, h4, h5, h6, hr, li, ol, option, p, pre, section, summary, table, td, th, tr, ul"
)


@dataclass(frozen=True)
class Change:
    """How much of a page is new, and how much is gone; a figure drawn anew counts as both."""

    words_added: int = 0
    words_removed: int = 0
    figures_added: int = 0
    figures_removed: int = 0
    links_added: int = 0
    links_removed: int = 0


class Changes(NamedTuple):
    """What differs between two sites: names of pages, and how much each changed."""

    added: list[str]
    changed: dict[str, Change]
    removed: list[str]


class Article(NamedTuple):
    """What a reader sees of a page."""

    lines: list[str]
    figures: list[str]
    links: list[str]


def digest(content: bytes) -> str:
    """Name a picture by what it holds."""
    return hashlib.sha256(content).hexdigest()


def article(site: Path, file: Path) -> Article:
    """Read a built page."""
    # here, since tools.github.comment runs where nothing is installed
    from bs4 import BeautifulSoup

    page = BeautifulSoup(file.read_text("utf8"), "html5lib")
    body = page.select_one("article.bd-article") or page.new_tag("article")
    # a formula is there twice; this goes, what screen readers read stays
    for element in body.select(".katex-html, .headerlink, script, style"):
        element.decompose()
    figures = []
    for picture in body.select("img, svg"):
        if picture.name == "svg":
            figures.append(digest(str(picture).encode()))
        else:
            source = picture.get("src", "").partition("?")[0]
            target = (file.parent / source).resolve()
            inside = target.is_relative_to(site.resolve()) and target.is_file()
            figures.append(digest(target.read_bytes() if inside else source.encode()))
        picture.replace_with(picture.get("alt") or "")
    links = [link["href"] for link in body.select("a[href]")]
    for block in body.select(BLOCKS):
        block.insert_before("\n")
        block.insert_after("\n")
    lines = (" ".join(line.split()) for line in body.get_text().split("\n"))
    return Article([line for line in lines if line], figures, links)


def count(before: list[str], after: list[str]) -> tuple[int, int]:
    """Return how many items were added and removed, in their order."""
    added = removed = 0
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for what, i, j, k, m in matcher.get_opcodes():
        if what != "equal":
            added, removed = added + m - k, removed + j - i
    return added, removed


def compare_words(before: list[str], after: list[str]) -> tuple[int, int]:
    """Count the words that changed: first the lines are matched, then the words of the others."""
    added = removed = 0
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for what, i, j, k, m in matcher.get_opcodes():
        if what != "equal":
            more, less = count(" ".join(before[i:j]).split(), " ".join(after[k:m]).split())
            added, removed = added + more, removed + less
    return added, removed


def compare_articles(before: Article, after: Article) -> Change:
    """Say how much of a page changed."""
    links = Counter(after.links), Counter(before.links)
    return Change(
        *compare_words(before.lines, after.lines),
        *count(before.figures, after.figures),
        (links[0] - links[1]).total(),
        (links[1] - links[0]).total(),
    )


def pages(site: Path) -> dict[str, Path]:
    """Return the pages of a site by name; the first page stands there twice and is taken once."""
    files = {
        file.relative_to(site).with_suffix("").as_posix(): file
        for file in sorted(site.rglob("*.html"))
        if not file.relative_to(site).parts[0].startswith("_")
    }
    if "index" not in files:
        raise FileNotFoundError(f"{site} is no built site, it has no index.html: run make book")
    if "intro" in files:
        del files["index"]
    return files


def compare(base: Path, head: Path) -> Changes:
    """Compare two built sites."""
    before, after = pages(base), pages(head)
    changed = {}
    for name in before.keys() & after.keys():
        change = compare_articles(article(base, before[name]), article(head, after[name]))
        if change != Change():
            changed[name] = change
    added, removed = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    return Changes(added, dict(sorted(changed.items())), removed)


def describe(change: Change) -> str:
    """Put a change into words."""
    said = []
    for kind in ("word", "figure", "link"):
        added, removed = (getattr(change, f"{kind}s_{how}") for how in ("added", "removed"))
        for number, how in ((added, "added"), (removed, "removed")):
            if number:
                said.append(f"{number:,} {kind}{'s' * (number != 1)} {how}")
    return ", ".join(said)


def markdown(changes: Changes) -> str:
    """Write the list; names of pages that are published already are links to them."""

    def link(name: str) -> str:
        return f"[{name}]({published()}{name}.html)"

    lines = [f"- `{name}`: new" for name in changes.added]
    lines += [f"- {link(name)}: {describe(how)}" for name, how in changes.changed.items()]
    lines += [f"- {link(name)}: removed" for name in changes.removed]
    return "\n".join(lines or ["No page changes."]) + "\n"


def dump(changes: Changes) -> str:
    """Write the list as JSON."""
    changed = {name: asdict(change) for name, change in changes.changed.items()}
    return json.dumps(changes._asdict() | {"changed": changed}, indent=1)


def read(text: str) -> Changes:
    """Read what `dump` wrote; whatever it could not have written is a `ValueError`."""

    def name_of_a_page(name: object) -> str:
        if not isinstance(name, str) or len(name) > LONGEST_NAME or not NAME.fullmatch(name):
            raise ValueError(f"this is no name of a page: {str(name)[:LONGEST_NAME]!a}")
        return name

    def amount(values: object) -> Change:
        names = {field.name for field in fields(Change)}
        if not isinstance(values, dict) or values.keys() != names:
            raise ValueError("a change does not have the six counts that are expected")
        if not all(type(value) is int and 0 <= value <= LARGEST for value in values.values()):
            raise ValueError(f"a count of a change is no whole number from 0 to {LARGEST:,}")
        return Change(**values)

    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("the list of changes is nested too deeply") from None
    if not isinstance(found, dict) or found.keys() != {"added", "changed", "removed"}:
        raise ValueError("the list of changes does not have the three parts that are expected")
    added, changed, removed = (found[part] for part in Changes._fields)
    if not (isinstance(added, list) and isinstance(changed, dict) and isinstance(removed, list)):
        raise ValueError("a part of the list of changes is not of the kind that is expected")
    if len(added) + len(changed) + len(removed) > MOST_PAGES:
        raise ValueError(f"the list of changes has more than {MOST_PAGES} pages")
    return Changes(
        [name_of_a_page(name) for name in added],
        {name_of_a_page(name): amount(values) for name, values in changed.items()},
        [name_of_a_page(name) for name in removed],
    )


def main() -> None:
    """Compare, and print the list."""
    parser = argparse.ArgumentParser(
        description="Say which pages differ between two built sites, and how much, in Markdown."
    )
    parser.add_argument("base", type=Path, help="folder of the site as it was")
    parser.add_argument(
        "head", type=Path, nargs="?", default=SITE, help="as it is; default: %(default)s"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the list there, too")
    options = parser.parse_args()
    try:
        changes = compare(options.base, options.head)
    except FileNotFoundError as error:
        parser.error(str(error))
    if options.json:
        options.json.write_text(dump(changes), "utf8")
    print(markdown(changes), end="")


if __name__ == "__main__":
    main()
