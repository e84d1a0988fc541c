"""A student's notebook that runs: its functions can be called, and it restarts after a kill."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from .notebook import Cell
from .sandbox import Limits
from .student import Forged, Killed, Spent, Student, StudentError

MAX_CELLS = 50  # of those that fail, which are recorded
# Types that a message may name. Students choose the names of others, which could hold an input.
EXCEPTIONS = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
HINTS = {"ModuleNotFoundError": " (only NumPy is there while grading)"}


def type_name(kind: str) -> str:
    """Name of an exception's type, if it is one of Python's own."""
    return kind if kind in EXCEPTIONS else "an exception of its own kind"


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
        self._failed: dict[int, dict[str, Any]] = {}  # the first cells that failed
        self._more: set[int] = set()  # the numbers of the others
        self._killed: dict[int, str] = {}  # cells that were killed, and the reason
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
        """The first `MAX_CELLS` cells that raised an exception or were killed, in order."""
        return [self._failed[number] for number in sorted(self._failed)]

    @property
    def more_cells(self) -> int:
        """Number of cells that failed and are not among the first."""
        return len(self._more)

    @property
    def late(self) -> bool:
        """Whether it was stopped because the machine was busy."""
        return self._spent.late

    def reasons(self) -> str:
        """One line that says what was killed and why."""
        cells = [f"cell {number}: {why}" for number, why in sorted(self._killed.items())]
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
                if cell.number in self._killed:
                    continue
                before, self._last = self._last, cell.number
                try:
                    self._student.run_cell(cell.source, f"<cell {cell.number}>")
                except StudentError as error:
                    self._raised(cell, error)
                except Forged as error:
                    self._blame(before, error)
                    break
                except Killed as error:
                    self._stopped(cell.number, error)
                    self._stop()
                    break

    def _blame(self, guilty: str | int | None, error: Forged) -> str | int | None:
        """Punish the question or cell whose request got a second, forged reply."""
        self.killed = True
        if isinstance(guilty, str):
            self._lost[guilty] = self.forged[guilty] = str(error)
        elif guilty is not None:
            self._stopped(guilty, error)
        self._stop()
        return guilty

    def _raised(self, cell: Cell, error: StudentError) -> None:
        """Record a cell that raised an exception."""
        # Only a line that the cell has, since a number of the student's choice could hold an input.
        line = error.line if (error.line or 0) <= cell.source.count("\n") + 1 else None
        message = f"raised {type_name(error.kind)}{HINTS.get(error.kind, '')}"
        self._record(cell.number, str(error), message, line)

    def _stopped(self, number: int, error: Killed) -> None:
        """Record a cell that was killed; the reason is the grader's own."""
        self.killed, self._killed[number] = True, str(error)
        self._record(number, str(error), f"was stopped: {error}", None)

    def _record(self, number: int, error: str, message: str, line: int | None) -> None:
        if len(self._failed) == MAX_CELLS and number not in self._failed:
            self._more.add(number)
            return
        self._failed[number] = {
            "cell": number,
            "line": line,
            "error": error,
            "message": message,
            "killed": number in self._killed,
        }

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
