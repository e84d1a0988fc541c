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

from .batch import BATCH, BatchError, write_atomically
from .grading import INFRASTRUCTURE, INVALID, KILLED, OK

COLUMNS = ("student", "status", "score", "max_score")
MEANING = {
    OK: "graded",
    KILLED: "graded; a cell or a call had to be stopped",
    INVALID: "no notebook, or not one that can be read: no points",
    INFRASTRUCTURE: "not graded, the grader failed: run again with --resume",
}
# Students choose their names and messages quote them: everything that is filled in is escaped.
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)


def read(out: Path) -> list[dict[str, Any]]:
    """All results of a folder, sorted by student.

    Raises
    ------
    BatchError
        If the folder has no results, or a file in it is not a result.
    """
    if not (out / BATCH).is_file():
        raise BatchError(f"{out} has no results; `python -m grader run` makes them")
    results = []
    for file in sorted(out.glob("*.json")):
        if file.name == BATCH:
            continue
        try:
            result = json.loads(file.read_text(encoding="utf-8"))
            result["student"], result["status"], result["questions"]
        except (ValueError, KeyError, TypeError):
            raise BatchError(
                f"{file} is not a result; delete it and run again with --resume"
            ) from None
        results.append(result)
    return sorted(results, key=lambda result: result["student"])


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
    if isinstance(value, str):
        value = value.encode("utf-8", "backslashreplace").decode()
        return "'" + value if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
    return "" if value is None else value


def write_report(out: str | Path) -> str:
    """Write ``grades.csv`` and ``summary.html``; return the summary as text.

    Parameters
    ----------
    out : str or Path
        Folder that `grader.batch.run` has written.

    Returns
    -------
    str
        The number of submissions with each status, the mean and median score, and the share of its
        points that each question brought.

    Raises
    ------
    BatchError
        If the folder has no results, or a file in it is not a result.
    """
    out = Path(out)
    results = read(out)
    if not results:
        raise BatchError(f"{out} has no results yet; give --resume to `python -m grader run`")
    write_atomically(out / "grades.csv", grades_csv(results))
    write_atomically(out / "summary.html", summary_page(results))
    return summary(results)


def summary(results: list[dict[str, Any]]) -> str:
    """Summary of a class as a few lines of text."""
    statuses = Counter(result["status"] for result in results)
    lines = [f"{len(results)} submissions: " + ", ".join(f"{n} {s}" for s, n in statuses.items())]
    if scores := _scores(results):
        lines.append(f"score of {results[0]['max_score']}: {_averages(scores)}")
        questions = _questions(results)
        width = max(len(question.name) for question in questions)
        for name, share, _ in questions:
            lines.append(f"  {name:{width}}  {share:4.0%}  {'█' * round(20 * share)}")
    for result in results:
        if result["status"] == INFRASTRUCTURE:
            lines.append(f"not graded: {result['student']!r}: {result['detail']}")
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
        max_score=max_score,
        counts=[counts[score] for score in range(max_score + 1)] if scores else [],
        most_frequent=max(counts, key=lambda score: (counts[score], score), default=None),
        questions=_questions(results),
        problems=[result for result in results if result["status"] != OK],
    )


def _scores(results: list[dict[str, Any]]) -> list[int]:
    return [result["score"] for result in results if result["score"] is not None]


def _averages(scores: list[int]) -> str:
    return (
        f"mean {mean(scores):.1f}, median {median(scores):g}, "
        f"lowest {min(scores)}, highest {max(scores)}"
    )


class Question(NamedTuple):
    """How a class did on a question."""

    name: str
    share: float  # of its points that were earned
    messages: list[tuple[str, int]]  # the most frequent first, each with its count


def _questions(results: list[dict[str, Any]]) -> list[Question]:
    """How the class did on each question, as far as its notebooks could be read."""
    earned: Counter[str] = Counter()
    possible: Counter[str] = Counter()
    messages: dict[str, Counter[str]] = {}
    for result in results:
        if result["status"] != INVALID:
            for question in result["questions"]:
                name = question["question"]
                earned[name] += question["score"]
                possible[name] += question["max_score"]
                messages.setdefault(name, Counter()).update(question["messages"])
    return [
        Question(name, earned[name] / possible[name], messages[name].most_common())
        for name in possible
    ]
