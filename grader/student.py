"""A student's process, as the grader sees it: cells run, functions called, limits watched."""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from . import sandbox, seccomp, wire
from .sandbox import Limits, NoSandbox

TICK = 0.05  # seconds between two looks at the memory
FORGED = "it forged a reply to the grader"


class StudentError(Exception):
    """The student's code raised an exception, or returned what is not a result."""

    def __init__(self, kind: str, text: str = "", line: int | None = None):
        super().__init__(f"{kind}: {text}" if text else kind)
        self.kind, self.text, self.line = kind, text, line


class Killed(Exception):
    """The student's process broke a limit or the protocol and is gone; the message says which."""


class Forged(Killed):
    """The request before this one was answered more than once: its first answer was forged."""


class InfrastructureError(Exception):
    """The sandbox failed before any of the student's code had run: not the student's fault."""


class Student:
    """One process with a student's notebook in it.

    Every request carries a random number that its reply must repeat, and nothing may stand in the
    pipe when a request is sent. So a reply written in advance is found out at once, and one too
    many when the next request is answered.

    Parameters
    ----------
    limits : Limits
        What it may use.
    deadline : float
        When it must have ended, on the clock of `time.monotonic`.
    unsafe : bool, default False
        Run without a sandbox, with all the rights of the caller.

    Raises
    ------
    InfrastructureError
        If the sandbox does not start.
    """

    def __init__(self, limits: Limits, *, deadline: float, unsafe: bool = False):
        self._limits, self._deadline, self._unsafe = limits, deadline, unsafe
        self._reason: str | None = None  # why it was killed
        self._received, self._changed = bytearray(), threading.Condition()
        self._ended, self._gone = False, threading.Event()
        self._until = time.monotonic() + limits.start  # of the request under way
        self._printed, self._last_words = 0, b""
        self._number = 0  # of the last request
        self._process = self._start()
        self._threads = [
            threading.Thread(target=task, daemon=True)
            for task in (self._read_replies, self._read_output, self._watch)
        ]
        for thread in self._threads:
            thread.start()
        try:
            # Not bound by the deadline: whatever fails here is not the student's fault.
            self._ask({"op": "hello"}, time.monotonic() + limits.start)
        except (Killed, StudentError, wire.WireError) as error:
            self.close()
            said = self._last_words.decode("utf-8", "replace").strip()
            raise InfrastructureError(f"the sandbox did not start: {said or error}") from None

    def run_cell(self, source: str, name: str) -> None:
        """Run the code of a cell; raises `StudentError` or `Killed`."""
        self._ask({"op": "cell", "source": source, "name": name}, self._soon())

    def call(self, function: str, *args: object, **kwargs: object) -> Any:
        """Result of a function of the notebook; raises `StudentError` or `Killed`."""
        request = {
            "op": "call",
            "function": function,
            "args": wire.encode(list(args)),
            "kwargs": {name: wire.encode(value) for name, value in kwargs.items()},
        }
        reply = self._ask(request, self._soon())
        if reply.get("missing") is True:
            raise StudentError("missing")
        if "unusable" in reply:
            raise StudentError("unusable", str(reply["unusable"])[:80])
        try:
            return wire.decode(reply.get("value"))
        except wire.WireError as error:
            raise StudentError("unusable", str(error)) from None

    def settle(self) -> None:
        """See that the last request was answered only once; raises `Forged` or `Killed`."""
        self._ask({"op": "hello"}, self._soon())

    def close(self) -> None:
        """End the process and all that it started; returns when they are gone."""
        self._kill("closed")
        with contextlib.suppress(OSError):  # what is still to be written has no reader
            self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait()
        for thread in self._threads:
            # In the sandbox nobody is left who holds the pipes; without one, an orphan may.
            thread.join(timeout=1.0)

    # ---- one request ---------------------------------------------------------------------------

    def _soon(self) -> float:
        return min(time.monotonic() + self._limits.call, self._deadline)

    def _ask(self, request: dict, until: float) -> dict:
        if self._received:
            self._kill(FORGED)
            raise Forged(FORGED)
        last, self._number = self._number, secrets.randbits(64)
        number = self._number
        self._until = until
        try:
            self._process.stdin.write(wire.frame(number, request))  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        except (OSError, ValueError):
            self._give_up("its process ended")
        answered, length = wire.HEADER.unpack(self._take(wire.HEADER.size))
        if answered == last:
            self._kill(FORGED)
            raise Forged(FORGED)
        if answered != number:
            self._give_up(FORGED)
        if length > wire.MAX_BYTES:
            self._give_up(f"its result was larger than {wire.MAX_BYTES >> 20} MB")
        try:
            reply = wire.parse(self._take(length))
        except wire.WireError:
            self._give_up(FORGED)
        self._until = math.inf  # while the grader computes
        if "error" in reply:
            line = reply.get("line")
            raise StudentError(
                str(reply["error"])[:80],
                str(reply.get("text", ""))[:300],
                line if type(line) is int and 0 < line < 100_000 else None,
            )
        return reply

    def _take(self, size: int) -> bytes:
        """Next bytes of the replies; raises `Killed` if they do not come."""
        with self._changed:
            # Nothing is waited for in vain: the watch kills what is late.
            while len(self._received) < size and not self._ended and not self._reason:
                self._changed.wait()
            if len(self._received) < size:
                self._give_up("its process ended")
            taken = bytes(self._received[:size])
            del self._received[:size]
            self._changed.notify_all()
            return taken

    def _give_up(self, reason: str) -> NoReturn:
        self._kill(reason)
        raise Killed(self._reason)

    # ---- the process ---------------------------------------------------------------------------

    def _start(self) -> subprocess.Popen:
        limits = self._limits
        arguments = [
            json.dumps(
                {
                    "memory": limits.memory,
                    "processes": limits.processes,
                    "file_bytes": limits.file_bytes,
                    "files": limits.files,
                }
            )
        ]
        start = partial(
            subprocess.Popen,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            if self._unsafe:
                place = tempfile.gettempdir()
                environment = os.environ | sandbox.ENVIRONMENT | {"HOME": place}
                return start(sandbox.unsafe_command(arguments), env=environment, cwd=place)
            if (program := seccomp.program()) is None:
                return start(sandbox.command(arguments, None), cwd="/")
            filter_fd, end = os.pipe()
            os.write(end, program)  # far less than a pipe holds
            os.close(end)
            try:
                line = sandbox.command(arguments, filter_fd)
                return start(line, cwd="/", pass_fds=[filter_fd])
            finally:
                os.close(filter_fd)
        except OSError as error:
            raise InfrastructureError(f"the sandbox did not start: {error}") from None

    def _kill(self, reason: str) -> None:
        """Kill the process with all its descendants, and remember why (the first reason counts)."""
        with self._changed:
            self._reason = self._reason or reason
            self._gone.set()
            self._changed.notify_all()
        if self._process.poll() is not None:
            return
        if self._unsafe:
            self._process.kill()
            if hasattr(os, "killpg"):
                with contextlib.suppress(OSError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            return
        # The sandbox's first process takes all the others with it, and bwrap then ends by itself.
        # Killed the other way round, they would go, but nobody would know when.
        for pid in _children(self._process.pid):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()

    # ---- threads -------------------------------------------------------------------------------

    def _read_replies(self) -> None:
        pipe = self._process.stdout
        with pipe:  # type: ignore[union-attr]
            while chunk := os.read(pipe.fileno(), 1 << 16):  # type: ignore[union-attr]
                with self._changed:
                    self._received += chunk
                    self._changed.notify_all()
                    # No more than one reply is ever kept: a flood stays in the pipe.
                    while len(self._received) > wire.MAX_BYTES + (1 << 16) and not self._reason:
                        self._changed.wait(timeout=TICK)
                    if self._reason:
                        break
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read_output(self) -> None:
        pipe = self._process.stderr
        with pipe:  # type: ignore[union-attr]
            while chunk := os.read(pipe.fileno(), 1 << 16):  # type: ignore[union-attr]
                self._printed += len(chunk)
                self._last_words = (self._last_words + chunk)[-500:]
                if self._printed > self._limits.output:
                    self._kill(f"it printed more than {self._limits.output >> 20} MB")

    def _watch(self) -> None:
        """Kill what takes too long or too much memory."""
        limits = self._limits
        while not self._gone.wait(TICK) and self._process.poll() is None:
            if time.monotonic() > self._until:
                if self._until < self._deadline:
                    self._kill(f"it ran for more than {limits.call:g} seconds")
                else:
                    self._kill(f"all its {limits.total:g} seconds were used up")
            elif sys.platform == "linux" and _memory(self._process.pid) > limits.memory:
                self._kill(f"it used more than {limits.memory / (1 << 30):g} GB of memory")


def try_sandbox() -> None:
    """Start a sandbox with nothing in it; raises `NoSandbox` where that is not possible."""
    sandbox.bwrap()
    try:
        Student(Limits(), deadline=time.monotonic() + Limits.total).close()
    except InfrastructureError as error:
        raise NoSandbox(
            f"students' code runs only in a sandbox, and {error}. {REMEDIES} {sandbox.OR_UNSAFE}"
        ) from None


REMEDIES = (
    "Where unprivileged users may not make namespaces (Ubuntu 24.04), allow it with "
    "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0; in a container, start it with the "
    "right to make namespaces, or grade outside; Python and NumPy must be readable by others."
)


def _children(pid: int) -> list[int]:
    """Ids of the processes that a process has started and that still run."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # it may end while one looks
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def _memory(pid: int) -> int:
    """Bytes in memory of a process and all its descendants.

    Descendants, not the user's processes: as somebody other than root, the grader itself is one of
    those. An orphan stays a descendant, since the sandbox's first process adopts it.
    """
    total, page, todo, seen = 0, os.sysconf("SC_PAGE_SIZE"), [pid], set()
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        with contextlib.suppress(OSError, IndexError, ValueError):
            total += page * int(Path(f"/proc/{current}/statm").read_text().split()[1])
        todo += _children(current)
    return total
