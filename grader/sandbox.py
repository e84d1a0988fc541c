"""The sandbox: the bubblewrap command that isolates a student's process, and its limits."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

OR_UNSAFE = (
    "To run students' code with all your own rights instead, which lets a submission read and "
    "delete your files, give --unsafe."
)
NOBODY = 61000  # user id for students' processes if the grader is root; no account has it
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Limits:
    """Limits for one submission.

    Attributes
    ----------
    call, total : float
        Seconds for one cell or one call, and for the whole submission.
    memory : int
        Bytes of memory, for all processes together.
    output : int
        Bytes of printed text.
    processes, files : int
        Number of processes (threads included), and of open files in each process.
    file_bytes : int
        Bytes in one file; all files together may have three times as many.
    start : float
        Seconds for the sandbox to start, before any of the student's code runs.
    """

    call: float = 10.0
    total: float = 60.0
    memory: int = 1 << 30
    output: int = 16 << 20
    processes: int = 16
    files: int = 64
    file_bytes: int = 10 << 20
    start: float = 30.0


class NoSandbox(RuntimeError):
    """Bubblewrap is missing or does not work on this machine; the message says what to do."""


@cache
def bwrap() -> str:
    """Path of bubblewrap; raises `NoSandbox` if it is missing or too old."""
    path = shutil.which("bwrap") if sys.platform == "linux" else None
    if path is None:
        remedy = (
            "Install it (on Debian or Ubuntu: sudo apt-get install bubblewrap)."
            if sys.platform == "linux"
            else "It exists for Linux only: grade in a Linux virtual machine, in WSL 2 on Windows, "
            "or on a Linux server."
        )
        raise NoSandbox(
            "students' code runs only in a sandbox, and bubblewrap (bwrap) was not found. "
            f"{remedy} {OR_UNSAFE}"
        )
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(map(int, re.findall(r"\d+", said)[:2]))
    if version < (0, 7):
        raise NoSandbox(
            f"bubblewrap 0.7 or newer is needed, {said.strip() or 'an unknown version'} was found "
            "(Debian 12 and Ubuntu 24.04 have newer ones)"
        )
    return path


def command(arguments: list[str], filter_fd: int | None) -> list[str]:
    """Command line that runs ``grader/runner.py`` with these arguments in the sandbox."""
    confine = [bwrap(), "--unshare-user", "--die-with-parent"]
    if filter_fd is not None:
        confine += ["--seccomp", str(filter_fd)]
    run = [interpreter(), *PYTHON_OPTIONS, "/grader/runner.py", *arguments]
    if os.getuid() != 0:
        return [*confine, *_namespaces(), *_mounts(), "--", *run]
    # RLIMIT_NPROC does not bind root, so the process must become another user. But only root may
    # be able to read Python's folder. So the outer bwrap mounts it as root, setpriv drops root,
    # and the inner bwrap creates the user namespace.
    return [
        *(bwrap(), "--die-with-parent", *_namespaces(), *_mounts()),
        *("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--"),
        *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"),
        *(*confine, "--dev-bind", "/", "/", "--chdir", "/tmp", "--", *run),
    ]


def unsafe_command(arguments: list[str]) -> list[str]:
    """Command line that runs ``grader/runner.py`` with all the rights of the caller."""
    # -E and -s instead of -I, so that NumPy and the runner's own modules can be imported.
    return [sys.executable, "-E", "-s", "-B", str(HERE / "runner.py"), *arguments]


# Isolated from the environment, without site-packages (NumPy is mounted), writing no .pyc files.
PYTHON_OPTIONS = ("-I", "-S", "-B")


def interpreter() -> str:
    """The real Python, which the links of a virtual environment point to."""
    return os.path.realpath(sys.executable)


def _namespaces() -> list[str]:
    kinds = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    return [*kinds, "--unshare-cgroup-try", "--new-session", "--hostname", "sandbox"]


@cache
def _mounts() -> tuple[str, ...]:
    """Options for the file system: Python and NumPy, read-only; an empty /tmp; nothing else."""
    limits = Limits()
    options: list[str] = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib64"):
        path = Path("/", name)
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            options += ["--ro-bind", str(path), str(path)]
    options += _folders("/etc/ld.so.cache")
    for file in ("/etc/ld.so.cache", "/etc/alternatives"):
        options += ["--ro-bind-try", file, file]
    # A tmpfs must come before whatever is mounted inside it.
    options += ["--size", str(3 * limits.file_bytes), "--perms", "1777", "--tmpfs", "/tmp"]
    home = os.path.realpath(sys.base_prefix)
    if not home.startswith("/usr/") and home != "/usr":
        options += [*_folders(home), "--ro-bind", home, home]
    options += _folders("/grader/runner.py")
    for file in ("runner.py", "magics.py", "skipped.py", "wire.py"):
        options += ["--ro-bind", str(HERE / file), f"/grader/{file}"]
    package = Path(np.__file__).parent
    options += [*_folders("/packages/numpy"), "--ro-bind", str(package), "/packages/numpy"]
    if (libraries := package.with_name("numpy.libs")).is_dir():
        options += ["--ro-bind", str(libraries), "/packages/numpy.libs"]
    options += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--remount-ro", "/"]
    options += ["--chdir", "/tmp", "--clearenv"]
    for name, value in ENVIRONMENT.items():
        options += ["--setenv", name, value]
    return tuple(options)


# One thread, since other submissions run at the same time.
ENVIRONMENT = {
    "HOME": "/tmp",
    "PATH": "/usr/bin",
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def _folders(path: str) -> list[str]:
    """Options that create the folders above a path, readable by the unprivileged user."""
    above = list(reversed(Path(path).parents))[1:]
    return [word for folder in above for word in ("--perms", "0755", "--dir", str(folder))]
