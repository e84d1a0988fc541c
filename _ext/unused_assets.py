"""Remove what no page uses: rules of style sheets, and characters of KaTeX's fonts.

Themes bring rules for everything. All sheets are joined into one, the only one that pages link to
(``_templates/layout.html``). A selector with a class or an id that is in no page, and in no script
that a page loads, is left out, and so is the icon font, which ``_static/icons.css`` replaces. The
fonts keep a third of their size.

Both are made again from the whole files whenever a page was written.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import tinycss2
from docutils import nodes
from fontTools import subset
from sphinx.application import Sphinx

from .formulas import VENDOR

JOINED = "_static/site.css"
THEME = ["_static/styles/theme.css", "_static/styles/pydata-sphinx-theme.css"]
"""Sheets that Sphinx does not list, since the theme's template names them."""
CONDITIONAL = ("media", "supports", "layer")
ICON_FONT = "Font Awesome"

WORD = re.compile(r"[\w-]+")
LIGHT = re.compile(r"""html\[data-theme=["']?light["']?\]""")

Rules = list[tinycss2.ast.Node]


def pages_of(site: Path) -> list[Path]:
    """Return the pages of a built site, without the templates that themes copy into it."""
    return [page for page in site.rglob("*.html") if "_static" not in page.parts]


def names_in(pages: Iterable[Path]) -> set[str]:
    """Return the classes and ids of all pages, and all words of their scripts."""
    names, scripts = set(), set()
    for page in pages:
        text = page.read_text("utf8")
        for attribute in re.findall(r'\b(?:class|id)="([^"]*)"', text):
            names.update(attribute.split())
        for source, inline in re.findall(
            r'<script(?:[^>]*src="([^"?]+))?[^>]*>(.*?)</script>', text, re.S
        ):
            names.update(WORD.findall(inline))
            if source:
                scripts.add((page.parent / source).resolve())
    for script in scripts:
        names.update(WORD.findall(script.read_text("utf8")))
    return names


def read_sheet(site: Path, name: str) -> Rules:
    """Return the rules of a sheet and of those that it imports, with addresses as from `JOINED`."""
    rules: Rules = []
    for rule in tinycss2.parse_stylesheet((site / name).read_text("utf8"), True, True):
        if rule.type == "error":
            raise ValueError(f"{name}, line {rule.source_line}: {rule.message}")
        if rule.type == "at-rule" and rule.lower_at_keyword == "import":
            imported = next(t.value for t in rule.prelude if t.type in ("string", "url"))
            rules += read_sheet(site, posixpath.join(posixpath.dirname(name), imported))
        elif not (rule.type == "at-rule" and rule.lower_at_keyword == "charset"):
            move_addresses(rule.content, posixpath.dirname(name))
            rules.append(rule)
    return rules


def move_addresses(tokens: Rules | None, folder: str) -> None:
    """Rewrite the relative addresses in a sheet of ``folder`` for the folder of `JOINED`."""
    for token in tokens or []:
        for inner in ("content", "arguments"):
            move_addresses(getattr(token, inner, None), folder)
        if token.type == "url" and not re.match(r"data:|[a-z]+://|#|/", token.value):
            token.value = posixpath.relpath(f"{folder}/{token.value}", posixpath.dirname(JOINED))
            token.representation = f'url("{token.value}")'


def used_rules(rules: Rules, names: set[str]) -> Iterator[str]:
    """Yield the rules that can apply, each with only the selectors that can."""
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [s for s in split_at_commas(rule.prelude) if required_names(s) <= names]
            if selectors:
                heads = ",".join(tinycss2.serialize(s).strip() for s in selectors)
                yield f"{heads}{{{tinycss2.serialize(rule.content).strip()}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword in CONDITIONAL and rule.content:
            inner = "".join(used_rules(tinycss2.parse_rule_list(rule.content, True, True), names))
            if inner:
                condition = tinycss2.serialize(rule.prelude).strip()
                yield f"@{rule.at_keyword} {condition}{{{inner}}}"
        elif ICON_FONT not in (text := rule.serialize()) or "@font-face" not in text:
            yield text


def split_at_commas(prelude: Rules) -> list[Rules]:
    """Return the selectors of a rule."""
    selectors: list[Rules] = [[]]
    for token in prelude:
        if token == ",":
            selectors.append([])
        else:
            selectors[-1].append(token)
    return selectors


def required_names(selector: Rules) -> set[str]:
    """Return the classes and ids that a page must have, without those in :not() and :is()."""
    pairs = pairwise(selector)
    classes = {after.value for dot, after in pairs if dot == "." and after.type == "ident"}
    return classes | {token.value for token in selector if token.type == "hash"}


def note_sheets(
    sheets: list[str],
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Remember the sheets that Sphinx would link to, in their order."""
    sheets[:] = [*THEME, *(str(sheet.filename) for sheet in context["css_files"])]


def join_sheets(sheets: list[str], app: Sphinx, error: Exception | None) -> None:
    """Write the joined sheet of a site, unless there was an error or no page was written."""
    if error or not sheets:
        return
    site = Path(app.outdir)
    names = names_in(pages_of(site))
    rules = [rule for name in dict.fromkeys(sheets) for rule in read_sheet(site, name)]
    # without scripts nothing says which theme it is
    joined = LIGHT.sub('html:not([data-theme="dark"])', "".join(used_rules(rules, names)))
    (site / JOINED).write_text(joined, "utf8")


def cut_fonts(app: Sphinx, error: Exception | None) -> None:
    """Write KaTeX's fonts with no more characters than the pages of the site have."""
    if error or app.builder.format != "html":
        return
    site = Path(app.outdir)
    characters = {sign for page in pages_of(site) for sign in page.read_text("utf8")}
    options = subset.Options(flavor="woff2", layout_features=["*"])
    for whole in VENDOR.rglob("*.woff2"):
        font = subset.load_font(whole, options)
        cutter = subset.Subsetter(options)
        cutter.populate(text="".join(characters))
        cutter.subset(font)
        subset.save_font(font, site / "_static" / whole.relative_to(VENDOR), options)


def setup(app: Sphinx) -> None:
    """Register both for the end of a build."""
    sheets: list[str] = []
    app.connect("html-page-context", partial(note_sheets, sheets), priority=900)
    app.connect("build-finished", cut_fonts)
    # late, since MyST-NB writes a sheet at the end of a build too
    app.connect("build-finished", partial(join_sheets, sheets), priority=900)
