"""Fresh environments in which tests/hosts tries the course, and the newest Python for nox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.facts import ROOT

NEWEST = ("python3.14", "python3.13", "python3.12")


def newest_python() -> str:
    """Return the newest Python on this machine, or the one that `NEWEST_PYTHON` names."""
    if named := os.environ.get("NEWEST_PYTHON"):
        return named
    for name in NEWEST:
        found = shutil.which(name)
        # pyenv puts launchers on the path for Pythons that cannot start
        if found and subprocess.run([found, "--version"], capture_output=True).returncode == 0:
            return found
    return sys.executable


def clean() -> dict[str, str]:
    """Return this process's variables without those that show another Python our packages."""
    # one retry, so that an index that cannot be reached costs seconds, not minutes
    rest = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return {"PIP_RETRIES": "1"} | rest


def make(folder: Path, python: str = sys.executable) -> Path:
    """Create an empty environment in `folder`, deleting what is there; return its Python."""
    subprocess.run([python, "-m", "venv", "--clear", folder], env=clean(), check=True)
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def pip(python: Path, *arguments: str) -> str:
    """Run pip in an environment and return its output; a `RuntimeError` quotes its errors."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=clean(), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def packages(python: Path) -> dict[str, str]:
    """Return the version of each package in an environment, by name."""
    found = json.loads(pip(python, "list", "--format=json"))
    return {package["name"].lower(): package["version"] for package in found}
