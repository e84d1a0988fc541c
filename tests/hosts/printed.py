"""Compare the text that two runs of a notebook print.

Drawings are left out, because other versions of the libraries draw differently.
"""

import difflib
import re

SENTENCE = re.compile(r'data-sentence="([^"]*)"')


def words(notebook):
    """Return the lines that all cells but the first print, and the sentences of explorers."""
    lines = []
    for cell in notebook.cells[1:]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/html" in data:
                lines += SENTENCE.findall(data["text/html"])
            elif "image/svg+xml" not in data:
                text = output.get("text") or data.get("text/markdown") or data.get("text/plain", "")
                lines += text.splitlines()
    return lines


def changes(stored, ran):
    """Return the lines that only one of two runs of a notebook prints."""
    assert words(stored), "nothing to compare"
    return [line for line in difflib.ndiff(words(stored), words(ran)) if line[0] in "+-"]
