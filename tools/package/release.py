"""Check that a tag names the version that the repository states, and write the release notes.

``make release-check TAG=v1.2.3`` runs this; ``make dist`` builds and tests what is released.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import yaml

from tools.facts import ROOT, version

NOTES = ROOT / "_build" / "release-notes.md"


def notes(root: Path, number: str) -> str:
    """Return the changelog's text on a version, or "" if there is none."""
    text = (root / "CHANGELOG.md").read_text("utf8")
    head = rf"^## \[{re.escape(number)}\] - \d{{4}}-\d\d-\d\d$"
    found = re.search(rf"{head}(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def faults(root: Path, tag: str) -> list[str]:
    """List the reasons why the repository cannot be released as `tag`."""
    here = version(root)
    cited = str(yaml.safe_load((root / "CITATION.cff").read_text("utf8"))["version"])
    found = []
    if tag != f"v{here}":
        found.append(
            f"the tag is {tag!r}, but lossutils/__init__.py says {here!r}: "
            f"tag the commit as v{here}, or change __version__ first"
        )
    if cited != here:
        found.append(f"CITATION.cff says version {cited!r}: change it to {here!r}")
    if not notes(root, here):
        found.append(
            f"CHANGELOG.md has nothing under '## [{here}] - YEAR-MONTH-DAY': "
            "move what is under [Unreleased] there"
        )
    return found


def main() -> None:
    """Check a tag, and write the notes of its release."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tag", help="v1.2.3")
    tag = parser.parse_args().tag
    if found := faults(ROOT, tag):
        sys.exit("This cannot be released: " + ";\n".join(found) + ".")
    NOTES.parent.mkdir(exist_ok=True)
    NOTES.write_text(notes(ROOT, version(ROOT)) + "\n", "utf8")
    print(f"{tag} can be released; {NOTES.relative_to(ROOT)} has its notes.")


if __name__ == "__main__":
    main()
