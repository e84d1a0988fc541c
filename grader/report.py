"""Results folded into ``grades.csv`` and a summary with the distribution of the scores."""

from __future__ import annotations

import csv
import html
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

from .batch import BATCH, BatchError, write_text
from .grading import INFRASTRUCTURE, INVALID, KILLED, OK

COLUMNS = ("student", "status", "score", "max_score")


def read(out: Path) -> list[dict[str, Any]]:
    """All results of a folder, sorted by student.

    Raises
    ------
    BatchError
        If the folder has no results, or a file in it is none.
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
    """Table of all results: a line a student, a column a question."""
    names = list(dict.fromkeys(q["question"] for r in results for q in r["questions"]))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*COLUMNS, *names])
    for result in results:
        scores = {question["question"]: question["score"] for question in result["questions"]}
        line = [result["student"], *(result[column] for column in COLUMNS[1:])]
        writer.writerow([_cell(value) for value in (*line, *map(scores.get, names))])
    return stream.getvalue()


def _cell(value: object) -> object:
    """Value as spreadsheets may read it: text that begins like a formula is made plain text."""
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
        Numbers of each status, mean and median, and each question's share of points.

    Raises
    ------
    BatchError
        If the folder has no results, or a broken one.
    """
    out = Path(out)
    results = read(out)
    if not results:
        raise BatchError(f"{out} has no results yet; give --resume to `python -m grader run`")
    write_text(out / "grades.csv", grades_csv(results))
    write_text(out / "summary.html", _page(results))
    return summary(results)


def summary(results: list[dict[str, Any]]) -> str:
    """Summary in a few lines of text."""
    status = Counter(result["status"] for result in results)
    lines = [f"{len(results)} submissions: " + ", ".join(f"{n} {s}" for s, n in status.items())]
    if scores := _scores(results):
        lines.append(
            f"score of {results[0]['max_score']}: mean {_mean(scores):.1f}, "
            f"median {_median(scores):g}, lowest {min(scores)}, highest {max(scores)}"
        )
        width = max(len(name) for name, _, _ in _shares(results))
        for name, share, _ in _shares(results):
            lines.append(f"  {name:{width}}  {share:4.0%}  {'█' * round(20 * share)}")
    for result in results:
        if result["status"] == INFRASTRUCTURE:
            lines.append(f"not graded: {result['student']!r}: {result['detail']}")
    return "\n".join(lines)


def _scores(results: list[dict[str, Any]]) -> list[int]:
    return sorted(result["score"] for result in results if result["score"] is not None)


def _mean(values: list[int]) -> float:
    return sum(values) / len(values)


def _median(values: list[int]) -> float:
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def _shares(results: list[dict[str, Any]]) -> list[tuple[str, float, Counter[str]]]:
    """Each question: its name, the share of its points that was earned, and its messages."""
    earned: Counter[str] = Counter()
    most: Counter[str] = Counter()
    messages: dict[str, Counter[str]] = {}
    for result in results:
        if result["status"] != INVALID:
            for question in result["questions"]:
                name = question["question"]
                earned[name] += question["score"]
                most[name] += question["max_score"]
                messages.setdefault(name, Counter()).update(question["messages"])
    return [(name, earned[name] / most[name], messages[name]) for name in most]


# ---- the page ----------------------------------------------------------------------------------

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } td, th { padding: 0.2rem 0.8rem 0.2rem 0; text-align: left;
vertical-align: top; }
figure { margin: 1rem 0; overflow-x: auto; } svg { max-width: 100%; height: auto; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
"""
MEANING = {
    OK: "graded",
    KILLED: "graded; a cell or a call had to be stopped",
    INVALID: "no notebook, or not one that can be read: no points",
    INFRASTRUCTURE: "not graded, the grader failed: run again with --resume",
}


def _page(results: list[dict[str, Any]]) -> str:
    chapter, scores = html.escape(results[0]["chapter"]), _scores(results)
    status = Counter(result["status"] for result in results)
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>Grades: {chapter}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{STYLE}</style></head><body><main>",
        f"<h1>{chapter}: {len(results)} submissions</h1>",
        _table(
            ("Status", "Submissions", "Meaning"),
            [(name, status[name], meaning) for name, meaning in MEANING.items() if status[name]],
        ),
    ]
    if scores:
        parts += [
            "<h2>Scores</h2>",
            f"<p>Of {results[0]['max_score']} points: mean {_mean(scores):.1f}, median "
            f"{_median(scores):g}, lowest {min(scores)}, highest {max(scores)}.</p>",
            _figure(scores, results[0]["max_score"]),
            "<h2>Questions</h2>",
            _table(
                ("Question", "Points earned", "Most frequent message"),
                [
                    (name, f"{share:.0%}", "; ".join(f"{n} × {m}" for m, n in said.most_common(1)))
                    for name, share, said in _shares(results)
                ],
            ),
        ]
    odd = [result for result in results if result["status"] != OK]
    if odd:
        parts += [
            "<h2>To look at</h2>",
            _table(
                ("Student", "Status", "Why"),
                [(r["student"], r["status"], r["detail"]) for r in odd],
            ),
        ]
    return "\n".join([*parts, "</main></body></html>"]) + "\n"


def _table(head: tuple[str, ...], rows: list[tuple]) -> str:
    def cell(value: object) -> str:
        return f"<td{_class(value)}>{html.escape(str(value))}</td>"

    first = rows[0] if rows else head
    titles = "".join(
        f'<th scope="col"{_class(value)}>{title}</th>'
        for title, value in zip(head, first, strict=True)
    )
    body = "\n".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _class(value: object) -> str:
    """Numbers stand on the right of their column."""
    number = isinstance(value, int) or str(value).endswith("%")
    return ' class="number"' if number else ""


def _figure(scores: list[int], max_score: int) -> str:
    """Histogram of the scores, one bar a point, as an SVG for any background."""
    count = Counter(scores)
    bar, height, top, left = 24, 180, 24, 10
    tallest = max(count.values())
    shapes = []
    for score in range(max_score + 1):
        x, tall = left + bar * score, round(height * count[score] / tallest)
        shapes.append(
            f'<rect x="{x + 2}" y="{top + height - tall}" width="{bar - 4}" height="{tall}"/>'
        )
        if count[score]:
            shapes.append(_text(x + bar // 2, top + height - tall - 5, count[score]))
        if score % 5 == 0 or score == max_score:
            shapes.append(_text(x + bar // 2, top + height + 16, score))
    width = 2 * left + bar * (max_score + 1)
    shapes.append(f'<path d="M0 {top + height}.5H{width}" stroke="currentColor"/>')
    shapes.append(_text(width // 2, top + height + 36, "score"))
    label = (
        f"Bar chart of {len(scores)} scores from 0 to {max_score}; the most frequent is "
        f"{max(count, key=lambda score: (count[score], score))}, of {tallest} submissions."
    )
    return (
        f'<figure><svg role="img" aria-label="{label}" viewBox="0 0 {width} {top + height + 44}" '
        f'width="{width}" fill="#3b78b5" font-size="12">{"".join(shapes)}</svg></figure>'
    )


def _text(x: int, y: int, text: object) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="middle" fill="currentColor">{text}</text>'
