"""The pages that the book has."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def toc_pages():
    """Names of the pages in the table of contents, without their ending."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
    return [toc["root"], *(entry["file"] for entry in toc["chapters"])]
