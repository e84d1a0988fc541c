"""The pages that the book has."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def toc_pages():
    """Names of the pages in the table of contents, without their ending; the index is generated."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
    files = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [toc["root"], *(file for file in files if file != "genindex")]
