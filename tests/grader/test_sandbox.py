"""The sandbox as the grader sees it from outside."""

import time
from pathlib import Path

import pytest

from grader import seccomp, usage
from grader.sandbox import Limits
from grader.student import Killed, Student


@pytest.mark.parametrize("filtered", [True, False])
def test_no_process_of_it_has_the_environment_of_the_grader(sandbox, monkeypatch, filtered):
    monkeypatch.setenv("GRADER_SEED", "a seed in the environment")
    if not filtered:  # as on other processors
        monkeypatch.setattr(seccomp, "program", lambda: None)
    student = Student(Limits())
    family = usage.family(student.pid)
    environments = [Path(f"/proc/{process}/environ").read_bytes() for process in family]
    student.close()
    assert len(family) >= 3
    assert all(b"HOME=/tmp" in environment for environment in environments)
    assert not any(b"a seed" in environment for environment in environments)


def test_files_are_counted_from_outside(sandbox):
    student = Student(Limits())
    student.run_cell("for k in range(50): open(f'/tmp/{k}', 'w')", "<cell 1>")
    counted = usage.files(student.pid)
    student.close()
    assert 50 <= counted < 60


def test_limits_hold_while_the_grader_computes(sandbox):
    student = Student(Limits(total=0.5))
    student.run_cell("import os\nif os.fork() == 0:\n    while True: pass", "<cell 1>")
    end = time.monotonic() + 60
    while usage.children(student.pid):
        assert time.monotonic() < end
        time.sleep(0.05)
    with pytest.raises(Killed, match="seconds were used up"):
        student.run_cell("pass", "<cell 2>")
    student.close()
