"""A folder of submissions: every student is found, and graded once, under the right name."""

import csv
import os

from grader import batch, grading, report
from grader.__main__ import main
from grader.batch import file_name, find
from tests.grader.hostile.case import CHAPTER, HONEST
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

    def test_files_of_archive_programs_are_ignored(self, tmp_path):
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
