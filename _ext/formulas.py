r"""Typeset formulas while the site is built, and give those with a name an anchor.

KaTeX runs in quickjs, so a reader's browser needs no script for formulas. sphinxcontrib-katex
brings the KaTeX script; its style sheet and fonts are in ``vendor/katex`` and are copied into the
site. A formula that KaTeX cannot parse is a warning, which fails the build.

A formula with ``\tag{BCE-grad}`` gets the anchor ``#eq-BCE-grad`` and an entry in the index.
Authors link to it as to a heading, ``[p - y](../chapters/bce.ipynb#eq-BCE-grad)``; a dead link
fails the build.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import quickjs
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator
from sphinxcontrib import katex

VENDOR = Path(__file__).parent / "vendor"
STYLE = "katex/katex.min.css"
SHORT = 12
"""Number of visible characters up to which a formula may be kept on one line."""
TAG = re.compile(r"\\tag\{([^}]*)\}")
# KaTeX writes an invisible sign after a function's name; within an index it is one child too many.
STRAY_SIGN = re.compile("<mo>\N{FUNCTION APPLICATION}</mo>(?=</m(?:sub|sup|subsup)>)")

GAP = re.compile(r"\\qquad\b|\\quad\b")
"""What separates two statements of a displayed formula."""

log = logging.getLogger(__name__)


@lru_cache(1)
def katex_engine() -> quickjs.Context:
    """Start KaTeX, once for all pages."""
    style = (VENDOR / STYLE).read_text("utf8")
    if f'content:"{katex.katex_version}"' not in style:
        raise RuntimeError(
            f"_ext/vendor/katex is not of version {katex.katex_version}, which sphinxcontrib-katex "
            "brings; copy the style sheet and the fonts of that version into it"
        )
    context = quickjs.Context()
    context.eval(Path(katex.__file__).with_name("katex.min.js").read_text("utf8"))
    return context


@lru_cache(None)
def typeset(tex: str, display: bool) -> str:
    """Return a formula as HTML and MathML; raise quickjs.JSException if KaTeX cannot parse it."""
    options = json.dumps({"displayMode": display, "strict": False})
    tex = GAP.sub(r"\g<0>\\allowbreak ", tex) if display else tex
    rendered = katex_engine().eval(f"katex.renderToString({json.dumps(tex)}, {options})")
    # the source, which readers copy, stays as its author wrote it
    rendered = STRAY_SIGN.sub("", rendered).replace(r"\allowbreak ", "")
    return prefer_outer_breaks(rendered) if display else rendered


@dataclass
class Part:
    """A part of a formula that stays on one line, and where in the HTML it stands."""

    start: int
    end: int = 0
    brackets: list[int] = field(default_factory=list)
    """1 for each bracket that it opens, -1 for each that it closes, in order."""
    before_gap: bool = False
    """Whether it ends a statement."""


def prefer_outer_breaks(rendered: str) -> str:
    """Group the parts of a formula, so that it breaks within brackets only where it must.

    KaTeX lets a formula break after each relation and operation. A group moves to the next line as
    a whole and breaks only if it is too wide for a line: first go statements that a gap separates,
    then what stands in brackets, from the outside to the inside.
    """
    parts = _parts(rendered)
    if len(parts) < 3:
        return rendered
    depth, depths = 0, []
    for part in parts[:-1]:
        depth += sum(part.brackets)
        depths.append(-1 if part.before_gap else depth)

    def grouped(first: int, last: int) -> str:
        if first == last:
            return rendered[parts[first].start : parts[first].end]
        inside = depths[first:last]
        edges = [first, *(i + 1 for i in range(first, last) if depths[i] == min(inside)), last + 1]
        groups = [grouped(a, b - 1) for a, b in pairwise(edges)]
        return "".join(
            f'<span class="together">{group}</span>' if b - a > 1 else group
            for group, (a, b) in zip(groups, pairwise(edges), strict=True)
        )

    return rendered[: parts[0].start] + grouped(0, len(parts) - 1) + rendered[parts[-1].end :]


def _parts(rendered: str) -> list[Part]:
    """Return the parts that KaTeX writes, the children of its line, without the formula's name."""
    line = rendered.find('<span class="katex-html"')
    depth, parts = 0, list[Part]()
    for tag in re.finditer(r"<span\b([^>]*)>|</span>", rendered[line:]):
        if tag[1] is None:
            depth -= 1
            if depth == 1 and parts and not parts[-1].end:
                parts[-1].end = line + tag.end()
            continue
        if depth == 1 and 'class="base"' in tag[1]:
            parts.append(Part(line + tag.start()))
        elif depth == 2 and parts and not parts[-1].end:
            parts[-1].before_gap |= "allowbreak" in tag[1]
            parts[-1].brackets += [1] * ("mopen" in tag[1]) + [-1] * ("mclose" in tag[1])
        depth += 1
    return parts


