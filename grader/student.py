"""The trusted end of the pipe: starts a student's process, sends requests, enforces limits."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from . import sandbox, usage, wire
from .sandbox import Limits, NoSandbox
from .usage import Usage

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


@dataclass
class Spent:
    """What a submission has spent of its `Limits.total` and `Limits.total_wall`.

    Attributes
    ----------
    own, wall : float
        Seconds, in all its processes so far.
    late : bool
        Whether it was stopped since the machine was too busy, so that it must be graded again.
    """

    own: float = 0.0
    wall: float = 0.0
    late: bool = False

    def excess(self, limits: Limits) -> str:
        """Say which limit a submission that has spent this exceeds, or return an empty text."""
        if self.own > limits.total:
            return f"all its {limits.total:g} seconds were used up"
        if self.wall > limits.total_wall:
            self.late = True
            return f"it took longer than {limits.total_wall:g} seconds in all, on a busy machine"
        return ""


def own_time(wall: float, processor: float, waited: float) -> float:
    """Return the seconds to charge: sleeping counts, waiting for a busy machine does not.

    `wall` are the seconds that passed, `processor` the ones in which the processes ran, and
    `waited` the ones in which the machine kept them from running.
    """
    return max(processor, wall - waited)


class Student:
    """A process that runs a student's notebook.

    Each request carries a random number that its reply must repeat, and the pipe must be empty when
    a request is sent. So a reply that was written in advance is detected at once, and a second
    reply when the next request is answered.

    Parameters
    ----------
    limits : Limits
        Time and memory for the process.
    spent : Spent, optional
        What earlier processes of the same submission have spent; this one adds to it.
    unsafe : bool, default False
        Run without a sandbox, with all the rights of the caller.

    Raises
    ------
    InfrastructureError
        If the sandbox does not start.
    """

    def __init__(self, limits: Limits, *, spent: Spent | None = None, unsafe: bool = False):
        self._limits, self._spent, self._unsafe = limits, spent or Spent(), unsafe
        self._reason: str | None = None  # why it was killed
        self._received, self._changed = bytearray(), threading.Condition()
        self._ended, self._gone = False, threading.Event()
        self._before = replace(self._spent)
        self._wall = 0.0  # seconds of the requests that are answered
        self._started = False  # whether student's code may have run
        self._asked: float | None = None  # when the current request was sent
        self._printed, self._last_output = 0, b""
        self._number = 0  # random number of the last request
        self._stop = getattr(_worker, "stop", None) or threading.Event()
        if self._stop.is_set():
            raise InfrastructureError(INTERRUPTED)
        self._process = self._start()
        self._used = usage.measure(self.pid)
        self._threads = [
            threading.Thread(target=task, daemon=True)
            for task in (self._read_replies, self._read_output, self._watch)
        ]
        for thread in self._threads:
            thread.start()
        try:
            self._ask({"op": "hello"})
            self._started = True
        except (Killed, StudentError, wire.WireError) as error:
            self.close()
            output = self._last_output.decode("utf-8", "replace").strip()
            raise InfrastructureError(f"the sandbox did not start: {output or error}") from None

    @property
    def pid(self) -> int:
        """Id of the first process of the sandbox; all others descend from it."""
        return self._process.pid

    def run_cell(self, source: str, name: str) -> None:
        """Run the code of a cell; raises `StudentError` or `Killed`."""
        self._ask({"op": "cell", "source": source, "name": name})

    def call(self, function: str, *args: object, **kwargs: object) -> Any:
        """Call a function of the notebook; raises `StudentError` or `Killed`."""
        request = {
            "op": "call",
            "function": function,
            "args": wire.encode(list(args)),
            "kwargs": {name: wire.encode(value) for name, value in kwargs.items()},
        }
        reply = self._ask(request)
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
        self._ask({"op": "hello"})

    def close(self) -> None:
        """End the process and all that it started; returns when they are gone."""
        self._account()
        self._kill("closed")
        with contextlib.suppress(OSError):  # flushing fails, since nobody reads any more
            self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait()
        for thread in self._threads:
            # With --unsafe an orphan may still hold the pipes, so do not wait without a limit.
            thread.join(timeout=1.0)

    # ---- one request ---------------------------------------------------------------------------

    def _ask(self, request: dict) -> dict:
        self._asked = time.monotonic()
        try:
            return self._exchange(request)
        finally:  # no limit of time while the grader computes
            with self._changed:
                self._wall += time.monotonic() - self._asked
                self._asked = None

    def _exchange(self, request: dict) -> dict:
        if self._received:
            self._kill(FORGED)
            raise Forged(FORGED)
        last, self._number = self._number, secrets.randbits(64)
        number = self._number
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
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        try:
            if not self._unsafe:
                return sandbox.start(arguments, **pipes)
            place = tempfile.gettempdir()
            return subprocess.Popen(
                sandbox.unsafe_command(arguments),
                env=os.environ | sandbox.ENVIRONMENT | {"HOME": place},
                cwd=place,
                start_new_session=True,
                **pipes,
            )
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
                    os.killpg(self.pid, signal.SIGKILL)
            return
        # When the sandbox's first process dies, the kernel kills all others in it, and bwrap ends
        # after them. If bwrap were killed first, we could not wait for the others to end.
        for pid in usage.children(self.pid):
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
        """Kill the process if it takes too much time, memory or files."""
        asked, ready, first = None, self._used, self._used
        while not self._gone.wait(TICK) and self._process.poll() is None:
            if self._stop.is_set():
                self._kill(INTERRUPTED)
                return
            before, used = self._used, self._account()
            if self._asked != asked:
                # In doubt for the student: waiting counts from before the request, work from now.
                asked, ready, first = self._asked, before, used
            passed = time.monotonic() - asked if asked else 0.0
            own = own_time(passed, used.processor - first.processor, used.waited - ready.waited)
            if why := self._excess(passed, own):
                self._kill(why)

    def _excess(self, passed: float, own: float) -> str:
        """Limit that the process exceeds, or an empty text; times are of the current request."""
        limits, spent, used = self._limits, self._spent, self._used
        if not self._started:
            seconds = limits.start
            return f"it did not answer within {seconds:g} seconds" if passed > seconds else ""
        if used.memory > limits.memory:
            return f"it used more than {limits.memory / (1 << 30):g} GB of memory"
        if not self._unsafe and usage.files(self.pid) > limits.file_count:
            return f"it made more than {limits.file_count} files"
        if own > limits.call:
            return f"it ran for more than {limits.call:g} seconds"
        if why := spent.excess(limits):
            return why
        if passed > limits.call_wall:
            spent.late = True
            return f"it took longer than {limits.call_wall:g} seconds, on a busy machine"
        return ""

    def _account(self) -> Usage:
        """Measure what the process has used, and add it to what the submission has spent."""
        with self._changed:
            self._used = usage.measure(self.pid, self._used)
            now = time.monotonic()
            wall = self._wall + (now - self._asked if self._asked else 0.0)
            self._spent.wall = self._before.wall + wall
            self._spent.own = self._before.own + own_time(
                wall, self._used.processor, self._used.waited
            )
            return self._used


def try_sandbox() -> None:
    """Start and end an empty sandbox; raises `NoSandbox` if that fails."""
    sandbox.bwrap()
    try:
        Student(Limits()).close()
    except InfrastructureError as error:
        raise NoSandbox(
            f"students' code runs only in a sandbox, and {error}. {REMEDIES} {sandbox.OR_UNSAFE}"
        ) from None


REMEDIES = (
    "Where unprivileged users may not make namespaces (Ubuntu 24.04), allow it with "
    "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0; in a container, start it with the "
    "right to make namespaces, or grade outside; Python and NumPy must be readable by others."
)
