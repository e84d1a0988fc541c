"""What a notebook prints, where drawings may differ: their libraries are others."""

import difflib
import re

SENTENCE = re.compile(r'data-sentence="([^"]*)"')


def words(notebook):
    """Lines that the cells after the first print, and the sentences of explorers; no drawings."""
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
    """Lines that one of two runs of a notebook prints and the other does not."""
    assert words(stored), "nothing to compare"
    return [line for line in difflib.ndiff(words(stored), words(ran)) if line[0] in "+-"]
