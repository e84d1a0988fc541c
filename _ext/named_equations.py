"""Make every equation with a name a place that can be linked to and is listed in the index.

A formula with the tag ``BCE-grad`` gets the anchor ``#eq-BCE-grad``. It is linked to as headings
are, ``[p - y](../chapters/bce.ipynb#eq-BCE-grad)``, and a dead link fails the build.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

TAG = re.compile(r"\\tag\{([^}]*)\}")


class NameEquations(SphinxTransform):
    """Give each named formula its anchor, where MyST looks for those of headings."""

    default_priority = 800  # before 850, when Sphinx collects the entries of the index

    def apply(self, **_: Any) -> None:
        """Change the page at hand."""
        anchors = self.env.metadata[self.env.docname].setdefault("myst_slugs", {})
        for formula in list(self.document.findall(nodes.math_block)):
            for name in TAG.findall(formula.astext()):
                place = f"eq-{name}"
                formula["ids"].append(place)
                anchors[place] = (formula.line or 0, place, name)
                entries = [("single", f"{name} (equation)", place, "", None)]
                formula.parent.insert(
                    formula.parent.index(formula), addnodes.index(entries=entries)
                )


def setup(app) -> dict[str, bool]:
    """Register the transform."""
    app.add_transform(NameEquations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
