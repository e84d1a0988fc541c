"""Grades one submission: runs its cells, calls its functions in the hidden tests, adds points."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from . import assignment as assignments
from . import notebook, wire
from .assignment import Assignment, HiddenTest, WrongAnswer
from .notebook import Cell, NotebookError
from .sandbox import Limits
from .session import Functions, Session, type_name
from .student import InfrastructureError, Killed, StudentError
from .submissions import other_assignment

OK, KILLED, INVALID, INFRASTRUCTURE = "ok", "killed", "invalid", "infrastructure"
ATTEMPTS = 3  # at starting the sandbox
NOT_ANSWERED = "It has not been answered yet."


@dataclass
class Result:
    """The result of grading a submission; `grade` returns it as a dict.

    Attributes
    ----------
    student, chapter : str
        Name of the student and of the assignment.
    status : str
        ``"ok"``; ``"killed"``: a cell or a call was killed, and the rest of its question gets no
        points; ``"invalid"``: no notebook of this assignment, and the score is 0;
        ``"infrastructure"``: the grader failed, and there is no score.
    score, max_score : int
        Points; the score is None if the grader failed.
    detail : str
        Why the file is invalid, what was killed and why, or how the grader failed.
    questions : list of dict
        For each: ``question``, ``score``, ``max_score``, ``messages`` for the student, and
        ``exceptions`` for the teacher only, since they may quote hidden inputs.
    cells : list of dict
        The first 50 cells that failed: ``cell`` (number in the notebook), ``line``, ``killed``,
        ``message`` for the student, and ``error`` for the teacher only.
    more_cells : int
        Number of the others that failed.
    submission, assignment : str
        SHA-256 of the file, and of the assignment.
    late : bool
        Whether it was stopped because the machine was busy: it must be graded again, alone.
    """

    student: str
    chapter: str
    status: str
    score: int | None
    max_score: int
    detail: str = ""
    questions: list[dict[str, Any]] = field(default_factory=list)
    cells: list[dict[str, Any]] = field(default_factory=list)
    more_cells: int = 0
    submission: str = ""
    assignment: str = ""
    late: bool = False


def grade(
    path: str | Path,
    chapter: str,
    *,
    seed: str,
    student: str | None = None,
    limits: Limits | None = None,
    unsafe: bool = False,
) -> dict[str, Any]:
    """Grade one submission; the same arguments give the same result on every machine.

    Parameters
    ----------
    path : str or Path
        Notebook of the student.
    chapter : str
        Name of the assignment.
    seed : str
        The secret that the hidden inputs are drawn from.
    student : str, optional
        Name of the student; by default the name of the file.
    limits : Limits, optional
        Time and memory for the submission.
    unsafe : bool, default False
        Run the submission without a sandbox, with all your rights.

    Returns
    -------
    dict
        The fields of `Result`.

    Raises
    ------
    AssignmentError
        If there is no such assignment, or if it has a mistake.
    NoSandbox
        If bubblewrap is missing on this machine.
    """
    path, limits = Path(path), limits or Limits()
    assignment = _load(chapter)
    result = Result(student or path.stem, chapter, OK, 0, assignment.max_score)
    result.assignment = assignment.digest
    try:
        content = notebook.read_bytes(path)
        result.submission = hashlib.sha256(content).hexdigest()
        cells = notebook.code_cells(content)
    except NotebookError as error:
        return invalid(result.student, assignment, str(error), result.submission)
    except OSError as error:
        why = f"its file cannot be read: {error.strerror or error}"
        return failed(result.student, assignment, why)
    if other := other_assignment(cells, chapter, assignment.questions):
        why = f"it answers the assignment {other} instead of {chapter}"
        return invalid(result.student, assignment, why, result.submission)

    for attempt in range(ATTEMPTS):
        try:
            _grade_cells(cells, assignment, result, seed, limits, unsafe)
            return asdict(result)
        except InfrastructureError as error:
            why = str(error)
            time.sleep(0.2 * attempt)
        except HiddenTestError as error:
            why = str(error)
            break
    return failed(result.student, assignment, why)


def invalid(student: str, assignment: Assignment, why: str, submission: str = "") -> dict[str, Any]:
    """Result of a file that is no notebook of this assignment: no points, and the reason."""
    result = Result(student, assignment.chapter, INVALID, 0, assignment.max_score, why)
    result.submission, result.assignment = submission, assignment.digest
    result.questions = _unanswered(assignment)
    return asdict(result)


def failed(student: str, assignment: Assignment, why: str) -> dict[str, Any]:
    """Result if the grader failed: no score, which is not the same as a score of 0."""
    result = Result(student, assignment.chapter, INFRASTRUCTURE, None, assignment.max_score, why)
    result.assignment = assignment.digest
    return asdict(result)


@cache
def _load(chapter: str) -> Assignment:
    return assignments.load(chapter)


def _grade_cells(
    cells: list[Cell],
    assignment: Assignment,
    result: Result,
    seed: str,
    limits: Limits,
    unsafe: bool,
) -> None:
    with Session(cells, limits, unsafe) as session:
        result.questions = judge(assignment, lambda test: run_test(test, assignment, session, seed))
        session.settle()
        _revoke(result.questions, session.forged)
        result.score = sum(question["score"] for question in result.questions)
        result.cells, result.more_cells = session.failed_cells(), session.more_cells
        if session.killed:
            result.status, result.detail = KILLED, session.reasons()
        result.late = session.late


class HiddenTestError(Exception):
    """A hidden test raised an exception of its own: the author's mistake, not the student's."""


def _unanswered(assignment: Assignment) -> list[dict[str, Any]]:
    """Each question, so far without points and messages."""
    return [
        {"question": name, "score": 0, "max_score": points, "messages": [], "exceptions": []}
        for name, points in assignment.questions.items()
    ]


def judge(assignment: Assignment, run: Callable[[HiddenTest], Verdict]) -> list[dict[str, Any]]:
    """Run each hidden test; return the score and the messages of each question."""
    questions = {question["question"]: question for question in _unanswered(assignment)}
    for test in assignment.tests:
        question = questions[test.question]
        verdict = run(test)
        if verdict.why is None:
            question["score"] += test.points
        else:
            question["messages"].append(f"{test.message} {verdict.why}")
        if verdict.exception:
            question["exceptions"].append(verdict.exception)
    return list(questions.values())


def _revoke(questions: list[dict[str, Any]], forged: dict[str, str]) -> None:
    """Take all points from questions whose replies were forged."""
    for question in questions:
        if why := forged.get(question["question"]):
            question["score"] = 0
            question["messages"] = [f"All its points are lost: {why}."]


@dataclass(frozen=True)
class Verdict:
    """Why a student failed a hidden test, without any hidden value; None if the test passed."""

    why: str | None
    exception: str = ""


def run_test(test: HiddenTest, assignment: Assignment, session: Session, seed: str) -> Verdict:
    """Run a hidden test on the student's functions."""
    try:
        with np.errstate(all="ignore"):  # computing typical mistakes may overflow
            student = Functions(session, test.question)
            test.function(student, assignment.reference, assignment.rng(test, seed))
    except WrongAnswer as error:
        return Verdict(str(error))
    except Killed as error:
        return Verdict(f"It was stopped: {error}.")
    except StudentError as error:
        return Verdict(_explain(error), exception=str(error))
    except InfrastructureError:
        raise
    except wire.WireError as error:
        raise HiddenTestError(
            f"hidden test {test.name} of {assignment.chapter} passes what cannot be sent: {error}"
        ) from error
    except Exception as error:
        why = f"hidden test {test.name} raised {type(error).__name__}: {error}"
        _check_author(test, assignment, seed)
        return Verdict("Your result is not of the kind that is expected.", exception=why)
    return Verdict(None)


