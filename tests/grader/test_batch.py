"""A folder of submissions: every student is found, and graded once, under the right name."""

import csv
import errno
import json
import os
import subprocess
from pathlib import Path

import pytest

from grader import assignment, batch, grading, notebook, report
from grader.__main__ import main
from grader.names import file_name
from grader.notebook import Cell
from grader.submissions import find, other_assignment
from tests.grader.hostile.case import CHAPTER, FIRST, HONEST
from tests.grader.notebooks import SEED, write_all

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


class TestNames:
    def test_each_student_is_graded_under_the_right_name(self, tmp_path, sandbox, seed_file):
        submissions, out = (
            write_all(tmp_path / "in", **dict.fromkeys(NAMES, HONEST)),
            tmp_path / "out",
        )
        command = ["run", CHAPTER, submissions, "--out", out, "--seed-file", seed_file]
        assert main([*map(str, command)]) == 0
        assert main(["report", str(out)]) == 0
        with open(out / "grades.csv", newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        assert sorted(row["student"] for row in rows) == sorted(map(file_name, NAMES))
        assert {row["score"] for row in rows} == {"20"}
        assert "<script" not in (out / "summary.html").read_text("utf-8")
        assert not [
            path for path in tmp_path.iterdir() if path.name not in ("in", "out", "seed.txt")
        ]

    def test_files_of_archive_programs_are_ignored(self, tmp_path):
        write_all(tmp_path, honest=HONEST, **{"._honest": b"\0\5"})
        write_all(tmp_path / "__MACOSX", honest=HONEST)
        (tmp_path / ".DS_Store").write_bytes(b"")
        (tmp_path / "desktop.ini").write_bytes(b"")
        write_all(tmp_path / "in a folder" / "__MACOSX", answers=HONEST)
        write_all(tmp_path / "in a folder", answers=HONEST, **{"._answers": b"\0\5"})
        write_all(tmp_path / ".ipynb_checkpoints", honest=HONEST)
        found = find(tmp_path, CHAPTER)
        assert [(s.student, s.problem) for s in found] == [("honest", ""), ("in a folder", "")]

    def test_folders_of_students(self, tmp_path):
        write_all(tmp_path / "one", anything=HONEST)
        write_all(tmp_path / "two" / "deep", **{CHAPTER: HONEST, "other": HONEST})
        write_all(tmp_path / "three" / ".ipynb_checkpoints", **{CHAPTER: HONEST})
        write_all(tmp_path / "four", a=HONEST, b=HONEST)
        write_all(tmp_path, four=HONEST, five=HONEST)
        found = {s.student: (s.path.name, s.problem) for s in find(tmp_path, CHAPTER)}
        assert list(found) == ["five", "four", "one", "three", "two"]
        assert found["one"] == ("anything.ipynb", "")
        assert found["two"] == (f"{CHAPTER}.ipynb", "")
        assert found["five"] == ("five.ipynb", "")
        assert "0 notebooks; expected is one mse.ipynb" in found["three"][1]
        assert "2 have this name: four, four.ipynb; expected is one" in found["four"][1]

    def test_a_folder_that_does_not_tell_which_notebook_counts(self, tmp_path):
        write_all(tmp_path / "two", a=HONEST, b=HONEST)
        write_all(tmp_path / "same", **{CHAPTER: HONEST})
        write_all(tmp_path / "same" / "again", **{CHAPTER: HONEST})
        (tmp_path / "packed").mkdir()
        (tmp_path / "packed" / "mse.zip").write_bytes(b"PK")
        assert {s.student: s.problem for s in find(tmp_path, CHAPTER)} == {
            "packed": "its folder has 0 notebooks, but mse.zip; expected is one mse.ipynb",
            "same": "its folder has 2 notebooks, and 2 of them are mse.ipynb; "
            "expected is one mse.ipynb",
            "two": "its folder has 2 notebooks, and 0 of them are mse.ipynb; "
            "expected is one mse.ipynb",
        }

    def test_a_file_that_is_no_notebook_has_a_row(self, tmp_path):
        write_all(tmp_path, Ada=HONEST)
        (tmp_path / "Grace.IPYNB").write_bytes(HONEST)
        for name in ("Alan.ipynb.txt", "Bob.zip", "Bob.py", "Ada.py", "Eve", "Ada.pdf"):
            (tmp_path / name).write_bytes(b"PK")
        write_all(tmp_path, **{"Ada.pdf": HONEST})
        found = {s.student: (s.path.name, s.problem) for s in find(tmp_path, CHAPTER)}
        expected = "is not a notebook; hand in a file <student>.ipynb"
        assert found == {
            "Ada": ("Ada.ipynb", ""),
            "Ada.pdf": ("Ada.pdf.ipynb", ""),
            "Ada.pdf%~": ("Ada.pdf", f"Ada.pdf {expected}"),
            "Ada.py": ("Ada.py", f"Ada.py {expected}"),
            "Alan": ("Alan.ipynb.txt", f"Alan.ipynb.txt {expected}"),
            "Bob": ("Bob.py", f"Bob.py {expected}"),
            "Bob.zip": ("Bob.zip", f"Bob.zip {expected}"),
            "Eve": ("Eve", f"Eve {expected}"),
            "Grace": ("Grace.IPYNB", ""),
        }

    def test_a_link_to_a_folder_is_not_followed(self, tmp_path):
        write_all(tmp_path / "elsewhere", **{CHAPTER: HONEST})
        write_all(tmp_path / "in", honest=HONEST)
        (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
        honest, link = find(tmp_path / "in", CHAPTER)
        assert (honest.student, honest.problem) == ("honest", "")
        assert link.problem.startswith("link is a symbolic link")

    def test_a_named_pipe_does_not_block(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.ipynb")
        result = grading.grade(tmp_path / "pipe.ipynb", CHAPTER, seed=SEED)
        assert (result["status"], result["score"]) == ("invalid", 0)


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
    assert [result["score"] for result in report.read(out)] == [20, 20, 20]


class TestFolders:
    def test_a_folder_that_is_deep_or_large_harms_nobody_else(self, sandbox, tmp_path):
        submissions = write_all(tmp_path / "in", honest=HONEST)
        for student, depth in (("deep", 1200), ("20 deep", 20)):
            folder = submissions / student
            for _ in range(depth):
                folder.mkdir()
                folder = folder / "d"
            write_all(folder, **{CHAPTER: HONEST})
        (submissions / "large").mkdir()
        for number in range(10_001):
            (submissions / "large" / str(number)).touch()
        try:
            counts = batch.run(CHAPTER, submissions, tmp_path / "out", seed=SEED)
        finally:  # pytest cannot remove it, for the reason that it is tested
            subprocess.run(["rm", "-rf", submissions / "deep"], check=True)
        assert counts == {"ok": 2, "invalid": 2}
        result = {result["student"]: result for result in report.read(tmp_path / "out")}
        assert result["20 deep"]["score"] == result["honest"]["score"] == 20
        assert "0 notebooks" in result["deep"]["detail"]
        assert "more than 10000 files" in result["large"]["detail"]

    def test_a_file_that_cannot_be_read_is_not_the_students_fault(self, tmp_path, monkeypatch):
        submissions = write_all(tmp_path / "in", lost=HONEST)
        real = os.open

        def refuses(path, *args, **kwargs):
            if "lost" in str(path):
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
            return real(path, *args, **kwargs)

        monkeypatch.setattr(os, "open", refuses)
        counts = batch.run(CHAPTER, submissions, tmp_path / "out", seed=SEED, unsafe=True)
        (result,) = report.read(tmp_path / "out")
        assert counts == {"infrastructure": 1}
        assert (result["score"], result["questions"]) == (None, [])
        assert result["detail"] == "its file cannot be read: Input/output error"

    def test_a_file_that_vanishes_is_not_the_students_fault(self, tmp_path):
        result = grading.grade(tmp_path / "gone.ipynb", CHAPTER, seed=SEED)
        assert (result["status"], result["score"]) == ("infrastructure", None)
        assert "No such file" in result["detail"]

    def test_a_folder_that_cannot_be_read_is_not_the_students_fault(self, tmp_path, monkeypatch):
        write_all(tmp_path / "in" / "Ada" / "inner", **{CHAPTER: HONEST})
        write_all(tmp_path / "in" / "Bob", **{CHAPTER: HONEST})
        real = os.scandir

        def refuses(path):
            if Path(path).name == "inner":
                raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return real(path)

        monkeypatch.setattr(os, "scandir", refuses)
        ada, bob = find(tmp_path / "in", CHAPTER)
        assert "inner cannot be read: Permission denied" in ada.failure
        assert (bob.problem, bob.failure) == ("", "")

    def test_the_wrong_assignment_is_named(self, tmp_path):
        master = json.dumps(assignment.load_master("bce"))
        copy = (assignment.folder("hinge") / "hinge.ipynb").read_text("utf-8")
        for name, content in (("master", master), ("copy", copy)):
            (tmp_path / f"{name}.ipynb").write_text(content, "utf-8")
        for name, other in (("master", "bce"), ("copy", "hinge")):
            result = grading.grade(tmp_path / f"{name}.ipynb", CHAPTER, seed=SEED)
            assert (result["status"], result["score"]) == ("invalid", 0)
            assert result["detail"] == f"it answers the assignment {other} instead of mse"
            assert not any(question["messages"] for question in result["questions"])

    @pytest.mark.parametrize("chapter", assignment.chapters())
    @pytest.mark.parametrize("copy", [False, True])
    def test_each_assignment_is_recognized(self, chapter, copy):
        file = assignment.folder(chapter) / (f"{chapter}.ipynb" if copy else "master.ipynb")
        cells = notebook.code_cells(file.read_bytes())
        recognized = {
            expected: other_assignment(cells, expected, assignment.load(expected).questions)
            for expected in assignment.chapters()
        }
        assert recognized == dict.fromkeys(assignment.chapters(), chapter) | {chapter: None}

    def test_an_answer_under_another_name_is_no_other_assignment(self):
        sources = assignment.solution_cells(assignment.load_master("bce"))
        cells = [Cell(number, source) for number, source in enumerate(sources)]
        cells.append(Cell(9, f"{FIRST} = lambda y, t: 0"))
        assert other_assignment(cells, CHAPTER, assignment.load(CHAPTER).questions) is None
