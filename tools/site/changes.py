"""List the pages that differ between two built sites, and how much each differs.

For each page we compare the words, figures and links of its article; what differs between any two
builds (the date of the last verification, digests in addresses) does not count. The list can also
be stored as JSON, which `tools.github.comment` reads. A pull request may have forged that file, so
`read` checks everything in it. Run this with ``make changes BASE=folder``.
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
"""The form of a page's name, without its ending."""
MOST_PAGES, LONGEST_NAME, LARGEST = 500, 100, 10_000_000
"""Limits for a list that a pull request has stored."""
BLOCKS = (
    "address, article, blockquote, br, caption, dd, details, div, dl, dt, figcaption, figure, h1, "
    "h2, h3, h4, h5, h6, hr, li, ol, option, p, pre, section, summary, table, td, th, tr, ul"
)


@dataclass(frozen=True)
class Change:
    """How much was added to a page and removed from it; a redrawn figure counts as both."""

    words_added: int = 0
    words_removed: int = 0
    figures_added: int = 0
    figures_removed: int = 0
    links_added: int = 0
    links_removed: int = 0


class Changes(NamedTuple):
    """The pages that differ between two sites, by name."""

    added: list[str]
    changed: dict[str, Change]
    removed: list[str]


class Article(NamedTuple):
    """The parts of a page that a reader sees."""

    lines: list[str]
    figures: list[str]
    links: list[str]


def digest(content: bytes) -> str:
    """Return a name for a picture that depends only on its content."""
    return hashlib.sha256(content).hexdigest()


def article(site: Path, file: Path) -> Article:
    """Read the article of a built page."""
    # imported here because tools.github.comment runs where no package is installed
    from bs4 import BeautifulSoup

    page = BeautifulSoup(file.read_text("utf8"), "lxml")
    body = page.select_one("article.bd-article") or page.new_tag("article")
    # each formula is there twice: drop the drawn one, keep the one for screen readers
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
    """Return how many items were added and how many removed."""
    added = removed = 0
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for what, i, j, k, m in matcher.get_opcodes():
        if what != "equal":
            added, removed = added + m - k, removed + j - i
    return added, removed


def compare_words(before: list[str], after: list[str]) -> tuple[int, int]:
    """Count the added and removed words: match equal lines first, then words in the other lines."""
    added = removed = 0
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for what, i, j, k, m in matcher.get_opcodes():
        if what != "equal":
            more, less = count(" ".join(before[i:j]).split(), " ".join(after[k:m]).split())
            added, removed = added + more, removed + less
    return added, removed


def compare_articles(before: Article, after: Article) -> Change:
    """Return how much of a page changed."""
    links = Counter(after.links), Counter(before.links)
    return Change(
        *compare_words(before.lines, after.lines),
        *count(before.figures, after.figures),
        (links[0] - links[1]).total(),
        (links[1] - links[0]).total(),
    )


def pages(site: Path) -> dict[str, Path]:
    """Return the pages of a site by name; the landing page has two names and is listed once."""
    files = {
        file.relative_to(site).with_suffix("").as_posix(): file
        for file in sorted(site.rglob("*.html"))
        if not file.relative_to(site).parts[0].startswith("_")
    }
    if "index" not in files:
        raise FileNotFoundError(f"{site} is not a built site: it has no index.html; run make book")
    if "intro" in files:
        del files["index"]
    return files


def redrawn_pictures(base: Path, head: Path) -> list[bytes]:
    """Return the names of the pictures that are not the same in both sites."""
    return [
        file.name.encode()
        for file in (base / "_images").glob("*")
        if not (other := head / "_images" / file.name).is_file()
        or file.read_bytes() != other.read_bytes()
    ]


def compare(base: Path, head: Path) -> Changes:
    """Compare two built sites."""
    before, after = pages(base), pages(head)
    redrawn = redrawn_pictures(base, head)
    changed = {}
    for name in before.keys() & after.keys():
        content = before[name].read_bytes()
        if content == after[name].read_bytes() and not any(file in content for file in redrawn):
            continue  # it takes seconds to read a long page
        change = compare_articles(article(base, before[name]), article(head, after[name]))
        if change != Change():
            changed[name] = change
    added, removed = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    return Changes(added, dict(sorted(changed.items())), removed)


def describe(change: Change) -> str:
    """Describe a change in words."""
    parts = []
    for kind in ("word", "figure", "link"):
        added, removed = (getattr(change, f"{kind}s_{how}") for how in ("added", "removed"))
        for number, how in ((added, "added"), (removed, "removed")):
            if number:
                parts.append(f"{number:,} {kind}{'s' * (number != 1)} {how}")
    return ", ".join(parts)


def markdown(changes: Changes) -> str:
    """Write the list in Markdown; the names of pages that are already published become links."""

    def link(name: str) -> str:
        return f"[{name}]({published()}{name}.html)"

    lines = [f"- `{name}`: new" for name in changes.added]
    lines += [f"- {link(name)}: {describe(how)}" for name, how in changes.changed.items()]
    lines += [f"- {link(name)}: removed" for name in changes.removed]
    return "\n".join(lines or ["No page changes."]) + "\n"


def dump(changes: Changes) -> str:
    """Return the list as JSON."""
    changed = {name: asdict(change) for name, change in changes.changed.items()}
    return json.dumps(changes._asdict() | {"changed": changed}, indent=1)


def read(text: str) -> Changes:
    """Read a list as `dump` writes it; anything else is a `ValueError`."""

    def page_name(name: object) -> str:
        if not isinstance(name, str) or len(name) > LONGEST_NAME or not NAME.fullmatch(name):
            raise ValueError(f"this is not the name of a page: {str(name)[:LONGEST_NAME]!a}")
        return name

    def change(values: object) -> Change:
        names = {field.name for field in fields(Change)}
        if not isinstance(values, dict) or values.keys() != names:
            raise ValueError("a change does not have the six counts that are expected")
        if not all(type(value) is int and 0 <= value <= LARGEST for value in values.values()):
            raise ValueError(f"a count of a change is not a whole number from 0 to {LARGEST:,}")
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
        [page_name(name) for name in added],
        {page_name(name): change(values) for name, values in changed.items()},
        [page_name(name) for name in removed],
    )


def main() -> None:
    """Compare two sites, and print the list."""
    parser = argparse.ArgumentParser(
        description="List the pages that differ between two built sites, and how much, in Markdown."
    )
    parser.add_argument("base", type=Path, help="folder of the old site")
    parser.add_argument(
        "head", type=Path, nargs="?", default=SITE, help="folder of the new site (%(default)s)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also store the list in this file"
    )
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
