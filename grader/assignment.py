"""Assignments: the decorators that authors use, and the hidden tests that the grader loads.

Authors write ``assignments/<chapter>/hidden_tests.py`` with `hidden_test`, `compare` and `judge`,
and ``assignments/<chapter>/wrong_answers.py`` with `wrong_answer`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lossutils._compare import FLOOR, TOL, agrees, likely_mistake, numbers

from . import notebook

ASSIGNMENTS = Path(__file__).resolve().parent.parent / "assignments"


class AssignmentError(ValueError):
    """The assignment does not exist, or it has a mistake."""


class WrongAnswer(Exception):
    """A student's result is wrong; the message says how, and shows no hidden value."""


# ---- for authors -------------------------------------------------------------------------------


def hidden_test(question: str, *, points: int, message: str) -> Callable:
    """Mark a function as a hidden test.

    The function gets ``(student, reference, rng)``: two objects whose functions are the student's
    and the reference solution's, and a random generator that depends on the seed. It draws inputs
    and passes both results to `compare`.

    Parameters
    ----------
    question : str
        Name of the student's function that the test judges; it may have several tests.
    points : int
        What the test is worth.
    message : str
        What a student who fails reads first: the inputs that were tried, without their values.
    """

    def mark(function: Callable) -> Callable:
        function.question, function.points, function.message = question, points, message  # type: ignore[attr-defined]
        return function

    return mark


def wrong_answer(question: str, *, told: str) -> Callable:
    """Mark a function as a typical wrong answer to a question.

    Parameters
    ----------
    question : str
        Name of the student's function that it replaces.
    told : str
        Text that the message to the student must contain; it names the mistake.
    """

    def mark(function: Callable) -> Callable:
        function.question, function.told = question, told  # type: ignore[attr-defined]
        return function

    return mark


def compare(
    answer: object,
    expected: object,
    *,
    mistakes: Mapping[str, object] | Callable[[], Mapping[str, object]] | None = None,
    tol: float = TOL,
    floor: float = FLOOR,
) -> None:
    """Compare a student's result, of any kind, with the right one.

    The rule is that of the students' self-checks, `lossutils._compare.agrees`, unless a hidden test
    sets a tolerance of its own, since it asks for digits or its problem is ill-conditioned.

    Parameters
    ----------
    answer : object
        What the student's function returned.
    expected : number, array, str, or tuple of these
        What the reference solution returned.
    mistakes : dict of str to what a typical mistake returns, optional
        The student reads the first mistake that gives the student's result. A mistake that gives
        the right result on these inputs is skipped. If the dict takes long to compute, pass a
        function that returns it: it is called only for a wrong result.
    tol : float, default 1e-6
        Largest error that counts as right, relative to the largest of ``floor`` and both values.
    floor : float, default 1e-3
        Pass 0 if the digits of tiny values matter.

    Raises
    ------
    WrongAnswer
        If they differ. The message names the mistake if it is known, and shows no value.
    """
    if agrees(answer, expected, tol=tol, floor=floor):
        return
    known = mistakes() if callable(mistakes) else mistakes or {}
    mistake = likely_mistake(answer, expected, known, tol=tol, floor=floor)
    raise WrongAnswer(mistake or _difference(answer, expected, tol, floor))


def judge(
    student: object,
    reference: object,
    question: str,
    given: Sequence,
    mistakes: Callable[..., Mapping[str, object]],
    **how: float,
) -> None:
    """Call a function of the student and of the reference solution, and `compare` the results.

    Parameters
    ----------
    student, reference : object
        What a hidden test gets.
    question : str
        Name of the function.
    given : sequence
        Its arguments.
    mistakes : callable
        Called with the same arguments, but only for a wrong result, it returns what typical
        mistakes give.
    **how
        ``tol`` and ``floor``, as for `compare`.

    Raises
    ------
    WrongAnswer
        If the results differ.
    """
    answer, expected = (getattr(each, question)(*given) for each in (student, reference))
    compare(answer, expected, mistakes=lambda: mistakes(*given), **how)


def _difference(answer: object, expected: object, tol: float, floor: float) -> str:
    """Say what is wrong with an answer, without showing a hidden value."""
    if answer is None:
        return "Your function returned None: is its `return` missing?"
    if isinstance(expected, str):
        return "That is not the right answer." if isinstance(answer, str) else "A text is expected."
    if isinstance(expected, tuple):
        if not isinstance(answer, list | tuple) or len(answer) != len(expected):
            return f"A tuple of {len(expected)} results is expected."
        pairs = enumerate(zip(answer, expected, strict=True), start=1)
        number, (a, e) = next(
            (k, pair) for k, pair in pairs if not agrees(*pair, tol=tol, floor=floor)
        )
        return f"Of the {len(expected)} results, number {number}: " + _difference(a, e, tol, floor)
    a, e = numbers(answer), np.asarray(expected, dtype=np.float64)
    if a is None:
        return "Your result is not a number or an array of numbers."
    if a.ndim != e.ndim:
        return f"Your result is {_kind(a.ndim)}, expected is {_kind(e.ndim)}."
    if a.shape != e.shape:
        return "Your result has the wrong number of entries."
    if not np.isfinite(a[np.isfinite(e)]).all():
        return "Your result is infinite or not a number where the right one is finite."
    return "Your result is not the right one."


