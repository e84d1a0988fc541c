"""The folder of results: what is wrong with it is said, and nothing in it is lost."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from grader import batch, report, results
from grader.__main__ import main
from grader.submissions import BatchError
from tests.grader.hostile.case import CHAPTER, HONEST, saved, solved
from tests.grader.notebooks import SEED, write_all
from tools.facts import ROOT

EMPTY = {"Ada": b"", "Bob": b""}  # notebooks that are graded without a sandbox


def grade(submissions, out, **options):
    return batch.run(CHAPTER, submissions, out, seed=SEED, unsafe=True, **options)


@pytest.fixture
def submissions(tmp_path):
    return write_all(tmp_path / "in", **EMPTY)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("a file", "a file is a file; give a folder for the results"),
        ("a file/below", "below cannot be written: Not a directory. Mend that, or choose another"),
    ],
)
def test_a_place_that_is_no_folder(tmp_path, submissions, seed_file, place, says, capsys):
    (tmp_path / "a file").write_text("x")
    command = ["run", CHAPTER, submissions, "--out", tmp_path / place, "--seed-file", seed_file]
    assert main([*map(str, command), "--unsafe"]) == 2
    assert says in capsys.readouterr().err
    assert (tmp_path / "a file").read_text() == "x"


def refuse(monkeypatch, function, number, code):
    """Let a function of `os` fail, first at this call and then always."""
    real, calls = getattr(os, function), []

    def fails(*args, **kwargs):
        calls.append(args)
        if len(calls) >= number:
            raise OSError(code, os.strerror(code))
        return real(*args, **kwargs)

    monkeypatch.setattr(os, function, fails)


@pytest.mark.parametrize(
    ("function", "code", "says"),
    [
        ("mkdir", errno.EROFS, "Read-only file system"),
        ("fsync", errno.ENOSPC, "No space left on device"),
        ("replace", errno.EDQUOT, "Disk quota exceeded"),
    ],
)
def test_a_folder_that_takes_no_file(tmp_path, submissions, monkeypatch, function, code, says):
    with monkeypatch.context() as patch:
        refuse(patch, function, 1, code)
        with pytest.raises(BatchError, match=f"cannot be written: {says}. Mend that"):
            grade(submissions, tmp_path / "out")
    assert grade(submissions, tmp_path / "out") == {"invalid": 2}


@pytest.mark.parametrize("writes", [2, 3, 4, 5])
def test_a_disk_that_fills_up(tmp_path, submissions, monkeypatch, writes):
    """The settings are the first file; then each student has feedback and a result."""
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        refuse(patch, "fsync", writes, errno.ENOSPC)
        with pytest.raises(BatchError, match=r"No space left.*run --resume continues"):
            grade(submissions, out)
    assert len(report.read(out)) == (writes - 2) // 2
    assert not [*out.rglob(".*.tmp"), *out.rglob(results.LOCK)]
    assert grade(submissions, out, resume=True) == {"invalid": 2}
    assert [result["student"] for result in report.read(out)] == ["Ada", "Bob"]


def test_a_disk_that_is_full_ends_what_is_being_graded(sandbox, tmp_path, monkeypatch):
    slow = saved(solved(before="while True:\n    pass"))
    submissions = write_all(tmp_path / "in", Ada=b"\n", slow=slow)
    refuse(monkeypatch, "fsync", 2, errno.ENOSPC)
    start = time.monotonic()
    with pytest.raises(BatchError, match="No space left"):
        batch.run(CHAPTER, submissions, tmp_path / "out", seed=SEED, jobs=2)
    assert time.monotonic() - start < 8  # the endless loop alone would take 10


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", "[" * 100_000, b"\xff", "{}", '{"chapter": "mse"}']
)
def test_settings_that_are_damaged(tmp_path, submissions, content):
    out = tmp_path / "out"
    grade(submissions, out)
    content = content if isinstance(content, bytes) else content.encode()
    (out / results.BATCH).write_bytes(content)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for resume in (False, True):
        with pytest.raises(BatchError, match=r"give another --out|give --resume"):
            grade(submissions, out, resume=resume)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_files_of_a_run_that_died_early(tmp_path, submissions):
    out = tmp_path / "out"
    (out / "feedback").mkdir(parents=True)
    (out / "feedback").rmdir()
    (out / ".123-456.tmp").write_text("{")
    (out / results.LOCK).write_text("process 1 on a machine that has crashed\n")
    assert grade(submissions, out) == {"invalid": 2}
    assert {path.name for path in out.iterdir()} == {
        results.BATCH,
        "feedback",
        "Ada.json",
        "Bob.json",
    }


def test_a_temporary_file_of_another_program_is_kept(tmp_path, submissions):
    out = tmp_path / "out"
    out.mkdir()
    (out / ".precious.tmp").write_text("precious")
    with pytest.raises(BatchError, match=r"holds \.precious\.tmp; give another --out"):
        grade(submissions, out)
    assert (out / ".precious.tmp").read_text() == "precious"


def test_two_runs_at_a_time(tmp_path, submissions):
    out = tmp_path / "out"
    refusals = []

    def again(result):
        for resume in (False, True):
            with pytest.raises(BatchError) as refusal:
                grade(submissions, out, resume=resume)
            refusals.append(str(refusal.value))

    assert grade(submissions, out, on_result=again) == {"invalid": 2}
    assert len(refusals) == 4
    assert all(f"is in use by another run (process {os.getpid()} on" in said for said in refusals)
    assert not (out / results.LOCK).exists()


def test_the_lock_of_a_run_that_was_replaced_meanwhile(tmp_path, monkeypatch):
    """The file is removed and made anew between opening and locking it, as another run does."""
    real, opened = results.fcntl.flock, []

    def replaces(file, operation):
        opened.append(file)
        if len(opened) == 1:
            (tmp_path / results.LOCK).unlink()
        return real(file, operation)

    monkeypatch.setattr(results.fcntl, "flock", replaces)
    with results.locked(tmp_path):
        assert len(opened) == 2
        assert "process" in (tmp_path / results.LOCK).read_text()


def test_results_among_the_submissions(tmp_path, submissions):
    """The next run would take their folder for a student."""
    with pytest.raises(BatchError, match=r"lies in .*; give another --out"):
        grade(submissions, submissions / "out")
    assert {path.name for path in submissions.iterdir()} == {"Ada.ipynb", "Bob.ipynb"}


def test_a_student_who_withdraws_leaves_the_report(tmp_path, submissions, capsys):
    out = tmp_path / "out"
    grade(submissions, out, write_gradescope=True)
    (submissions / "Bob.ipynb").unlink()
    grade(submissions, out, resume=True)
    assert f"no longer handed in, so moved to {out / 'withdrawn'}: Bob" in capsys.readouterr().err
    assert [result["student"] for result in report.read(out)] == ["Ada"]
    assert [path.name for path in (out / "feedback").iterdir()] == ["Ada.md"]
    assert [path.name for path in (out / "gradescope").iterdir()] == ["Ada"]
    kept = (out / "withdrawn" / name for name in ("Bob.json", "feedback/Bob.md"))
    assert all(path.is_file() for path in kept)
    write_all(submissions, Bob=b"")
    assert grade(submissions, out, resume=True) == {"invalid": 2}
    assert [result["student"] for result in report.read(out)] == ["Ada", "Bob"]


@pytest.mark.parametrize("damage", ["[]", "null", '{"student": "Ada"}', '{"status": "odd"}'])
def test_a_result_that_is_damaged_is_graded_again(tmp_path, submissions, damage):
    out = tmp_path / "out"
    grade(submissions, out)
    (out / "Ada.json").write_text(damage)
    with pytest.raises(BatchError, match=r"Ada\.json is not a result; delete it"):
        report.read(out)
    grade(submissions, out, resume=True)
    assert len(report.read(out)) == 2


@pytest.mark.parametrize("unsafe", [[], ["--unsafe"]])
def test_ctrl_c_ends_the_run_at_once(sandbox, tmp_path, seed_file, unsafe):
    """All its notebooks loop for ever; each would take 10 seconds and more."""
    endless = saved(solved(before="while True:\n    pass"))
    submissions = write_all(tmp_path / "in", Ada=endless, Bob=endless, Carl=endless, A=b"")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "grader", "run", CHAPTER, submissions, "--out", out]
    process = subprocess.Popen(
        [*command, "--seed-file", seed_file, "--jobs", "2", *unsafe],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (out / "A.json").exists():
        assert process.poll() is None, "it ended before it could be interrupted"
        time.sleep(0.05)
    time.sleep(1)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    took = time.monotonic() - start
    assert process.returncode == 130
    assert "interrupted; finished results are kept, and run --resume continues" in said
    assert "Traceback" not in said
    assert took < 5  # a second, unless the machine is busy
    assert not (out / results.LOCK).exists()
    assert [result["student"] for result in report.read(out)] == ["A"]


def test_resuming_after_an_interruption_grades_the_rest(sandbox, tmp_path):
    submissions, out = write_all(tmp_path / "in", done=b"", honest=HONEST), tmp_path / "out"

    def interrupts(result):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch.run(CHAPTER, submissions, out, seed=SEED, on_result=interrupts)
    assert batch.run(CHAPTER, submissions, out, seed=SEED, resume=True) == {"invalid": 1, "ok": 1}
