"""Move the course to another repository: change its address in every file, in one commit.

`_config.yml` states the address; notebooks, metadata and links repeat it because each must work on
its own. Run this with ``make fork REPO=owner/name``.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from tools import facts
from tools.facts import ROOT


def git(*arguments: str, root: Path) -> str:
    """Return the output of a git command; `CalledProcessError` holds the error output."""
    return subprocess.run(
        ["git", *arguments], cwd=root, check=True, capture_output=True, text=True
    ).stdout


def pages(repository: str) -> str:
    """Return a repository's address on GitHub Pages, without ``https://``, with a final slash."""
    owner, name = repository.lower().split("/")
    host = f"{owner}.github.io"
    return f"{host}/" if name == host else f"{host}/{repository.split('/')[1]}/"


def replace(root: Path, new: str) -> list[str]:
    """Replace the address in every tracked text file; return the names of the changed files."""
    old, changed = facts.repository(root), []
    for name in git("ls-files", "-z", root=root).split("\0"):
        file = root / name
        if not name or file.is_symlink():
            continue
        try:
            before = file.read_bytes().decode()
        except UnicodeDecodeError:
            continue
        after = before.replace(pages(old), pages(new)).replace(old, new)
        if after != before:
            file.write_bytes(after.encode())
            changed.append(name)
    return changed


def main() -> None:
    """Replace the address, and commit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", metavar="OWNER/NAME", help="on GitHub")
    new = parser.parse_args().repository
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+", new):
        sys.exit(
            f"Name the repository as owner/name, not {new!r}; for example: make fork REPO=me/course"
        )
    if new == facts.repository(ROOT):
        sys.exit(f"The course is already at {new}.")
    if git("status", "--porcelain", root=ROOT):
        sys.exit(
            "There are uncommitted changes; commit them first, or they get into the same commit."
        )
    changed = replace(ROOT, new)
    git("add", *changed, root=ROOT)
    git("commit", "--quiet", "--message", f"Move the course to {new}", root=ROOT)
    print(f"{len(changed)} files now name {new}; see git show --stat. Next: make book test")


if __name__ == "__main__":
    main()
