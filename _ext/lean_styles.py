"""Join the site's style sheets into one, without the rules that no page uses.

Themes bring rules for everything. A selector goes if it asks for a class or an id that occurs in
no page and in no script that a page loads, and so does the icon font, which ``_static/icons.css``
replaces. Pages link to the joined sheet alone (``_templates/layout.html``), which is made anew,
from whole sheets, when a page was written.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import tinycss2

JOINED = "_static/site.css"
THEME = ["_static/styles/theme.css", "_static/styles/pydata-sphinx-theme.css"]
"""Sheets that the theme's template names itself."""
CONDITIONAL = ("media", "supports", "layer")
UNUSED_FONT = "Font Awesome"

WORD = re.compile(r"[\w-]+")

Rules = list[tinycss2.ast.Node]


def names_in(pages: Iterable[Path]) -> set[str]:
    """Return the classes and ids of all pages, and all words of their scripts."""
    names, scripts = set(), set()
    for page in pages:
        text = page.read_text("utf8")
        for names_of_one in re.findall(r'\b(?:class|id)="([^"]*)"', text):
            names.update(names_of_one.split())
        for source, inline in re.findall(
            r'<script(?:[^>]*src="([^"?]+))?[^>]*>(.*?)</script>', text, re.S
        ):
            names.update(WORD.findall(inline))
            if source:
                scripts.add((page.parent / source).resolve())
    for script in scripts:
        names.update(WORD.findall(script.read_text("utf8")))
    return names


def read(site: Path, name: str) -> Rules:
    """Return the rules of a sheet and of those that it imports, with addresses as from `JOINED`."""
    rules: Rules = []
    for rule in tinycss2.parse_stylesheet((site / name).read_text("utf8"), True, True):
        if rule.type == "error":
            raise ValueError(f"{name}, line {rule.source_line}: {rule.message}")
        if rule.type == "at-rule" and rule.lower_at_keyword == "import":
            imported = next(t.value for t in rule.prelude if t.type in ("string", "url"))
            rules += read(site, posixpath.join(posixpath.dirname(name), imported))
        elif not (rule.type == "at-rule" and rule.lower_at_keyword == "charset"):
            move_addresses(rule.content, posixpath.dirname(name))
            rules.append(rule)
    return rules


def move_addresses(tokens: Rules | None, folder: str) -> None:
    """Let relative addresses in a sheet of ``folder`` hold in `JOINED`."""
    for token in tokens or []:
        for inner in ("content", "arguments"):
            move_addresses(getattr(token, inner, None), folder)
        value = getattr(token, "value", None)
        if token.type == "url" and not re.match(r"data:|[a-z]+://|#|/", value):
            token.value = posixpath.relpath(f"{folder}/{value}", posixpath.dirname(JOINED))
            token.representation = f'url("{token.value}")'


def prune(rules: Rules, names: set[str]) -> Iterator[str]:
    """Yield the rules that can apply, shortened to the selectors that can."""
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [s for s in split(rule.prelude) if asked_for(s) <= names]
            if selectors:
                heads = ",".join(tinycss2.serialize(s).strip() for s in selectors)
                yield f"{heads}{{{tinycss2.serialize(rule.content).strip()}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword in CONDITIONAL and rule.content:
            inner = "".join(prune(tinycss2.parse_rule_list(rule.content, True, True), names))
            if inner:
                condition = tinycss2.serialize(rule.prelude).strip()
                yield f"@{rule.at_keyword} {condition}{{{inner}}}"
        elif UNUSED_FONT not in (text := rule.serialize()) or "@font-face" not in text:
            yield text


def split(prelude: Rules) -> list[Rules]:
    """Split a rule's head at its commas."""
    selectors: list[Rules] = [[]]
    for token in prelude:
        if token == ",":
            selectors.append([])
        else:
            selectors[-1].append(token)
    return selectors


def asked_for(selector: Rules) -> set[str]:
    """Return the classes and ids that must be there; those in :not(...) and :is(...) need not."""
    pairs = pairwise(selector)
    classes = {after.value for dot, after in pairs if dot == "." and after.type == "ident"}
    return classes | {token.value for token in selector if token.type == "hash"}


def note_sheets(sheets: list[str], app, pagename, templatename, context, doctree) -> None:
    """Note the sheets that Sphinx would link to, in their order."""
    sheets[:] = [*THEME, *(str(sheet.filename) for sheet in context["css_files"])]


def join_sheets(sheets: list[str], app, error) -> None:
    """Write the joined sheet of a site, unless there was an error or no page was written."""
    if error or not sheets:
        return
    site = Path(app.outdir)
    names = names_in(page for page in site.rglob("*.html") if "_static" not in page.parts)
    rules = [rule for name in dict.fromkeys(sheets) for rule in read(site, name)]
    (site / JOINED).write_text("".join(prune(rules, names)), "utf8")


def setup(app) -> dict[str, bool]:
    """Register what runs when all pages are written."""
    sheets: list[str] = []
    app.connect("html-page-context", partial(note_sheets, sheets), priority=900)
    app.connect("build-finished", partial(join_sheets, sheets), priority=900)  # MyST-NB writes too
    return {"parallel_read_safe": True, "parallel_write_safe": True}
