"""Names that students choose: safe wherever they are written, and one for each student."""

import csv
import json
import os
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import batch, report
from grader.names import LONGEST, file_name, safe, visible
from grader.submissions import BY_SYSTEMS
from tests.grader.hostile.case import CHAPTER
from tests.grader.notebooks import SEED
from tests.grader.test_batch import NAMES

ODD = [*NAMES, "", ".", "../../etc/passwd", "a/b", "a%2Fb", "a" * 241, "a\0b", "%", "%25", "\ud800"]
ENDINGS = (".ipynb", ".IPYNB", ".ipynb.txt", ".zip", ".py", "")
CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
names = st.one_of(
    st.text(min_size=1, max_size=60),
    st.text(CYRILLIC, min_size=95, max_size=120),  # longer than names of results may be
    st.text("a.%~;=-'\u202e\x1b\uff1d ", min_size=1, max_size=4),
    st.binary(min_size=1, max_size=200).map(os.fsdecode),
)


def allowed(name):
    """Whether a file may have this name, and an operating system does not use it."""
    try:
        length = len(os.fsencode(name))
    except UnicodeEncodeError:
        return False
    by_system = name.startswith("._") or name in BY_SYSTEMS
    hidden = name.startswith(".") and not name.lower().endswith(".ipynb")
    return length <= 255 and not {"/", "\0"} & set(name) and not by_system and not hidden


def graded(files):
    """Names of students in results, texts in results, feedback and the table of grades."""
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        submissions, out = Path(place, "in"), Path(place, "out")
        submissions.mkdir()
        for name in files:
            (submissions / name).write_bytes(b"")  # empty, so that no sandbox is started
        (submissions / "one that is graded.ipynb").write_bytes(b"")
        batch.run(CHAPTER, submissions, out, seed=SEED, unsafe=True)
        report.write_report(out)
        with open(out / "grades.csv", newline="", encoding="utf-8-sig") as file:
            _, *rows = csv.reader(file)
        results = [path for path in out.glob("*.json") if path.name != ".batch.json"]
        return (
            sorted(path.name.removesuffix(".json") for path in results),
            sorted(json.loads(path.read_text("utf-8"))["student"] for path in results),
            sorted(path.name.removesuffix(".md") for path in (out / "feedback").iterdir()),
            sorted(row[0] for row in rows),
        )


@given(st.sets(names.map(lambda name: name + ".ipynb").filter(allowed), max_size=8))
@settings(max_examples=25, deadline=None)
def test_results_feedback_and_grades_agree_on_one_name_for_each_notebook(files):
    first, *others = graded(files)
    assert others == [first] * 3
    assert len(set(first)) == len(first) == len(files) + 1


@given(
    st.sets(
        st.builds("".join, st.tuples(names, st.sampled_from(ENDINGS))).filter(allowed), max_size=8
    )
)
@settings(max_examples=25, deadline=None)
def test_they_agree_for_files_of_every_kind(files):
    first, *others = graded(files)
    assert others == [first] * 3
    assert len(set(first)) == len(first)
    notebooks = {name[:-6] for name in files if name.lower().endswith(".ipynb")}
    no_notebooks = {name for name in files if not name.lower().endswith(".ipynb")}
    assert len(first) == len(notebooks) + len(no_notebooks) + 1


@given(names, names)
@settings(max_examples=200)
def test_different_students_have_different_names(one, other):
    assert (file_name(one) == file_name(other)) == (one == other)


@given(names)
@settings(max_examples=200)
def test_a_name_is_safe_and_a_safe_text_stays(student):
    name = file_name(student)
    assert 0 < len(name.encode()) <= LONGEST
    assert name.isprintable()
    assert not set('/\\:*?"<>|;`') & set(name)
    assert unicodedata.normalize("NFKC", name[0])[0] not in "=+-@'.~ "
    assert name[-1] not in ". "
    assert safe(name) == name


def test_odd_names_differ():
    assert len(set(map(file_name, ODD))) == len(set(ODD))


@pytest.mark.parametrize("name", ["Дмитрий Иванов", "Ægir Þór 北京 🙂", "O'Brien-Smith", "a@b.org"])
def test_usual_names_stay_readable(name):
    assert file_name(name) == name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "%3D1+1"),
        ("x;=1+1", "x%3B=1+1"),
        ("x\t=1+1", "x%09=1+1"),
        ("x|=1+1", "x%7C=1+1"),
        ("\uff1d1+1", "%EF%BC%9D1+1"),
        ("\ufe621", "%EF%B9%A21"),
        (" =1", "%20=1"),
        ("\x1b[2J", "%1B[2J"),
        ("a\u202eb", "a%E2%80%AEb"),
        ("a\u2028b", "a%E2%80%A8b"),
        ("", ""),
    ],
)
def test_a_spreadsheet_computes_nothing(text, shown):
    assert safe(text) == shown


def test_a_terminal_is_not_commanded():
    assert visible("a\x1b]0;t\x07\u202e\n100% é") == "a%1B]0;t%07%E2%80%AE%0A100% é"
