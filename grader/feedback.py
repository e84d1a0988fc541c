"""The feedback page for a student, which quotes no hidden input, output or exception."""

from __future__ import annotations

from typing import Any

from .grading import INFRASTRUCTURE, INVALID, KILLED
from .names import visible


def markdown(result: dict[str, Any]) -> str:
    """Feedback on a result, as a Markdown page."""
    lines = [
        f"# {result['chapter']}: {_score(result)}",
        "",
        f"For {_plain(result['student'])}.",
        "",
    ]
    lines += [*_remarks(result), ""]
    for question in result["questions"]:
        done = question["score"] == question["max_score"]
        lines.append(
            f"## {question['question']}: {question['score']} of {question['max_score']}"
            f" {'✓' if done else ''}".rstrip()
        )
        lines += ["", *(f"- {message}" for message in question["messages"])]
        lines += [""] if question["messages"] else []
    return "\n".join(lines).rstrip() + "\n"


def gradescope(result: dict[str, Any]) -> dict[str, Any]:
    """Result as Gradescope reads it from ``results.json``."""
    return {
        "score": result["score"],
        "output": "\n".join(_remarks(result)),
        "output_format": "md",
        "tests": [
            {
                "name": question["question"],
                "score": question["score"],
                "max_score": question["max_score"],
                "output": "\n".join(question["messages"]),
                "output_format": "text",
            }
            for question in result["questions"]
        ],
    }


def _score(result: dict[str, Any]) -> str:
    if result["score"] is None:
        return "not graded yet"
    return f"{result['score']} of {result['max_score']} points"


def _remarks(result: dict[str, Any]) -> list[str]:
    """Lines about the whole notebook."""
    status = result["status"]
    if status == INFRASTRUCTURE:
        return ["The grader failed, not your notebook. Your teacher will run it again."]
    if status == INVALID:
        return [f"Your file cannot be graded: {_plain(result['detail'])}."]
    lines = []
    if status == KILLED:
        stopped = "A part of your notebook had to be stopped; the questions below say which."
        lines += [stopped, ""]
    for cell in result["cells"]:
        where = f"Cell {cell['cell']}" + (f", line {cell['line']}" if cell["line"] else "")
        lines.append(f"- {where} {cell['message']}.")
    if result["more_cells"]:
        lines.append(f"- And {result['more_cells']} more cells failed.")
    if result["score"] == result["max_score"]:
        # After a list only an empty line begins a new paragraph.
        lines += [""] * bool(result["cells"]) + ["Everything is right."]
    return lines


def _plain(text: str) -> str:
    """Text from a student as one line of code, so that Markdown and HTML do not interpret it."""
    shown = " ".join(text.split()).replace("`", "'")
    return f"`{visible(shown)}`"
