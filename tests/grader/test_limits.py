"""Limits of time: what the machine does besides costs nobody points."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from grader import batch, grading, usage
from grader.batch import Submission
from grader.sandbox import Limits
from grader.student import Killed, Spent, Student, own_time
from tests.grader.hostile.case import CHAPTER, answer, cell
from tests.grader.notebooks import SEED

SPIN = "import time\nend = time.process_time() + {}\nwhile time.process_time() < end: pass\n"


@pytest.fixture
def spinning():
    """Start processes that use a processor for some seconds; they are ended at last."""
    started = []

    def start(code, number=1):
        for _ in range(number):
            started.append(subprocess.Popen([sys.executable, "-c", code]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("wall", "processor", "waited", "own"),
    [
        (5.0, 5.0, 0.0, 5.0),  # works, on a quiet machine
        (5.0, 1.0, 4.0, 1.0),  # works, and waits for a processor most of the time
        (5.0, 0.0, 0.0, 5.0),  # sleeps
        (5.0, 9.0, 0.0, 9.0),  # works in two processes
    ],
)
def test_own_time_leaves_out_waiting_for_the_machine(wall, processor, waited, own):
    assert own_time(wall, processor, waited) == own


@pytest.mark.skipif(sys.platform != "linux", reason="/proc exists on Linux only")
def test_time_of_children_counts_while_they_run_and_after(spinning):
    code = (
        "import subprocess, sys, time\n"
        f"spin = {SPIN.format(0.2)!r}\n"
        "subprocess.run([sys.executable, '-c', spin])\n"
        "subprocess.Popen([sys.executable, '-c', spin + 'time.sleep(100)']).wait()"
    )
    process = spinning(code)
    end = time.monotonic() + 60
    while usage.measure(process.pid).processor < 0.4:
        assert time.monotonic() < end
        time.sleep(0.02)
    (child,) = usage.children(process.pid)
    os.kill(child, 9)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc exists on Linux only")
def test_waiting_for_a_processor_is_measured(spinning):
    def processes():
        return [spinning("while True: pass") for _ in range(3)]

    one, *others = processes()
    for process in (one, *others):
        os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
    before = usage.measure(one.pid)
    time.sleep(0.6)
    after = usage.measure(one.pid, before)
    assert after.waited - before.waited > 0.2
    assert after.processor - before.processor < 0.4


def test_what_is_spent_goes_on_in_the_next_process(sandbox):
    spent = Spent()
    for _ in range(2):
        student = Student(Limits(), spent=spent)
        student.run_cell(SPIN.format(0.2), "<cell 1>")
        student.close()
    assert spent.own > 0.4
    assert spent.wall > 0.4
    assert not spent.late


def test_the_wall_clock_makes_late(sandbox):
    spent = Spent()
    student = Student(Limits(call_wall=0.1), spent=spent)
    with pytest.raises(Killed, match="seconds, on a busy machine"):
        student.run_cell("import time\ntime.sleep(9)", "<cell 1>")
    student.close()
    assert spent.late


def test_many_short_processes_use_up_the_time(sandbox, tmp_path):
    file = tmp_path / "x.ipynb"
    file.write_bytes(cell("os._exit(0)").content)
    result = grading.grade(file, CHAPTER, seed=SEED, limits=Limits(total=0.01))
    assert (result["score"], result["late"]) == (0, False)
    assert "seconds were used up" in result["detail"]


def test_who_is_late_is_graded_once_more_alone_after_the_others():
    lock, running, calls = threading.Lock(), [], []

    def task(path, student):
        with lock:
            running.append(student)
            calls.append((student, len(running)))
        time.sleep(0.01)
        first = [name for name, _ in calls].count(student) == 1
        with lock:
            running.remove(student)
        return {"student": student, "late": student in ("b", "d") and first}

    todo = [Submission(name, Path(name)) for name in "abcdef"]
    graded = [(s.student, result) for s, result in batch._locally(task, todo, jobs=4)]
    assert sorted(name for name, _ in graded) == list("abcdef")
    assert not any(result["late"] for _, result in graded)
    assert sorted(calls[6:]) == [("b", 1), ("d", 1)]
    assert sorted(name for name, _ in graded[4:]) == ["b", "d"]


def test_who_is_late_again_keeps_the_result(sandbox, tmp_path):
    submissions = tmp_path / "submissions"
    submissions.mkdir()
    (submissions / "Ada.ipynb").write_bytes(answer("time.sleep(9)").content)
    seen = []
    count = batch.run(
        CHAPTER,
        submissions,
        tmp_path / "out",
        seed=SEED,
        limits=Limits(call_wall=0.3),
        on_result=seen.append,
    )
    assert count == {"killed": 1}
    (result,) = seen
    assert result["late"]
    assert result["score"] == 17
