"""Give the course another home: change its repository's address wherever it stands, in one commit.

The address is said once, in `_config.yml`; notebooks, metadata and links repeat it because they
must work on their own. Run it with ``make fork REPO=owner/name``.
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
    """Output of a git command; raises `CalledProcessError` with what git said."""
    return subprocess.run(
        ["git", *arguments], cwd=root, check=True, capture_output=True, text=True
    ).stdout


def pages(repository: str) -> str:
    """Where GitHub Pages shows a repository: without ``https://``, with a slash at the end."""
    owner, name = repository.lower().split("/")
    host = f"{owner}.github.io"
    return f"{host}/" if name == host else f"{host}/{repository.split('/')[1]}/"


def replace(root: Path, new: str) -> list[str]:
    """Replace the address in every tracked text file; return the names of those that changed."""
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
    """Replace and commit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", metavar="OWNER/NAME", help="on GitHub")
    new = parser.parse_args().repository
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+", new):
        sys.exit(
            f"A repository is expected as owner/name, {new!r} came; try make fork REPO=me/course"
        )
    if new == facts.repository(ROOT):
        sys.exit(f"The course already lives at {new}.")
    if git("status", "--porcelain", root=ROOT):
        sys.exit(
            "There are uncommitted changes, which would end up in the same commit; commit first."
        )
    changed = replace(ROOT, new)
    git("add", *changed, root=ROOT)
    git("commit", "--quiet", "--message", f"Move the course to {new}", root=ROOT)
    print(f"{len(changed)} files now say {new}; see git show --stat. Then: make book test")


if __name__ == "__main__":
    main()