def typeset_or_warn(node: nodes.Element, tex: str, display: bool) -> str:
    """Return the HTML of a formula, or its source with a warning if KaTeX cannot parse it."""
    try:
        return typeset(tex, display)
    except quickjs.JSException as error:
        log.warning("%s", str(error).splitlines()[0], location=node)
        return f"<code>{html.escape(tex)}</code>"


def attach_punctuation(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Move punctuation after a formula into its node, so that no line begins with a comma."""
    for formula in doctree.findall(nodes.math):
        after = formula.next_node(descend=False, siblings=True)
        if isinstance(after, nodes.Text) and (marks := re.match(r"[.,;:!?)\]’”]+", after)):
            formula["mark"] = marks[0]
            after.parent.replace(after, nodes.Text(after[marks.end() :]))


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    formula = typeset_or_warn(node, node.astext(), display=False)
    visible = re.sub("<[^>]*>", "", formula.rpartition('class="katex-html" aria-hidden="true">')[2])
    together = "mark" in node and len(html.unescape(visible)) <= SHORT
    self.body.append('<span class="with-mark">' if together else "")
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(f"{formula}</span>{node.get('mark', '')}{'</span>' if together else ''}")
    raise nodes.SkipNode


def visit_math_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, with its number if it has a label."""
    tex = node.astext().strip()
    # The LaTeX that a cell prints still has its dollars.
    if dollars := re.fullmatch(r"\$+([^$]*)\$+", tex):
        tex = dollars[1]
    # KaTeX would number these from 1 on every page; Sphinx numbers the formulas that have a label.
    tex = re.sub(r"\\(begin|end)\{(align|alignat|equation|gather)\}", r"\\\1{\2*}", tex)
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(typeset_or_warn(node, tex, display=True) + "</div>\n")
    raise nodes.SkipNode


class NameEquations(SphinxTransform):
    """Give each named formula an anchor, listed where MyST looks for the anchors of headings."""

    default_priority = 800  # before 850, when Sphinx collects the entries of the index

    def apply(self, **_: Any) -> None:
        """Change the document of this transform."""
        anchors = self.env.metadata[self.env.docname].setdefault("myst_slugs", {})
        for formula in list(self.document.findall(nodes.math_block)):
            for name in TAG.findall(formula.astext()):
                anchor = f"eq-{name}"
                formula["ids"].append(anchor)
                anchors[anchor] = (formula.line or 0, anchor, name)
                entries = [("single", f"{name} (equation)", anchor, "", None)]
                formula.parent.insert(
                    formula.parent.index(formula), addnodes.index(entries=entries)
                )


def publish_style(app: Sphinx, config: Config) -> None:
    """Let Sphinx copy KaTeX's style sheet and fonts into the site."""
    config.html_static_path.append(str(VENDOR))


def setup(app: Sphinx) -> None:
    """Make KaTeX the renderer of formulas, and name equations."""
    app.add_html_math_renderer("katex", (visit_math, None), (visit_math_block, None))
    app.add_css_file(STYLE)
    app.add_transform(NameEquations)
    app.connect("config-inited", publish_style)
    app.connect("doctree-resolved", attach_punctuation)
