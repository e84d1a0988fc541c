"""Mend what a screen reader stumbles on in the HTML that docutils and MyST-NB write."""

from __future__ import annotations

import re

MENDED = {
    # the empty corner of a table heads nothing
    r'<th class="[^"]*">(<p></p>)?</th>': "<td></td>",
    # what unfolds is named by the text that is seen
    r'<summary aria-label="Toggle hidden content">': "<summary>",
    # a role that ARIA has given up: entries of a list are its items
    'role="doc-biblioentry"': 'role="listitem"',
}


def mend(app, pagename, templatename, context, doctree) -> None:
    """Change the body of a page."""
    for found, replaced in MENDED.items():
        context["body"] = re.sub(found, replaced, context.get("body", ""))


def setup(app) -> dict[str, bool]:
    """Register the change."""
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
