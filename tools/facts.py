"""Facts about the course, each read from the one file that states it.

Only the standard library is imported, because the comment on a pull request is written where no
package is installed.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The folder of the repository."""
SITE = ROOT / "_build" / "html"
"""The built site."""
NAME = "from-likelihood-to-gradient"
"""The name, without an ending, of the files that hold the course for use offline."""


def _stated(file: Path, pattern: str) -> str:
    """Return the first group of a pattern that must match in a file."""
    found = re.search(pattern, file.read_text("utf8"), re.MULTILINE)
    if not found:
        raise ValueError(f"{file} has no line that matches {pattern!r}")
    return found[1]


def repository(root: Path = ROOT) -> str:
    """Return the repository on GitHub as ``owner/name``."""
    return _stated(root / "_config.yml", r"^ +url: https://github\.com/([\w.-]+/[\w.-]+)$")


def published(root: Path = ROOT) -> str:
    """Return the address of the published site, which ends with a slash."""
    return _stated(root / "_config.yml", r"^ +baseurl: (https://\S+/)(?:\s|$)")


def version(root: Path = ROOT) -> str:
    """Return the version of the package, without importing it."""
    return _stated(root / "lossutils" / "__init__.py", r'^__version__ = "(.+)"$')


def cpu_index(root: Path = ROOT) -> str:
    """Return the address of PyTorch's builds without CUDA."""
    return _stated(root / ".binder" / "requirements.txt", r"^--extra-index-url (\S+)$")
