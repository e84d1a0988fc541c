"""The pages that the book has."""

import yaml

from tools.facts import ROOT

BASE = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))["html"]["baseurl"]
GENERATED = ["genindex", "search"]
"""Pages that Sphinx makes; index.html is another address of the first page."""


def toc_pages():
    """Return the pages in the table of contents, without suffix and without the generated index."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
    files = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [toc["root"], *(file for file in files if file != "genindex")]


CHAPTERS = [page for page in toc_pages() if page.startswith("chapters/")]
WITH_EXPLORERS = [toc_pages()[0], *CHAPTERS]
WITHOUT_ASSIGNMENT = {
    *("entropy", "language_models", "comparisons", "choosing_a_loss", "numerics", "scaling"),
}
"""Chapters that go on with losses of others, or compare all of them."""
WITHOUT_CHAPTER = {"find_the_bug"}
"""Assignments that belong to no chapter, and may be longer."""