def _check_author(test: HiddenTest, assignment: Assignment, seed: str) -> None:
    """Raise `HiddenTestError` if a hidden test fails on the right answers too.

    If it does not, then it cannot deal with what the student returned, and nobody else loses by it.
    """
    try:
        test.function(assignment.reference, assignment.reference, assignment.rng(test, seed))
    except Exception as error:
        raise HiddenTestError(
            f"hidden test {test.name} of {assignment.chapter} failed by itself: "
            f"{type(error).__name__}: {error}"
        ) from error


# What a message may name. Students choose other texts, which could hold an input.
UNUSABLE = {
    *("a dict", "a set", "a complex", "a bytes", "a function", "a generator", "a type"),
    *("an array of dtype object", "an array of dtype complex128"),
    *(wire.TOO_DEEP, wire.TOO_MANY, wire.TOO_LONG),
}


def _explain(error: StudentError) -> str:
    """Explain an exception without its text, which only the teacher may see."""
    if error.kind == "missing":
        return "Your notebook has no such function, or the cell that defines it failed."
    if error.kind == "unusable":
        what = error.text if error.text in UNUSABLE else "something else"
        return (
            f"Your function returned {what}; it must return a number, an array or a tuple of them."
        )
    if error.kind == "NotImplementedError":
        return NOT_ANSWERED
    return f"Your function raised {type_name(error.kind)}."
