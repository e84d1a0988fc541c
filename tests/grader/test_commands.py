"""The commands of the grader: mistakes of the teacher, ``--unsafe``, and failures of the grader."""

import json

import pytest

from grader import assignment, batch, grading, sandbox, session
from grader.__main__ import main
from grader.student import InfrastructureError
from tests.grader.hostile import CASES
from tests.grader.hostile.case import CHAPTER, HONEST
from tests.grader.notebooks import SEED, write_all


def run(*arguments):
    return main(["run", CHAPTER, *map(str, arguments)])


class TestMistakesOfTheTeacher:
    @pytest.fixture
    def submissions(self, tmp_path):
        return write_all(tmp_path / "in", honest=HONEST)

    def test_no_seed(self, tmp_path, submissions, monkeypatch, capsys):
        monkeypatch.delenv("GRADER_SEED", raising=False)
        assert run(submissions, "--out", tmp_path / "out") == 2
        assert "secrets.token_hex()" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("content", ["1", "secret", "1" * 64, "12" * 20, "a seed of 15 ch"])
    def test_seed_that_can_be_guessed(self, tmp_path, submissions, content, capsys, monkeypatch):
        monkeypatch.setenv("GRADER_SEED", content)
        assert run(submissions, "--out", tmp_path / "out") == 2
        said = capsys.readouterr().err
        assert f"GRADER_SEED has {len(content)} characters, {len(set(content))} of them" in said
        assert "use at least 16" in said
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("number", ["x", "0", "-1", "1.5", ""])
    def test_number_of_jobs(self, number, capsys):
        with pytest.raises(SystemExit):
            run("in", "--out", "out", "--jobs", number)
        said = f"argument --jobs: it must be a whole number of at least 1, not {number!r}"
        assert said in capsys.readouterr().err

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
        assert "holds no submission, such as <student>.ipynb or <student>/mse.ipynb" in said
        assert "it holds seed.txt" in said

    def test_results_of_another_run_are_not_overwritten(
        self, tmp_path, submissions, seed_file, sandbox, capsys
    ):
        out = tmp_path / "out"
        arguments = (submissions, "--out", out, "--seed-file", seed_file)
        assert run(*arguments) == 0
        before = {path: path.read_bytes() for path in out.glob("*.json")}
        assert run(*arguments) == 2
        seed_file.write_text("another seed of the tests")
        assert run(*arguments, "--resume") == 2
        said = capsys.readouterr().err
        assert "give --resume to continue" in said
        assert "graded with another seed" in said
        assert {path: path.read_bytes() for path in out.glob("*.json")} == before

    def test_a_folder_with_other_files_is_refused(
        self, tmp_path, submissions, seed_file, sandbox, capsys
    ):
        assert run(submissions, "--out", submissions, "--seed-file", seed_file) == 2
        assert "was not made by this grader" in capsys.readouterr().err
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
    def test_a_failing_sandbox_gives_no_score(
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

    def test_a_sandbox_that_fails_twice_is_started_again(self, tmp_path, sandbox, monkeypatch):
        real, attempts = session.Student, []

        def fails_twice(*args, **kwargs):
            attempts.append(args)
            if len(attempts) < 3:
                raise InfrastructureError("no process left")
            return real(*args, **kwargs)

        monkeypatch.setattr(session, "Student", fails_twice)
        submissions = write_all(tmp_path, honest=HONEST)
        result = grading.grade(submissions / "honest.ipynb", CHAPTER, seed=SEED)
        assert (result["status"], result["score"], len(attempts)) == ("ok", 20, 3)

    def test_a_failing_hidden_test_gives_no_score(self, tmp_path, sandbox, monkeypatch):
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
