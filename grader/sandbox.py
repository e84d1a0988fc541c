"""The sandbox: the bubblewrap command that isolates a student's process, and its limits."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from . import seccomp

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
        Seconds for one cell or one call, and for the whole submission. They are the processor
        seconds of all its processes, or the time that passes less the time in which the submission
        had to wait for the machine, whichever is more. So what others do costs nobody points.
    call_wall, total_wall : float
        Seconds that may pass for the same; who needs more is graded again, alone.
    memory : int
        Bytes of memory, for all processes together.
    output : int
        Bytes of printed text.
    processes, files : int
        Number of processes (threads included), and of open files in each process.
    file_bytes, file_count : int
        Bytes in one file, and number of files; all together may have three times as many bytes.
    start : float
        Seconds for the sandbox to start, before any of the student's code runs.
    """

    call: float = 10.0
    total: float = 60.0
    call_wall: float = 60.0
    total_wall: float = 360.0
    memory: int = 1 << 30
    output: int = 16 << 20
    processes: int = 16
    files: int = 64
    file_bytes: int = 10 << 20
    file_count: int = 10_000
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


def start(arguments: list[str], **pipes: Any) -> subprocess.Popen:
    """Start ``grader/runner.py`` with these arguments in the sandbox.

    Bubblewrap gets the environment of the sandbox, not that of the grader, which may hold the seed:
    it belongs to the student's user, so its memory must hold nothing that students may not read.
    """
    with contextlib.ExitStack() as files:
        descriptors = [
            files.enter_context(open(HERE / name, "rb", buffering=0)).fileno() for name in RUNNER
        ]
        copies = [
            word
            for name, number in zip(RUNNER, descriptors, strict=True)
            for word in ("--perms", "0444", "--file", str(number), f"/grader/{name}")
        ]
        filter_fd = None
        if (program := seccomp.program()) is not None:
            filter_fd, end = os.pipe()
            files.callback(os.close, filter_fd)
            with open(end, "wb") as stream:
                stream.write(program)  # fits into the pipe's buffer
            descriptors.append(filter_fd)
        return subprocess.Popen(
            _command(arguments, copies, filter_fd),
            env=ENVIRONMENT,
            cwd="/",
            pass_fds=descriptors,
            start_new_session=True,
            **pipes,
        )


def _command(arguments: list[str], copies: list[str], filter_fd: int | None) -> list[str]:
    """Command line of the sandbox; `copies` are the options that copy the runner into it.

    There is no /proc in it, which tells of mounted paths and gives access to other processes.
    """
    confine = [bwrap(), "--unshare-user", "--die-with-parent"]
    if filter_fd is not None:
        confine += ["--seccomp", str(filter_fd)]
    run = [interpreter(), *PYTHON_OPTIONS, "/grader/runner.py", *arguments]
    mounts = [*_mounts(), *copies]
    if os.getuid() != 0:
        mounts += ["--dir", "/proc", *READ_ONLY]
        return [*confine, *NAMESPACES, *mounts, "--", *run]
    # RLIMIT_NPROC does not bind root, so the process must become another user. But only root may
    # be able to read Python's folder. So the outer bwrap mounts it as root, setpriv drops root,
    # and the inner bwrap creates the user namespace, for which it needs /proc, and then covers it.
    return [
        *(bwrap(), "--die-with-parent", *NAMESPACES, *mounts, "--proc", "/proc", *READ_ONLY),
        *("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--"),
        *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"),
        *(*confine, "--dev-bind", "/", "/", "--tmpfs", "/proc", "--remount-ro", "/proc"),
        *("--chdir", "/tmp", "--", *run),
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


RUNNER = (
    "runner.py",
    "magics.py",
    "skipped.py",
    "wire.py",
)  # copied: a mount would tell where they are
NAMESPACES = (
    *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--new-session", "--hostname", "sandbox"),
)
READ_ONLY = ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp")


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
    package = Path(np.__file__).parent
    options += [*_folders("/packages/numpy"), "--ro-bind", str(package), "/packages/numpy"]
    if (libraries := package.with_name("numpy.libs")).is_dir():
        options += ["--ro-bind", str(libraries), "/packages/numpy.libs"]
    return (*options, "--dev", "/dev")


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
