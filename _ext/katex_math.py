"""Typeset formulas while the site is built, so that a reader's browser runs no script for them.

KaTeX is the script that sphinxcontrib-katex ships, run by quickjs. Its style sheet and fonts, which
that package lacks, lie in ``vendor/katex`` and are copied into the site. A formula that KaTeX
cannot parse is a warning, and so fails the build.
"""

from __future__ import annotations

import html
import json
import re
from functools import lru_cache
from pathlib import Path

import quickjs
from docutils import nodes
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinxcontrib import katex

VENDOR = Path(__file__).parent / "vendor"
STYLE = "katex/katex.min.css"
SHORT = 12  # characters of a formula that fits on any line
# KaTeX puts the sign after a function's name, which nothing shows, into an index as well, where it
# counts as one index more than there may be
STRAY = re.compile("<mo>\N{FUNCTION APPLICATION}</mo>(?=</m(?:sub|sup|subsup)>)")

log = logging.getLogger(__name__)


@lru_cache(1)
def engine() -> quickjs.Context:
    """Start KaTeX, once for all pages."""
    style = (VENDOR / STYLE).read_text("utf8")
    assert f'content:"{katex.katex_version}"' in style, "_ext/vendor/katex is of another version"
    context = quickjs.Context()
    context.eval(Path(katex.__file__).with_name("katex.min.js").read_text("utf8"))
    return context


@lru_cache(None)
def typeset(tex: str, display: bool) -> str:
    """Return a formula as HTML and MathML; raise quickjs.JSException where it does not parse."""
    options = json.dumps({"displayMode": display, "strict": False})
    return STRAY.sub("", engine().eval(f"katex.renderToString({json.dumps(tex)}, {options})"))


def render(node: nodes.Element, tex: str, display: bool) -> str:
    """Return the HTML of a formula; warn where it does not parse, and show its source."""
    try:
        return typeset(tex, display)
    except quickjs.JSException as error:
        log.warning("%s", str(error).splitlines()[0], location=node)
        return f"<code>{html.escape(tex)}</code>"


def join_marks(app, doctree, docname) -> None:
    """Give formulas the marks that follow them, lest a line begin with a comma."""
    for formula in doctree.findall(nodes.math):
        after = formula.next_node(descend=False, siblings=True)
        if isinstance(after, nodes.Text) and (marks := re.match(r"[.,;:!?)\]’”]+", after)):
            formula["mark"] = marks[0]
            after.parent.replace(after, nodes.Text(after[marks.end() :]))


def visit_math(self, node: nodes.math) -> None:
    """Write a formula within a line."""
    formula = render(node, node.astext(), display=False)
    seen = re.sub("<[^>]*>", "", formula.rpartition('class="katex-html" aria-hidden="true">')[2])
    together = "mark" in node and len(html.unescape(seen)) <= SHORT
    self.body.append('<span class="with-mark">' if together else "")
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(f"{formula}</span>{node.get('mark', '')}{'</span>' if together else ''}")
    raise nodes.SkipNode


def visit_math_block(self, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, with its number if a label gave it one."""
    tex = node.astext().strip()
    # A cell's LaTeX output comes within its dollars.
    if dollars := re.fullmatch(r"\$+([^$]*)\$+", tex):
        tex = dollars[1]
    # KaTeX would number these from 1 on every page; Sphinx numbers what has a label.
    tex = re.sub(r"\\(begin|end)\{(align|alignat|equation|gather)\}", r"\\\1{\2*}", tex)
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(render(node, tex, display=True) + "</div>\n")
    raise nodes.SkipNode


def setup(app) -> dict[str, bool]:
    """Register the renderer, and publish the style sheet with its fonts."""
    app.add_html_math_renderer("katex", (visit_math, None), (visit_math_block, None))
    app.connect("doctree-resolved", join_marks)
    app.connect("config-inited", lambda _, config: config.html_static_path.append(str(VENDOR)))
    app.add_css_file(STYLE)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
