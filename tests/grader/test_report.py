"""The report on a class: its averages, and texts of students that are shown and never run."""

import csv
import json

import pytest
from bs4 import BeautifulSoup

from grader import assignment, feedback, report
from grader.grading import NOT_ANSWERED, invalid
from grader.names import file_name
from grader.results import BATCH

MARKUP = "<script>alert('1')</script> & Co"


def result(student, score, status="ok", message="Wrong.", detail=""):
    """A result of an assignment with the questions `first` (3 points) and `second_one` (1)."""
    first = min(score or 0, 3)
    questions = [
        {"question": "first", "score": first, "max_score": 3},
        {"question": "second_one", "score": (score or 0) - first, "max_score": 1},
    ]
    for question in questions:
        question["messages"] = [message] * (question["score"] < question["max_score"])
    return {
        "student": student,
        "chapter": "mse",
        "status": status,
        "score": score,
        "max_score": 4,
        "detail": detail,
        "questions": [] if status == "infrastructure" else questions,
    }


CLASS = [
    result("Ada", 4),
    result("Carl", 3),
    result("Emmy", 3, message=MARKUP),
    result("Paul", 0, message=MARKUP),
    result(MARKUP, 2, status="killed", message=MARKUP, detail=MARKUP),
    result("torn", 0, status="invalid", detail="it is empty"),
    result("lost", None, status="infrastructure", detail="no process left"),
]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of a class, its summary as text and its page."""
    out = tmp_path_factory.mktemp("report")
    (out / BATCH).write_text("{}")
    for graded in CLASS:
        (out / f"{file_name(graded['student'])}.json").write_text(json.dumps(graded))
    text = report.write_report(out)
    return out, text, BeautifulSoup((out / "summary.html").read_text("utf-8"), "lxml")


def rows(page):
    return [
        [cell.get_text() for cell in row.find_all("td")]
        for row in page.find_all("tr")
        if row.find("td")
    ]


def test_averages_leave_out_what_was_not_graded(written):
    _, text, page = written
    averages = "mean 2.4, median 3, lowest 0, highest 4"
    assert "7 submissions: 1 killed, 4 ok, 1 infrastructure, 1 invalid" in text
    assert f"of 4 points, 5 notebooks that ran: {averages}" in text
    assert page.find("p").get_text() == f"Of 4 points, 5 notebooks that ran: {averages}."
    assert "not graded: lost: no process left" in text


def test_share_of_each_question_leaves_out_what_is_invalid(written):
    _, text, page = written
    assert "first        73%" in text
    assert "second_one   20%" in text
    assert ["first", "73%", "0", f"2 × {MARKUP}"] in rows(page)
    assert ["second_one", "20%", "0", f"3 × {MARKUP}"] in rows(page)


def test_bars_show_how_many_have_each_score(written):
    *_, page = written
    heights = [int(bar["height"]) for bar in page.find_all("rect")]
    assert heights == [90, 0, 90, 180, 90]
    assert page.find("svg")["aria-label"] == (
        "Bar chart of 5 scores from 0 to 4; the most frequent is 3, of 2 submissions."
    )


def test_page_lists_what_a_teacher_must_look_at(written):
    *_, page = written
    assert rows(page)[-3:] == [
        [MARKUP, "killed", MARKUP],
        ["lost", "infrastructure", "no process left"],
        ["torn", "invalid", "it is empty"],
    ]


def test_page_runs_nothing_that_a_student_wrote(written):
    out, _, page = written
    assert not page.find_all("script")
    assert "&lt;script&gt;" in (out / "summary.html").read_text("utf-8")


def test_a_class_without_scores_has_no_chart():
    page = report.summary_page([CLASS[-1]])
    assert "<svg" not in page
    assert "infrastructure" in page


def test_grades_have_a_row_for_each_student(written):
    out, *_ = written
    with open(out / "grades.csv", newline="", encoding="utf-8-sig") as file:
        table = list(csv.reader(file))
    assert table[0] == ["student", "status", "score", "max_score", "first", "second_one"]
    assert ["Ada", "ok", "4", "4", "3", "1"] in table
    assert ["lost", "infrastructure", "", "4", "", ""] in table
    assert len(table) == 1 + len(CLASS)


def test_what_is_not_answered_is_no_mistake(tmp_path):
    students = [result(name, 0, message=f"Random numbers. {NOT_ANSWERED}") for name in "abc"]
    students.append(result("d", 0, message="A sign is wrong."))
    page = BeautifulSoup(report.summary_page(students), "lxml")
    for question in ("first", "second_one"):
        assert [question, "0%", "3", "1 × A sign is wrong."] in rows(page)


def test_spreadsheets_read_the_grades_as_utf_8(written):
    out, *_ = written
    assert (out / "grades.csv").read_bytes().startswith(b"\xef\xbb\xbfstudent,")


ODD = "=1+1;=2\t=3\n\x1b[2J\u202eslairt\u2029|"


def test_nothing_that_is_written_commands_a_program():
    """A text that students chose, in every place where one may stand."""
    odd = [result(ODD, 2, "killed", ODD, ODD), result(ODD, None, "infrastructure", detail=ODD)]
    table = report.grades_csv(odd)
    for text in (table, report.summary(odd), report.summary_page(odd)):
        assert not {c for c in text if not c.isprintable()} - {"\n"}
    for row in csv.reader(table.splitlines(), delimiter=","):
        assert not [cell for cell in row if cell[:1] in "=+-@\t\uff1d" and cell]
    for separator in ";\t|":
        assert separator not in table
    page = BeautifulSoup(report.summary_page(odd), "lxml")
    assert "%1B[2J%E2%80%AEslairt" in page.get_text()


def test_praise_is_a_paragraph_of_its_own():
    cells = [{"cell": 3, "line": 1, "message": "raised NameError", "killed": False}]
    graded = {**result("Ada", 4), "cells": cells, "more_cells": 0}
    for text in (feedback.markdown(graded), feedback.gradescope(graded)["output"]):
        assert "\n\nEverything is right." in text
    graded["cells"] = []
    assert feedback.gradescope(graded)["output"] == "Everything is right."


def test_a_file_that_cannot_be_graded_says_so_once():
    graded = invalid("Ada", assignment.load("mse"), "it is empty")
    page = feedback.markdown(graded)
    assert page.count("cannot be graded: `it is empty`") == 1
    assert "could not be read" not in page
    assert "\n- " not in page
