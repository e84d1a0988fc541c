"""Runs commands as root or as an ordinary user, since the grader's sandbox differs for the two."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader import assignment

USERS = ("root", "ordinary user")
ORDINARY = 61001  # no account has this id, and students' processes have another one


def run_as(user: str) -> list[str]:
    """Start of a command line whose rest this user runs; skips if that is impossible."""
    if (user == "root") == (os.getuid() == 0):
        return []
    if user == "root":
        sudo = ["sudo", "--non-interactive"]
        if not shutil.which("sudo") or subprocess.run([*sudo, "true"], check=False).returncode:
            pytest.skip("only root, or who has sudo without a password, can test as root")
        return sudo
    bwrap = ["bwrap", "--dev-bind", "/", "/", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    places = {Path(sys.base_prefix), Path(sys.prefix).resolve(), assignment.ASSIGNMENTS.parent}
    for place in places:
        above = list(reversed(place.parents))
        closed = [folder for folder in above if not folder.stat().st_mode & 0o001]
        if closed:  # only their owner may enter them
            bwrap += ["--perms", "0755", "--tmpfs", str(closed[0])]
            for folder in above[above.index(closed[0]) + 1 :]:
                bwrap += ["--perms", "0755", "--dir", str(folder)]
            bwrap += ["--dev-bind", str(place), str(place)]
    identity = [f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups"]
    return [*bwrap, "--", "setpriv", *identity, "--"]
