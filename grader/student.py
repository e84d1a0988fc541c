"""The trusted end of the pipe: starts a student's process, sends requests, enforces limits."""

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

TICK = 0.05  # seconds between checks of time and memory
FORGED = "it forged a reply to the grader"
INTERRUPTED = "grading was interrupted"
_worker = threading.local()


def stop_on(event: threading.Event) -> None:
    """Let students' processes of this thread end, and no other start, once an event is set."""
    _worker.stop = event


class StudentError(Exception):
    """The student's code raised an exception, or returned a value that is not allowed."""

    def __init__(self, kind: str, text: str = "", line: int | None = None):
        super().__init__(f"{kind}: {text}" if text else kind)
        self.kind, self.text, self.line = kind, text, line


class Killed(Exception):
    """The student's process was killed; the message names the limit or rule that it broke."""


class Forged(Killed):
    """The previous request was answered more than once, so its first answer was forged."""


class InfrastructureError(Exception):
    """The sandbox failed before any of the student's code ran: not the student's fault."""


class Student:
    """A process that runs a student's notebook.

    Each request carries a random number that its reply must repeat, and the pipe must be empty when
    a request is sent. So a reply that was written in advance is detected at once, and a second
    reply when the next request is answered.

    Parameters
    ----------
    limits : Limits
        Time and memory for the process.
    deadline : float
        When it must end, on the clock of `time.monotonic`.
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
        self._until = time.monotonic() + limits.start  # deadline of the current request
        self._printed, self._last_output = 0, b""
        self._number = 0  # random number of the last request
        self._stop = getattr(_worker, "stop", None) or threading.Event()
        if self._stop.is_set():
            raise InfrastructureError(INTERRUPTED)
        self._process = self._start()
        self._threads = [
            threading.Thread(target=task, daemon=True)
            for task in (self._read_replies, self._read_output, self._watch)
        ]
        for thread in self._threads:
            thread.start()
        try:
            # The student's deadline does not count here: no student's code has run yet.
            self._ask({"op": "hello"}, time.monotonic() + limits.start)
        except (Killed, StudentError, wire.WireError) as error:
            self.close()
            output = self._last_output.decode("utf-8", "replace").strip()
            raise InfrastructureError(f"the sandbox did not start: {output or error}") from None

    def run_cell(self, source: str, name: str) -> None:
        """Run the code of a cell; raises `StudentError` or `Killed`."""
        self._ask({"op": "cell", "source": source, "name": name}, self._request_deadline())

    def call(self, function: str, *args: object, **kwargs: object) -> Any:
        """Call a function of the notebook; raises `StudentError` or `Killed`."""
        request = {
            "op": "call",
            "function": function,
            "args": wire.encode(list(args)),
            "kwargs": {name: wire.encode(value) for name, value in kwargs.items()},
        }
        reply = self._ask(request, self._request_deadline())
        if reply.get("missing") is True:
            raise StudentError("missing")
        if "unusable" in reply:
            raise StudentError("unusable", wire.text(reply["unusable"], 80))
        try:
            return wire.decode(reply.get("value"))
        except wire.WireError as error:
            raise StudentError("unusable", str(error)) from None

    def settle(self) -> None:
        """Check that the last request was answered only once; raises `Forged` or `Killed`."""
        self._ask({"op": "hello"}, self._request_deadline())

    def close(self) -> None:
        """End the process and all that it started; returns when they are gone."""
        self._kill("closed")
        with contextlib.suppress(OSError):  # flushing fails, since nobody reads any more
            self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait()
        for thread in self._threads:
            # With --unsafe an orphan may still hold the pipes, so do not wait without a limit.
            thread.join(timeout=1.0)

    # ---- one request ---------------------------------------------------------------------------

    def _request_deadline(self) -> float:
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
        self._until = math.inf  # no limit while the grader computes
        if "error" in reply:
            line = reply.get("line")
            raise StudentError(
                wire.text(reply["error"], 80),
                wire.text(reply.get("text"), 300),
                line if type(line) is int and 0 < line < 100_000 else None,
            )
        return reply

    def _take(self, size: int) -> bytes:
        """Next bytes of the replies; raises `Killed` if they do not come."""
        with self._changed:
            # This ends: the watch thread kills a process that is late, and notifies.
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
            os.write(end, program)  # fits into the pipe's buffer
            os.close(end)
            try:
                line = sandbox.command(arguments, filter_fd)
                return start(line, cwd="/", pass_fds=[filter_fd])
            finally:
                os.close(filter_fd)
        except OSError as error:
            raise InfrastructureError(f"the sandbox did not start: {error}") from None

    def _kill(self, reason: str) -> None:
        """Kill the process and all its descendants; keep the first reason."""
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
        # When the sandbox's first process dies, the kernel kills all others in it, and bwrap ends
        # after them. If bwrap were killed first, we could not wait for the others to end.
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
                    # Keep at most one reply in memory; a flood of them stays in the pipe.
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
                self._last_output = (self._last_output + chunk)[-500:]
                if self._printed > self._limits.output:
                    self._kill(f"it printed more than {self._limits.output >> 20} MB")

    def _watch(self) -> None:
        """Kill the process if it takes too much time or memory."""
        limits = self._limits
        while not self._gone.wait(TICK) and self._process.poll() is None:
            if self._stop.is_set():
                self._kill(INTERRUPTED)
            elif time.monotonic() > self._until:
                if self._until < self._deadline:
                    self._kill(f"it ran for more than {limits.call:g} seconds")
                else:
                    self._kill(f"all its {limits.total:g} seconds were used up")
            elif sys.platform == "linux" and _memory(self._process.pid) > limits.memory:
                self._kill(f"it used more than {limits.memory / (1 << 30):g} GB of memory")


def try_sandbox() -> None:
    """Start and end an empty sandbox; raises `NoSandbox` if that fails."""
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
    """Ids of the running child processes of a process."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # the process may end meanwhile
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def _memory(pid: int) -> int:
    """Bytes in memory of a process and all its descendants.

    Counting all processes of the user would include the grader itself. Orphans are counted, since
    the sandbox's first process adopts them.
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
