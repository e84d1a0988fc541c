"""Measures how many submissions the grader grades per minute, and prints a table.

The lower bound (*floor*) is the time to start as many empty sandboxes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

from grader import assignment, batch
from grader.sandbox import Limits
from grader.student import Student


def seconds(work: Callable[[], object]) -> float:
    """Wall time of a function call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def start_only(number: int, jobs: int) -> None:
    """Start and end empty sandboxes."""

    def one(_: int) -> None:
        Student(Limits()).close()

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, range(number)))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", default=assignment.chapters(), metavar="CHAPTER")
    parser.add_argument("--submissions", type=int, default=40, help="submissions of each chapter")
    parser.add_argument("--rounds", type=int, default=3, help="of which medians are shown")
    parser.add_argument("--jobs", type=int, default=2, help="number graded at the same time")
    options = parser.parse_args()
    number, jobs = options.submissions, options.jobs

    print(f"{number} honest submissions, {jobs} at a time, {os.cpu_count()} processors")
    print(f"{'assignment':<14} {'a minute':>9} {'ms each':>8} {'times the floor':>16}")
    start_only(jobs, jobs)  # warm up: read Python and NumPy from disk
    for chapter in options.chapters:
        with tempfile.TemporaryDirectory() as place:
            submissions = Path(place, "in")
            submissions.mkdir()
            for student in range(number):
                master = assignment.folder(chapter) / "master.ipynb"
                shutil.copy(master, submissions / f"student {student}.ipynb")
            # Interleaved, so that a busy moment of the machine affects both times.
            rounds = [
                (
                    seconds(lambda: start_only(number, jobs)),
                    seconds(partial(batch.run, chapter, submissions, out, seed="s", jobs=jobs)),
                )
                for out in (Path(place, f"out {k}") for k in range(options.rounds))
            ]
        took = median(took for _, took in rounds)
        ratio = median(took / floor for floor, took in rounds)
        print(f"{chapter:<14} {60 * number / took:9.0f} {1000 * took / number:8.0f} {ratio:16.2f}")


if __name__ == "__main__":
    main()
