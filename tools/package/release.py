"""What a release needs: a tag that tells the truth, notes, and files that work elsewhere.

``make release-check TAG=v1.2.3`` compares the tag with what the repository says of itself, and
writes the notes; ``make dist`` builds the package, and tries the wheel where nothing else is.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tools.facts import ROOT, version
from tools.package import environments

DIST = ROOT / "dist"
NOTES = ROOT / "_build" / "release-notes.md"
TESTS = ["tests/test_import.py", "tests/test_special.py", "tests/test_linear.py", "tests/losses"]
"""Tests of the package that skip what needs the extras, which are not installed with the wheel."""


def notes(root: Path, number: str) -> str:
    """Return what the changelog says of a version, or "" if it says nothing."""
    text = (root / "CHANGELOG.md").read_text("utf8")
    head = rf"^## \[{re.escape(number)}\] - \d{{4}}-\d\d-\d\d$"
    found = re.search(rf"{head}(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def faults(root: Path, tag: str) -> list[str]:
    """Say what forbids to release the repository as `tag`."""
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


def try_wheel(wheel: Path) -> None:
    """Install a wheel in an empty environment, and run the package's tests against it there."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        python = environments.make(place / "venv")
        # the versions that the tests are known to pass with, but what is in the wheel as it is
        install = ("install", "--quiet", "--constraint", "requirements.txt")
        print(f"Installing {wheel.name} in an empty environment ...", flush=True)
        environments.pip(python, *install, str(wheel))
        environments.pip(python, "check")
        environments.pip(python, *install, "pytest", "hypothesis", "mpmath", "scipy")
        # away from the sources, which would be imported in the wheel's place
        shutil.copytree(ROOT / "tests", place / "tests")
        shutil.copy(ROOT / "pyproject.toml", place)
        code = "import lossutils; print(lossutils.__version__, lossutils.__file__)"
        run = [python, "-c", code]
        said = subprocess.run(run, cwd=place, check=True, capture_output=True, text=True).stdout
        print(said, end="")
        number, _, file = said.strip().partition(" ")
        if number != version(ROOT) or not Path(file).is_relative_to(place / "venv"):
            sys.exit(f"{wheel.name} holds version {number} in {file}; {version(ROOT)} is expected.")
        subprocess.run([python, "-m", "pytest", "-q", *TESTS], cwd=place, check=True)


def main() -> None:
    """Check a tag, or try a wheel."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="compare a tag with the repository, write notes")
    check.add_argument("tag", help="v1.2.3")
    commands.add_parser("try", help="try the wheel in dist/ in an empty environment")
    options = parser.parse_args()
    if options.command == "check":
        if found := faults(ROOT, options.tag):
            sys.exit("This cannot be released: " + ";\n".join(found) + ".")
        NOTES.parent.mkdir(exist_ok=True)
        NOTES.write_text(notes(ROOT, version(ROOT)) + "\n", "utf8")
        print(f"{options.tag} can be released; {NOTES.relative_to(ROOT)} has its notes.")
    else:
        wheels = sorted(DIST.glob("lossutils-*.whl"))
        if len(wheels) != 1:
            sys.exit(f"dist/ has {len(wheels)} wheels, one is expected; run: make dist")
        try:
            try_wheel(wheels[0])
        except subprocess.CalledProcessError as error:
            command = " ".join(map(str, error.cmd))
            sys.exit(f"The wheel does not pass: {command} ended with {error.returncode}.")
        except RuntimeError as error:
            sys.exit(f"The wheel cannot be installed: {error}")


if __name__ == "__main__":
    main()