def _kind(ndim: int) -> str:
    return ("a single number", "a vector", "a matrix")[ndim] if ndim < 3 else f"{ndim}-dimensional"


# ---- for the grader ----------------------------------------------------------------------------


@dataclass(frozen=True)
class HiddenTest:
    """A hidden test with the question that it judges and the points that it is worth."""

    name: str
    question: str
    points: int
    message: str
    function: Callable


@dataclass(frozen=True)
class Assignment:
    """An assignment as the grader uses it.

    Attributes
    ----------
    chapter : str
        Its name, which is that of its chapter.
    tests : tuple of HiddenTest
        In the order of ``hidden_tests.py``.
    reference : object
        Its attributes are the functions of the master notebook's solutions.
    digest : str
        SHA-256 of the master notebook and the hidden tests.
    """

    chapter: str
    tests: tuple[HiddenTest, ...]
    reference: types.SimpleNamespace
    digest: str

    @property
    def questions(self) -> dict[str, int]:
        """Maximum points of each question, in the order of the tests."""
        points: dict[str, int] = {}
        for test in self.tests:
            points[test.question] = points.get(test.question, 0) + test.points
        return points

    @property
    def max_score(self) -> int:
        """Maximum points of the whole assignment."""
        return sum(test.points for test in self.tests)

    def rng(self, test: HiddenTest, seed: str) -> np.random.Generator:
        """Random generator of a test: the same for all students, whatever ran before."""
        digest = hashlib.sha256(f"{seed}/{self.chapter}/{test.name}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest, "big"))


def chapters() -> list[str]:
    """Names of all assignments."""
    return sorted(path.parent.name for path in ASSIGNMENTS.glob("*/master.ipynb"))


def folder(chapter: str) -> Path:
    """Folder of an assignment; raises `AssignmentError` if there is none of that name."""
    if chapter not in chapters():
        raise AssignmentError(
            f"there is no assignment {chapter!r}; there are {', '.join(chapters())}"
        )
    return ASSIGNMENTS / chapter


def load_master(chapter: str) -> dict[str, Any]:
    """Master notebook of a chapter."""
    return json.loads((folder(chapter) / "master.ipynb").read_text(encoding="utf-8"))


def load(chapter: str) -> Assignment:
    """Load the assignment of a chapter; raises `AssignmentError` if it has a mistake."""
    tests_file = folder(chapter) / "hidden_tests.py"
    module = load_module(tests_file)
    tests = tuple(
        HiddenTest(name, function.question, function.points, function.message, function)
        for name, function in vars(module).items()
        if hasattr(function, "points")
    )
    reference = _reference(chapter)
    for test in tests:
        if not hasattr(reference, test.question):
            raise AssignmentError(
                f"{tests_file}: {test.name} judges {test.question!r}, which no solution in "
                "master.ipynb defines"
            )
    if not tests:
        raise AssignmentError(f"{tests_file} has no hidden test")
    content = tests_file.read_bytes() + tests_file.with_name("master.ipynb").read_bytes()
    return Assignment(chapter, tests, reference, hashlib.sha256(content).hexdigest())


def load_module(file: Path) -> types.ModuleType:
    """Import a file of an assignment's folder, which is not a package."""
    spec = importlib.util.spec_from_file_location(
        f"assignment_{file.parent.name}_{file.stem}", file
    )
    if spec is None or spec.loader is None or not file.is_file():
        raise AssignmentError(f"{file} is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def solution_cells(master: dict[str, Any]) -> Iterator[str]:
    """Yield the source of each cell of a master notebook that contains a solution."""
    for cell in master["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and notebook.BEGIN in source:
            yield source


def _reference(chapter: str) -> types.SimpleNamespace:
    """Run the master's solutions in this process, which may trust them; return their functions."""
    names: dict[str, Any] = {"np": np, "__name__": f"reference_{chapter}"}
    for source in solution_cells(load_master(chapter)):
        exec(compile(source, f"{chapter}/master.ipynb", "exec", dont_inherit=True), names)
    return types.SimpleNamespace(
        **{name: value for name, value in names.items() if isinstance(value, types.FunctionType)}
    )
