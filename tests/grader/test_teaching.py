"""What teachers and students are told, and what must not be published."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from grader import assignment, notebook
from grader.__main__ import _parser
from tests.site.conftest import SITE

ROOT = Path(__file__).parents[2]
NAMES = assignment.chapters()
REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]
NAME = REPOSITORY["url"].removeprefix("https://github.com/")
GUIDE = (ROOT / "appendix" / "teaching.md").read_text("utf-8")


def published():
    """Text of every file of the site."""
    files = [path for path in SITE.rglob("*") if path.is_file()]
    assert files, "the site is not built; run: make book"
    return {path: path.read_bytes().decode("utf-8", "ignore") for path in files}


@pytest.mark.parametrize("chapter", NAMES)
def test_chapter_links_to_its_assignment(chapter):
    cells = json.loads((ROOT / "chapters" / f"{chapter}.ipynb").read_text("utf-8"))["cells"]
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    file, branch = f"assignments/{chapter}/{chapter}.ipynb", REPOSITORY["branch"]
    for address in (
        f"{REPOSITORY['url']}/blob/{branch}/{file}",
        f"https://colab.research.google.com/github/{NAME}/blob/{branch}/{file}",
        f"https://mybinder.org/v2/gh/{NAME}/{branch}?urlpath=lab/tree/{file}",
    ):
        assert f"]({address})" in text
    assert (ROOT / file).is_file()


@pytest.mark.parametrize("chapter", NAMES)
def test_assignment_links_to_its_chapter(chapter):
    second = "".join(assignment.load_master(chapter)["cells"][1]["source"])
    assert f"](../../chapters/{chapter}.ipynb)" in second


def test_no_solution_and_no_hidden_test_is_published():
    secrets = {
        line.strip()
        for chapter in NAMES
        for source in notebook_solutions(chapter)
        for line in source
    }
    secrets |= {test.message for chapter in NAMES for test in assignment.load(chapter).tests}
    assert len(secrets) > 100
    for path, text in published().items():
        assert "hidden_tests" not in path.name
        assert path.stem not in ("master", "wrong_answers")
        assert not [secret for secret in secrets if secret in text], path


def notebook_solutions(chapter):
    """Lines of solutions that are long enough to be told from what chapters show."""
    for source in assignment.solution_cells(assignment.load_master(chapter)):
        solution = source.split(notebook.BEGIN)[1].split(notebook.END)[0]
        yield [line for line in solution.splitlines() if len(line.strip()) > 45]


def test_no_seed_is_in_the_repository():
    for path in ROOT.glob("**/*seed*"):
        assert {".venv", "_build", ".git"} & set(path.relative_to(ROOT).parts), path


def test_commands_of_the_guide_exist():
    commands = re.findall(r"^ *\.venv/bin/python -m grader ((?:.*\\\n)*.*)", GUIDE, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        _parser().parse_args(shlex.split(command.replace("\\\n", " ")))


def test_example_of_the_guide_works(tmp_path, sandbox):
    """The guide's function, check and hidden test, put together as it says."""
    blocks = [
        re.sub(r"^   ", "", block, flags=re.MULTILINE)
        for block in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    ]
    solution, check, test = blocks
    cells = [
        {"cell_type": "code", "source": source, "outputs": [], "execution_count": None}
        for source in (solution, check)
    ]
    assert "raise NotImplementedError" in "".join(
        notebook.without_solutions({"cells": cells})["cells"][0]["source"]
    )
    names = {}
    exec("import numpy as np\nfrom grader import compare, hidden_test\n" + test, names)
    exec("from lossutils.selfcheck import check\n" + solution + check, names)
    hidden = names["midrange_of_random_numbers"]

    class Student:
        midrange = staticmethod(names["midrange"])

    class Mistaken:
        midrange = staticmethod(names["np"].mean)

    rng = names["np"].random.default_rng
    hidden(Student, Student, rng(0))
    with pytest.raises(assignment.WrongAnswer, match="That is the mean"):
        hidden(Mistaken, Student, rng(0))
