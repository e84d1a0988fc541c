"""Grades one submission: runs its cells, calls its functions in the hidden tests, adds points."""

from __future__ import annotations

import builtins
import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from . import assignment as assignments
from . import notebook
from .assignment import Assignment, HiddenTest, WrongAnswer
from .notebook import Cell, NotebookError
from .sandbox import Limits
from .student import Forged, InfrastructureError, Killed, Spent, Student, StudentError

OK, KILLED, INVALID, INFRASTRUCTURE = "ok", "killed", "invalid", "infrastructure"
ATTEMPTS = 3  # at starting the sandbox


@dataclass
class Result:
    """The result of grading a submission; `grade` returns it as a dict.

    Attributes
    ----------
    student, chapter : str
        Name of the student and of the assignment.
    status : str
        ``"ok"``; ``"killed"``: a cell or a call was killed, and the rest of its question gets no
        points; ``"invalid"``: the file is not a notebook, and the score is 0;
        ``"infrastructure"``: the grader failed, and there is no score.
    score, max_score : int
        Points; the score is None if the grader failed.
    detail : str
        Why the file is invalid, what was killed and why, or how the grader failed.
    questions : list of dict
        For each: ``question``, ``score``, ``max_score``, ``messages`` for the student, and
        ``exceptions`` for the teacher only, since they may quote hidden inputs.
    cells : list of dict
        Cells that failed: ``cell`` (number in the notebook), ``line``, ``error``, ``killed``.
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
    """Result of a file that is not a notebook: no points, and the reason."""
    result = Result(student, assignment.chapter, INVALID, 0, assignment.max_score, why)
    result.submission, result.assignment = submission, assignment.digest
    result.questions = judge(assignment, lambda test: Verdict("The file could not be read."))
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
        result.cells = session.failed_cells()
        if session.killed:
            result.status, result.detail = KILLED, session.reasons()
        result.late = session.late


class HiddenTestError(Exception):
    """A hidden test raised an exception of its own: the author's mistake, not the student's."""


class Session:
    """A student's running notebook; if its process dies, it restarts without the guilty cell.

    Parameters
    ----------
    cells : list of Cell
        Cells to run, in order.
    limits : Limits
        Time and memory; the total time includes all restarts.
    unsafe : bool
        Run without a sandbox.
    """

    def __init__(self, cells: list[Cell], limits: Limits, unsafe: bool):
        self._cells, self._limits, self._unsafe = cells, limits, unsafe
        self._spent = Spent()
        self._student: Student | None = None
        self._failed: dict[int, dict[str, Any]] = {}
        self._last: str | int | None = None  # question or cell of the last request
        self.killed = False
        self.forged: dict[str, str] = {}  # questions whose replies were forged, and the evidence
        self._lost: dict[str, str] = {}  # questions with a killed call, and the reason

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def call(self, question: str, function: str, *args: object, **kwargs: object) -> Any:
        """Call a student's function; raises `StudentError` or `Killed`.

        After a call was killed, no function is called for its question any more: its other tests
        would probably be killed too, each after the full time limit.
        """
        if question in self._lost:
            raise Killed(self._lost[question])
        try:
            while True:
                self._start()
                before, self._last = self._last, question
                try:
                    return self._student.call(function, *args, **kwargs)  # type: ignore[union-attr]
                except Forged as error:
                    if self._blame(before, error) == question:
                        raise
        except Killed as error:
            self.killed, self._lost[question] = True, str(error)
            self._stop()
            raise

    def settle(self) -> None:
        """Check that the last call was answered only once."""
        if self._student is not None:
            try:
                self._student.settle()
            except Forged as error:
                self._blame(self._last, error)
            except (Killed, StudentError):
                pass  # all answers have arrived, so failing now costs nothing

    def failed_cells(self) -> list[dict[str, Any]]:
        """Cells that raised an exception or were killed, in order."""
        return [self._failed[number] for number in sorted(self._failed)]

    @property
    def late(self) -> bool:
        """Whether it was stopped because the machine was busy."""
        return self._spent.late

    def reasons(self) -> str:
        """One line that says what was killed and why."""
        cells = [f"cell {c['cell']}: {c['error']}" for c in self.failed_cells() if c["killed"]]
        return "; ".join([*cells, *(f"{name}: {why}" for name, why in self._lost.items())])

    def _start(self) -> None:
        """Run the cells in a new process; repeat without a cell that is killed."""
        before: str | int | None
        while self._student is None:
            if why := self._spent.excess(self._limits):
                raise Killed(why)
            self._last = None
            self._student = Student(self._limits, spent=self._spent, unsafe=self._unsafe)
            for cell in self._cells:
                if self._failed.get(cell.number, {}).get("killed"):
                    continue
                before, self._last = self._last, cell.number
                try:
                    self._student.run_cell(cell.source, f"<cell {cell.number}>")
                except StudentError as error:
                    self._fail(cell.number, str(error), error.line, killed=False)
                except Forged as error:
                    self._blame(before, error)
                    break
                except Killed as error:
                    self._fail(cell.number, str(error), None, killed=True)
                    self._stop()
                    break

    def _blame(self, guilty: str | int | None, error: Forged) -> str | int | None:
        """Punish the question or cell whose request got a second, forged reply."""
        self.killed = True
        if isinstance(guilty, str):
            self._lost[guilty] = self.forged[guilty] = str(error)
        elif guilty is not None:
            self._fail(guilty, str(error), None, killed=True)
        self._stop()
        return guilty

    def _fail(self, number: int, error: str, line: int | None, *, killed: bool) -> None:
        self.killed = self.killed or killed
        self._failed[number] = {"cell": number, "line": line, "error": error, "killed": killed}

    def _stop(self) -> None:
        if self._student is not None:
            self._student.close()
            self._student = None


class Functions:
    """The student's functions as attributes; calls are charged to a question."""

    def __init__(self, session: Session, question: str):
        self._session, self._question = session, question

    def __getattr__(self, name: str) -> Callable:
        return lambda *args, **kwargs: self._session.call(self._question, name, *args, **kwargs)


def judge(assignment: Assignment, run: Callable[[HiddenTest], Verdict]) -> list[dict[str, Any]]:
    """Run each hidden test; return the score and the messages of each question."""
    questions: dict[str, dict[str, Any]] = {
        name: {
            "question": name,
            "score": 0,
            "max_score": points,
            "messages": [],
            "exceptions": [],
        }
        for name, points in assignment.questions.items()
    }
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
    except Exception as error:
        raise HiddenTestError(
            f"hidden test {test.name} of {assignment.chapter} failed by itself: "
            f"{type(error).__name__}: {error}"
        ) from error
    return Verdict(None)


# Types that a message may name. Students choose the names of others, which could hold an input.
UNUSABLE = {
    *("a dict", "a set", "a complex", "a bytes", "a function", "a generator", "a type"),
    *("an array of dtype object", "an array of dtype complex128", "lists nested too deeply"),
}


def _explain(error: StudentError) -> str:
    """Explain an exception without its text, which only the teacher may see."""
    if error.kind == "missing":
        return "Your notebook has no such function, or the cell that defines it failed."
    if error.kind == "unusable":
        what = error.text if error.text in UNUSABLE else "something else"
        return f"Expected is a number, an array or a tuple of them; your function returned {what}."
    if error.kind == "NotImplementedError":
        return "It has not been answered yet."
    known = isinstance(getattr(builtins, error.kind, None), type)
    return f"Your function raised {error.kind if known else 'an exception of its own kind'}."
