"""Facts about the course, each read from the one file that states it.

The standard library is enough to read them, since the tools for GitHub run where nothing is
installed.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The repository."""
SITE = ROOT / "_build" / "html"
"""The built site."""
NAME = "from-likelihood-to-gradient"
"""What the files are called in which a reader takes the course away."""


def _stated(file: Path, pattern: str) -> str:
    """Return what a pattern finds in a file that must state it."""
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
