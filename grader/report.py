"""The report on a class: ``grades.csv`` for the gradebook, ``summary.html`` for the teacher."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from statistics import mean, median
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .grading import INFRASTRUCTURE, INVALID, KILLED, NOT_ANSWERED, OK
from .names import safe, visible
from .results import BATCH, write_atomically
from .submissions import BatchError

COLUMNS = ("student", "status", "score", "max_score")
NEEDED = (*COLUMNS, "chapter", "detail", "questions")  # of a result
MEANING = {
    OK: "graded",
    KILLED: "graded; a cell or a call had to be stopped",
    INVALID: "no notebook of this assignment that can be read: no points",
    INFRASTRUCTURE: "not graded, the grader failed: run again with --resume",
}
# Students choose their names and messages quote them: everything that is filled in is escaped.
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)
TEMPLATES.filters["visible"] = visible


def read(out: Path) -> list[dict[str, Any]]:
    """All results of a folder, sorted by student.

    Raises
    ------
    BatchError
        If the folder has no results, or a file in it is not a result.
    """
    results = []
    try:
        if not (out / BATCH).is_file():
            raise BatchError(f"{out} has no results; `python -m grader run` makes them")
        for file in sorted(out.glob("*.json")):
            if file.name != BATCH:
                results.append(_read_result(file))
    except OSError as error:
        raise BatchError(f"the results in {out} cannot be read: {error}") from None
    return sorted(results, key=lambda result: result["student"])


def _read_result(file: Path) -> dict[str, Any]:
    """Read a result; a file that is damaged or of another program has other fields."""
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
        if set(NEEDED) <= set(result) and result["status"] in MEANING:
            return result
    except (ValueError, TypeError, RecursionError):
        pass
    raise BatchError(f"{file} is not a result; delete it and run again with --resume")


def grades_csv(results: list[dict[str, Any]]) -> str:
    """Table of all results, with a row for each student and a column for each question."""
    names = list(dict.fromkeys(q["question"] for r in results for q in r["questions"]))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*COLUMNS, *names])
    for result in results:
        scores = {question["question"]: question["score"] for question in result["questions"]}
        row = [result["student"], *(result[column] for column in COLUMNS[1:])]
        writer.writerow([_cell(value) for value in (*row, *map(scores.get, names))])
    return stream.getvalue()


def _cell(value: object) -> object:
    """Value for a spreadsheet, which would run text that begins like a formula."""
    return safe(value) if isinstance(value, str) else "" if value is None else value


def write_report(out: str | Path) -> str:
    """Write ``grades.csv`` and ``summary.html``; return the summary as text.

    Parameters
    ----------
    out : str or Path
        Folder that `grader.batch.run` has written.

    Returns
    -------
    str
        The number of submissions with each status; of the notebooks that ran, the mean and median
        score, and the share of its points that each question brought.

    Raises
    ------
    BatchError
        If the folder has no results, or a file in it is not a result.
    """
    out = Path(out)
    results = read(out)
    if not results:
        raise BatchError(f"{out} has no results yet; give --resume to `python -m grader run`")
    # Without the mark at its front, spreadsheets read the file in the system's old encoding.
    write_atomically(out / "grades.csv", "\ufeff" + grades_csv(results))
    write_atomically(out / "summary.html", summary_page(results))
    return summary(results)


def summary(results: list[dict[str, Any]]) -> str:
    """Summary of a class as a few lines of text."""
    statuses = Counter(result["status"] for result in results)
    lines = [f"{len(results)} submissions: " + ", ".join(f"{n} {s}" for s, n in statuses.items())]
    if scores := _scores(results):
        lines.append(f"{_points(results)}: {_averages(scores)}")
        questions = _questions(results)
        width = max(len(question.name) for question in questions)
        for question in questions:
            bar = "█" * round(20 * question.share)
            lines.append(f"  {question.name:{width}}  {question.share:4.0%}  {bar}")
    for result in results:
        if result["status"] == INFRASTRUCTURE:
            detail = visible(result["detail"])
            lines.append(f"not graded: {visible(result['student'])}: {detail}")
    return "\n".join(lines)


def summary_page(results: list[dict[str, Any]]) -> str:
    """Summary of a class as a page of HTML."""
    statuses = Counter(result["status"] for result in results)
    scores, max_score = _scores(results), results[0]["max_score"]
    counts = Counter(scores)
    return TEMPLATES.get_template("summary.html.jinja").render(
        chapter=results[0]["chapter"],
        submissions=len(results),
        statuses=[(s, statuses[s], meaning) for s, meaning in MEANING.items() if statuses[s]],
        averages=_averages(scores) if scores else "",
        points=_points(results),
        max_score=max_score,
        counts=[counts[score] for score in range(max_score + 1)] if scores else [],
        most_frequent=max(counts, key=lambda score: (counts[score], score), default=None),
        questions=_questions(results),
        problems=[result for result in results if result["status"] != OK],
    )


def _graded(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results of notebooks that ran: averages and shares count these alone."""
    return [result for result in results if result["status"] in (OK, KILLED)]


def _scores(results: list[dict[str, Any]]) -> list[int]:
    return [result["score"] for result in _graded(results)]


def _points(results: list[dict[str, Any]]) -> str:
    """What the averages are about."""
    number = len(_graded(results))
    return f"of {results[0]['max_score']} points, {number} notebook{'s'[: number != 1]} that ran"


def _averages(scores: list[int]) -> str:
    return (
        f"mean {mean(scores):.1f}, median {median(scores):g}, "
        f"lowest {min(scores)}, highest {max(scores)}"
    )


class Question(NamedTuple):
    """How a class did on a question."""

    name: str
    share: float  # of its points that were earned
    not_answered: int  # number of notebooks
    mistakes: list[tuple[str, int]]  # the most frequent first, each with its count


def _questions(results: list[dict[str, Any]]) -> list[Question]:
    """How the class did on each question, as far as its notebooks ran."""
    earned: Counter[str] = Counter()
    possible: Counter[str] = Counter()
    not_answered: Counter[str] = Counter()
    mistakes: dict[str, Counter[str]] = {}
    for result in _graded(results):
        for question in result["questions"]:
            name = question["question"]
            earned[name] += question["score"]
            possible[name] += question["max_score"]
            wrong = [m for m in question["messages"] if not m.endswith(NOT_ANSWERED)]
            not_answered[name] += len(wrong) < len(question["messages"])
            mistakes.setdefault(name, Counter()).update(wrong)
    return [
        Question(
            name, earned[name] / possible[name], not_answered[name], mistakes[name].most_common()
        )
        for name in possible
    ]
