"""A folder of submissions: every name, every interruption, every machine gives the same grades."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import distributed
import pytest

from grader import assignment, batch, grading, report, sandbox
from grader.__main__ import main
from grader.batch import file_name, find
from grader.student import InfrastructureError
from tests.grader.hostile import CASES, CHAPTER, saved, solved
from tests.grader.notebooks import SEED
from tools.facts import ROOT

HONEST = saved(solved())
NAMES = [
    "Anna",
    "anna",
    "two words",
    " leading space",
    "new\nline",
    "..",
    "",
    "../x".replace("/", "%2F"),
    ".hidden"[1:],
    "-rf",
    "=1+1",
    'O\'Brien, "Pat"',
    "Ægir Þór 北京 🙂",
    "a" * 240,
    "<script>alert(1)<!--",
    "`code` *bold*",
    "results",
    "$(reboot);&|",
    os.fsdecode(b"not \xff utf-8"),
]


def write_all(folder, **content):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / f"{name}.ipynb").write_bytes(data)
    return folder


def run(*arguments):
    return main(["run", CHAPTER, *map(str, arguments)])


@pytest.fixture
def seed_file(tmp_path):
    file = tmp_path / "seed.txt"
    file.write_text(SEED + "\n")
    return file


class TestNames:
    def test_each_student_is_graded_under_the_own_name(self, tmp_path, sandbox, seed_file):
        submissions, out = (
            write_all(tmp_path / "in", **dict.fromkeys(NAMES, HONEST)),
            tmp_path / "out",
        )
        assert run(submissions, "--out", out, "--seed-file", seed_file) == 0
        assert main(["report", str(out)]) == 0
        with open(out / "grades.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        expected = sorted(
            (name or ".ipynb").encode("utf-8", "backslashreplace").decode() for name in NAMES
        )
        assert sorted(row["student"].removeprefix("'") for row in rows) == expected
        assert {row["score"] for row in rows} == {"20"}
        assert "'=1+1" in [row["student"] for row in rows], "a spreadsheet would compute it"
        assert "<script" not in (out / "summary.html").read_text("utf-8")
        assert not [
            path for path in tmp_path.iterdir() if path.name not in ("in", "out", "seed.txt")
        ]

    def test_file_names_are_safe_and_differ(self):
        odd = [*NAMES, "", ".", "../../etc/passwd", "a/b", "a%2Fb", "a" * 241, "a\0b", "%"]
        files = [file_name(name) for name in odd]
        assert len(set(files)) == len(set(odd))
        for name in files:
            assert 0 < len(name.encode()) < 200
            assert not set("/\\\0\n") & set(name)
            assert not name.startswith(".")

    def test_what_archives_bring_along_is_left_out(self, tmp_path):
        write_all(tmp_path, honest=HONEST, **{"._honest": b"\0\5"})
        write_all(tmp_path / "__MACOSX", honest=HONEST)
        write_all(tmp_path / ".ipynb_checkpoints", honest=HONEST)
        assert [s.student for s in find(tmp_path, CHAPTER)] == ["honest"]

    def test_folders_of_students(self, tmp_path):
        write_all(tmp_path / "one", anything=HONEST)
        write_all(tmp_path / "two" / "deep", **{CHAPTER: HONEST, "other": HONEST})
        write_all(tmp_path / "three" / ".ipynb_checkpoints", **{CHAPTER: HONEST})
        write_all(tmp_path / "four", a=HONEST, b=HONEST)
        write_all(tmp_path, four=HONEST, five=HONEST)
        (tmp_path / "notes.txt").write_text("no submission")
        found = {s.student: (s.path.name, s.problem) for s in find(tmp_path, CHAPTER)}
        assert list(found) == ["five", "four", "one", "three", "two"]
        assert found["one"] == ("anything.ipynb", "")
        assert found["two"] == (f"{CHAPTER}.ipynb", "")
        assert found["five"] == ("five.ipynb", "")
        assert "0 notebooks" in found["three"][1]
        assert "a file and a folder of this name" in found["four"][1]

    def test_a_link_to_a_folder_is_not_followed(self, tmp_path):
        write_all(tmp_path / "elsewhere", **{CHAPTER: HONEST})
        write_all(tmp_path / "in", honest=HONEST)
        (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
        assert [s.student for s in find(tmp_path / "in", CHAPTER)] == ["honest"]

    def test_a_named_pipe_keeps_nobody_waiting(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.ipynb")
        result = grading.grade(tmp_path / "pipe.ipynb", CHAPTER, seed=SEED)
        assert (result["status"], result["score"]) == ("invalid", 0)


class TestMistakesOfTheTeacher:
    @pytest.fixture
    def submissions(self, tmp_path):
        return write_all(tmp_path / "in", honest=HONEST)

    def test_no_seed(self, tmp_path, submissions, monkeypatch, capsys):
        monkeypatch.delenv("GRADER_SEED", raising=False)
        assert run(submissions, "--out", tmp_path / "out") == 2
        assert "secrets.token_hex()" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("content", ["", " \n"])
    def test_empty_seed(self, tmp_path, submissions, content, capsys):
        (tmp_path / "seed").write_text(content)
        assert run(submissions, "--out", tmp_path / "out", "--seed-file", tmp_path / "seed") == 2
        assert "seed is empty" in capsys.readouterr().err

    def test_unknown_chapter(self, tmp_path, submissions, seed_file, capsys):
        arguments = ["run", "mes", str(submissions), "--out", str(tmp_path / "out")]
        assert main([*arguments, "--seed-file", str(seed_file)]) == 2
        assert "there is no assignment 'mes'; there are bce" in capsys.readouterr().err

    def test_no_submissions(self, tmp_path, seed_file, sandbox, capsys):
        for folder in (tmp_path / "missing", tmp_path):
            assert run(folder, "--out", tmp_path / "out", "--seed-file", seed_file) == 2
        said = capsys.readouterr().err
        assert "is not a folder" in said
        assert "holds no submission" in said

    def test_results_of_another_run_are_not_overwritten(
        self, tmp_path, submissions, seed_file, sandbox, capsys
    ):
        out = tmp_path / "out"
        arguments = (submissions, "--out", out, "--seed-file", seed_file)
        assert run(*arguments) == 0
        before = {path: path.read_bytes() for path in out.glob("*.json")}
        assert run(*arguments) == 2
        seed_file.write_text("another")
        assert run(*arguments, "--resume") == 2
        said = capsys.readouterr().err
        assert "give --resume to go on" in said
        assert "graded with another seed" in said
        assert {path: path.read_bytes() for path in out.glob("*.json")} == before

    def test_foreign_folder_is_not_filled(self, tmp_path, submissions, seed_file, sandbox, capsys):
        assert run(submissions, "--out", submissions, "--seed-file", seed_file) == 2
        assert "is not empty" in capsys.readouterr().err
        assert [path.name for path in submissions.iterdir()] == ["honest.ipynb"]

    def test_dask_without_a_scheduler(self, tmp_path, submissions, seed_file, capsys):
        arguments = (submissions, "--out", tmp_path / "out", "--seed-file", seed_file)
        assert run(*arguments, "--executor", "dask") == 2
        assert "go together" in capsys.readouterr().err

    def test_no_sandbox(self, tmp_path, submissions, seed_file, monkeypatch, capsys):
        monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
        sandbox.bwrap.cache_clear()
        try:
            arguments = (submissions, "--out", tmp_path / "out", "--seed-file", seed_file)
            assert run(*arguments) == 2
        finally:
            monkeypatch.undo()
            sandbox.bwrap.cache_clear()
        said = capsys.readouterr().err
        assert "apt-get install bubblewrap" in said
        assert "--unsafe" in said

    def test_sandbox_that_does_not_start(
        self, tmp_path, submissions, seed_file, sandbox, monkeypatch, capsys
    ):
        monkeypatch.setattr("grader.sandbox.interpreter", lambda: "/nowhere/python")
        assert run(submissions, "--out", tmp_path / "out", "--seed-file", seed_file) == 2
        said = capsys.readouterr().err
        assert "/nowhere/python" in said
        assert "in a container" in said
        assert not (tmp_path / "out").exists()

    def test_broken_result(self, tmp_path, submissions, seed_file, sandbox, capsys):
        out = tmp_path / "out"
        assert main(["report", str(out)]) == 2
        run(submissions, "--out", out, "--seed-file", seed_file)
        (out / "honest.json").write_text("{")
        assert main(["report", str(out)]) == 2
        said = capsys.readouterr().err
        assert "has no results" in said
        assert "honest.json is not a result; delete it" in said

    def test_help(self, capsys):
        for arguments in (["--help"], ["run", "--help"], ["report", "--help"], ["build", "--help"]):
            with pytest.raises(SystemExit) as end:
                main(arguments)
            assert end.value.code == 0
        assert "--seed-file" in capsys.readouterr().out


class TestUnsafe:
    def test_warns_and_grades(self, tmp_path, seed_file, capsys):
        submissions = write_all(
            tmp_path / "in",
            honest=HONEST,
            ends=CASES["exit of the process"].content,
            prints=CASES["200 MB of output"].content,
        )
        out = tmp_path / "out"
        assert run(submissions, "--out", out, "--seed-file", seed_file, "--unsafe") == 0
        assert "warning: --unsafe" in capsys.readouterr().err
        assert main(["report", str(out)]) == 0
        lines = (out / "grades.csv").read_text().splitlines()
        assert [line.split(",")[:3] for line in lines[1:]] == [
            ["ends", "killed", "17"],
            ["honest", "ok", "20"],
            ["prints", "killed", "17"],
        ]

    def test_endless_call(self, tmp_path):
        file = tmp_path / "endless.ipynb"
        file.write_bytes(CASES["endless call"].content)
        limits = sandbox.Limits(call=1.0)
        result = grading.grade(file, CHAPTER, seed=SEED, limits=limits, unsafe=True)
        assert (result["status"], result["score"]) == ("killed", 17)


class TestInfrastructure:
    def test_a_failing_sandbox_is_nobodys_zero(
        self, tmp_path, sandbox, seed_file, monkeypatch, capsys
    ):
        submissions, out = write_all(tmp_path / "in", honest=HONEST, other=HONEST), tmp_path / "out"
        arguments = (submissions, "--out", out, "--seed-file", seed_file)
        with monkeypatch.context() as patch:
            patch.setattr(grading, "ATTEMPTS", 1)
            patch.setattr(batch, "try_sandbox", lambda: None)  # it fails only later
            patch.setattr("grader.sandbox.interpreter", lambda: "/nowhere/python")
            assert run(*arguments) == 3
        assert "through no fault of the students" in capsys.readouterr().err
        result = json.loads((out / "honest.json").read_text())
        assert (result["status"], result["score"]) == ("infrastructure", None)
        assert "/nowhere/python" in result["detail"]
        assert main(["report", str(out)]) == 0
        assert (
            (out / "grades.csv").read_text().splitlines()[1].startswith("honest,infrastructure,,20")
        )
        assert run(*arguments, "--resume") == 0
        assert main(["report", str(out)]) == 0
        assert (out / "grades.csv").read_text().splitlines()[1].startswith("honest,ok,20,20")

    def test_it_is_tried_again(self, tmp_path, sandbox, monkeypatch):
        real, attempts = grading.Student, []

        def fails_twice(*args, **kwargs):
            attempts.append(args)
            if len(attempts) < 3:
                raise InfrastructureError("no process left")
            return real(*args, **kwargs)

        monkeypatch.setattr(grading, "Student", fails_twice)
        submissions = write_all(tmp_path, honest=HONEST)
        result = grading.grade(submissions / "honest.ipynb", CHAPTER, seed=SEED)
        assert (result["status"], result["score"], len(attempts)) == ("ok", 20, 3)

    def test_a_failing_hidden_test_is_nobodys_zero(self, tmp_path, sandbox, monkeypatch):
        loaded = assignment.load(CHAPTER)

        def fails(student, reference, rng):
            raise KeyError("a slip in the hidden tests")

        broken = assignment.HiddenTest("broken", "critical_rate", 1, "Says.", fails)
        changed = assignment.Assignment(CHAPTER, (broken,), loaded.reference, "")
        monkeypatch.setattr(grading, "_load", lambda chapter: changed)
        submissions = write_all(tmp_path, honest=HONEST)
        result = grading.grade(submissions / "honest.ipynb", CHAPTER, seed=SEED)
        assert (result["status"], result["score"]) == ("infrastructure", None)
        assert "a slip in the hidden tests" in result["detail"]


# ---- interrupted, resumed, spread over machines ------------------------------------------------

# What takes long or ends by a limit of time is left to test_hostile.
QUICK = [
    name
    for name, case in CASES.items()
    if isinstance(case.content, bytes) and "second" not in case.says and "ran for" not in case.says
]


def mixed_class(folder, size):
    """Honest, wrong and hostile submissions."""
    chosen, names = {}, random.Random(0).choices(QUICK, k=size)
    for number, name in enumerate(names):
        content = HONEST if number % 3 else CASES[name].content
        chosen[f"student {number:03d}"] = content
    return write_all(folder, **chosen)


def grades(out):
    report.write_report(out)
    return (out / "grades.csv").read_text("utf-8")


@pytest.fixture(scope="module")
def undisturbed(sandbox, tmp_path_factory):
    """A class of 200, and its grades in one go."""
    place = tmp_path_factory.mktemp("class")
    submissions = mixed_class(place / "in", 200)
    counts = batch.run(CHAPTER, submissions, place / "out", seed=SEED, jobs=2)
    assert set(counts) == {"ok", "killed", "invalid"}
    assert counts.total() == 200
    return submissions, grades(place / "out")


def test_killed_midway_and_resumed(undisturbed, tmp_path, seed_file):
    submissions, expected = undisturbed
    out = tmp_path / "out"
    command = [sys.executable, "-m", "grader", "run", CHAPTER, submissions, "--out", out]
    command += ["--seed-file", seed_file]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while len(list(out.glob("*.json"))) < 60:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    graded_before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.json")}
    assert 60 <= len(graded_before) < 200
    (out / ".999-1.tmp").write_text("half a result, as a dying writer leaves it")

    batch.run(CHAPTER, submissions, out, seed=SEED, jobs=2, resume=True)
    assert grades(out) == expected
    assert not list(out.glob(".*.tmp"))
    again = [
        name
        for name, time_ns in graded_before.items()
        if (out / name).stat().st_mtime_ns != time_ns and name != batch.BATCH
    ]
    assert all(json.loads((out / name).read_text())["status"] == "invalid" for name in again)


def test_resuming_grades_what_has_changed(sandbox, tmp_path):
    submissions = write_all(tmp_path / "in", late=b"", honest=HONEST)
    out, graded = tmp_path / "out", []
    batch.run(CHAPTER, submissions, out, seed=SEED)
    write_all(submissions, late=HONEST, later=HONEST)
    batch.run(
        CHAPTER,
        submissions,
        out,
        seed=SEED,
        resume=True,
        on_result=lambda result: graded.append(result["student"]),
    )
    assert sorted(graded) == ["late", "later"]
    assert [line.split(",")[2] for line in grades(out).splitlines()[1:]] == ["20", "20", "20"]


def test_order_and_number_of_jobs_do_not_matter(undisturbed, tmp_path):
    submissions, expected = undisturbed
    few = [line for line in expected.splitlines() if line < "student 030"]
    for path in list(submissions.iterdir())[:]:
        if path.stem < "student 030":
            write_all(tmp_path / "in", **{path.stem: path.read_bytes()})
    batch.run(CHAPTER, tmp_path / "in", tmp_path / "out", seed=SEED, jobs=5)
    assert sorted(grades(tmp_path / "out").splitlines()) == sorted(
        line for line in expected.splitlines() if line in few or line.startswith("student,")
    )


@pytest.mark.filterwarnings("ignore")  # the cluster complains of the worker that the test kills
def test_many_machines_one_of_which_dies(undisturbed, tmp_path):
    submissions, expected = undisturbed
    written = Counter()
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        local_directory=tmp_path,
    ) as cluster:

        def note(result):
            written[result["student"]] += 1
            if written.total() == 50:
                victim = next(iter(cluster.workers.values()))
                os.kill(victim.pid, signal.SIGKILL)

        batch.run(
            CHAPTER,
            submissions,
            tmp_path / "out",
            seed=SEED,
            scheduler=cluster.scheduler_address,
            on_result=note,
        )
    assert set(written.values()) == {1}, "a student was graded twice"
    assert grades(tmp_path / "out") == expected
