"""What the processes of a sandbox use, as /proc tells; nothing on systems that have no /proc."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

PRESSURE = ("io", "memory")
KEPT = re.compile(rb"Vm(?:RSS|Swap|PTE):\s*(\d+)")  # in memory, swapped out, page tables: kB


@dataclass(frozen=True)
class Usage:
    """What a process and all its descendants use.

    Attributes
    ----------
    processor : float
        Processor seconds, of processes that have ended too if their parents waited for them.
    waited : float
        Seconds since the first measurement in which one of them was ready to run but had no
        processor, or in which the machine waited for disks or memory.
    memory : int
        Bytes of memory, swapped out ones included.
    delays, stalled : dict, int
        What `waited` is computed from: nanoseconds for each thread, microseconds.
    """

    processor: float = 0.0
    waited: float = 0.0
    memory: int = 0
    delays: dict[str, int] = field(default_factory=dict)
    stalled: int = 0


def measure(pid: int, before: Usage | None = None) -> Usage:
    """Measure a process and all its descendants; `before` is the last measurement.

    Orphans are counted, since the sandbox's first process adopts them. Counting all processes of
    the user would include the grader itself.
    """
    ticks, delays, kilobytes = 0, {}, 0
    for process in family(pid):
        folder = Path(f"/proc/{process}")
        with contextlib.suppress(OSError, IndexError, ValueError):  # it may end meanwhile
            # The name in parentheses may hold anything; fields 14 to 17 are the times.
            fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
            ticks += sum(map(int, fields[11:15]))
            kilobytes += sum(map(int, KEPT.findall((folder / "status").read_bytes())))
            for task in (folder / "task").iterdir():
                delays[task.name] = int((task / "schedstat").read_bytes().split()[1])
    processor = ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0
    stalled = sum(map(_stalled, PRESSURE))
    waited = 0.0
    if before is not None:
        # The thread that waited longest since then, which need not be the one of the time before.
        # New ones are left out, so that to start many of them does not stretch the time.
        old = before.delays
        longest = max((delays[task] - old[task] for task in delays if task in old), default=0)
        waited = before.waited + longest / 1e9 + (stalled - before.stalled) / 1e6
        processor = max(processor, before.processor)  # less may be known of ended processes
    return Usage(processor, waited, kilobytes << 10, delays, stalled)


def children(pid: int) -> list[int]:
    """Ids of the running child processes of a process."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # the process may end meanwhile
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def files(pid: int) -> int:
    """Number of files and folders in the temporary folder of the sandbox that a process started.

    Each takes kernel memory, even if it is empty, and bubblewrap has no option that limits them.
    """
    for child in children(pid):
        with contextlib.suppress(OSError):
            system = os.statvfs(f"/proc/{child}/root/tmp")
            return system.f_files - system.f_ffree
    return 0


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for process in found:  # which grows meanwhile
        found += [child for child in children(process) if child not in found]
    return found


def _stalled(resource: str) -> int:
    """Microseconds in which some process on the machine waited for a resource."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/pressure/{resource}").read_bytes().split(b"\n")[0].split(b"=")[-1])
    return 0
