"""Makes the notebooks that the tests of the grader hand in."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader import assignment

SEED = "a seed that only the tests use"
Notebook = dict[str, Any]


def code(*sources: str) -> list[dict[str, Any]]:
    """Code cells with these sources."""
    return [
        {
            "cell_type": "code",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for source in sources
    ]


def notebook(*sources: str) -> Notebook:
    """Notebook of code cells with these sources."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel}
    return {"cells": code(*sources), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def handed_in(chapter: str, *more: str) -> Notebook:
    """The master notebook of a chapter, which has the solutions, with more cells at its end."""
    master = assignment.load_master(chapter)
    master["cells"] += code(*more)
    return master


def renamed_source(function: Callable, file: Path, name: str) -> str:
    """Source of a function in a file, renamed and without its decorators."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    (node,) = (
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__
    )
    node.name, node.decorator_list = name, []
    return ast.unparse(node)


def save(content: Notebook, file: Path) -> Path:
    """Write a notebook to a file, and return the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def write_all(folder: Path, **contents: bytes) -> Path:
    """Write a notebook for each student into a folder, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for student, content in contents.items():
        (folder / f"{student}.ipynb").write_bytes(content)
    return folder
