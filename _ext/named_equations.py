"""Make every equation with a name a place that can be linked to and is listed in the index.

A formula with the tag ``BCE-grad`` gets the anchor ``#eq-BCE-grad``. It is linked to as headings
are, ``[p - y](../chapters/bce.ipynb#eq-BCE-grad)``, and a dead link fails the build.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx import addnodes

TAG = re.compile(r"\\tag\{([^}]*)\}")


def anchor(app, doctree: nodes.document) -> None:
    """Give each named formula its anchor, where MyST looks for those of headings."""
    anchors = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for formula in list(doctree.findall(nodes.math_block)):
        for name in TAG.findall(formula.astext()):
            place = f"eq-{name}"
            formula["ids"].append(place)
            anchors[place] = (formula.line or 0, place, name)
            entries = [("pair", f"{name}; equation", place, "", None)]
            formula.parent.insert(formula.parent.index(formula), addnodes.index(entries=entries))


def setup(app) -> dict[str, bool]:
    """Register the event; late, since MyST collects its headings in the same one."""
    app.connect("doctree-read", anchor, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
