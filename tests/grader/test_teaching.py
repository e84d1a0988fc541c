"""The guides for teachers agree with the course, and the site publishes no solution."""

import json
import re
import shlex
from functools import cache

import pytest
import yaml

from grader import assignment, notebook
from grader.__main__ import _parser
from tests.site.conftest import SITE
from tests.site.toc import WITHOUT_CHAPTER
from tools.facts import ROOT

NAMES = assignment.chapters()
OF_CHAPTERS = sorted(set(NAMES) - WITHOUT_CHAPTER)
REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]
NAME = REPOSITORY["url"].removeprefix("https://github.com/")
GUIDE = (ROOT / "appendix" / "grading.md").read_text("utf-8")
TEACHING = (ROOT / "appendix" / "teaching.md").read_text("utf-8")
CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))


def published():
    """Text of every file of the built site."""
    files = [path for path in SITE.rglob("*") if path.is_file()]
    assert files, "the site is not built; run: make book"
    return {path: path.read_bytes().decode("utf-8", "ignore") for path in files}


@pytest.mark.parametrize("chapter", OF_CHAPTERS)
def test_chapter_links_to_its_assignment(chapter):
    cells = json.loads((ROOT / "chapters" / f"{chapter}.ipynb").read_text("utf-8"))["cells"]
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    file, branch = f"assignments/{chapter}/{chapter}.ipynb", REPOSITORY["branch"]
    for address in (
        f"../{file}",
        f"https://colab.research.google.com/github/{NAME}/blob/{branch}/{file}",
        f"https://mybinder.org/v2/gh/{NAME}/{branch}?urlpath=lab/tree/{file}",
    ):
        assert f"]({address})" in text
    assert (ROOT / file).is_file()


@pytest.mark.parametrize("chapter", OF_CHAPTERS)
def test_assignment_links_to_its_chapter(chapter):
    second = "".join(assignment.load_master(chapter)["cells"][1]["source"])
    assert f"](../../chapters/{chapter}.ipynb)" in second


@pytest.mark.parametrize("name", sorted(WITHOUT_CHAPTER))
def test_an_assignment_without_a_chapter_is_linked_from_an_appendix(name):
    link = f"](../assignments/{name}/{name}.ipynb)"
    assert any(link in page.read_text("utf-8") for page in (ROOT / "appendix").glob("*.md"))


def test_no_solution_and_no_hidden_test_is_published():
    secrets = {
        line.strip()
        for chapter in NAMES
        for source in notebook_solutions(chapter)
        for line in source
        if line.strip() not in given(chapter)
    }
    secrets |= {test.message for chapter in NAMES for test in assignment.load(chapter).tests}
    assert len(secrets) > 100
    for path, text in published().items():
        assert "hidden_tests" not in path.name
        assert path.stem not in ("master", "wrong_answers")
        assert not [secret for secret in secrets if secret in text], path


def notebook_solutions(chapter):
    """Lines of solutions that are too long to occur in a chapter by chance."""
    for source in assignment.solution_cells(assignment.load_master(chapter)):
        solution = source.split(notebook.BEGIN)[1].split(notebook.END)[0]
        yield [line for line in solution.splitlines() if len(line.strip()) > 45]


@cache
def given(chapter):
    """Code that students are given, which a solution may repeat: a function with a bug."""
    copy = notebook.without_solutions(assignment.load_master(chapter))
    return "\n".join("".join(cell["source"]) for cell in copy["cells"])


def test_no_seed_is_in_the_repository():
    for path in ROOT.glob("**/*seed*"):
        folder = path.relative_to(ROOT).parts[0]
        assert folder.startswith(".venv") or folder in ("_build", ".git"), path


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


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter_has_three_or_four_goals_taught_in_it(chapter):
    goals = section("Learning goals").partition(f"(../chapters/{chapter}.ipynb)**")[2]
    goals = re.findall(r"^- (.*)", goals.partition("\n**[")[0], re.MULTILINE)
    assert len(goals) in (3, 4)
    for goal in goals:
        assert re.match(r"\*[A-Z][a-z]+\* ", goal), "a goal begins with what students do"
        assert f"(../chapters/{chapter}.ipynb#" in goal


@pytest.mark.parametrize("title", ["Six weeks", "Two days"])
def test_syllabus_teaches_every_chapter_and_sets_assignments_that_exist(title):
    syllabus = section(title)
    assert set(re.findall(r"chapters/(\w+)\.ipynb", syllabus)) == set(CHAPTERS)
    named = set(re.findall(r"`(\w+)`", syllabus))
    assert named <= set(NAMES)
    assert title != "Six weeks" or named == set(NAMES)


def test_each_answer_of_the_self_test_says_what_to_revise():
    answers = re.findall(r"<details>(.*?)</details>", section("What students must know"), re.DOTALL)
    assert len(answers) == 10
    assert all("*If wrong, revise* " in answer for answer in answers)


def test_each_misconception_has_a_cure_and_a_question():
    rows = [row.strip("| ").split(" | ") for row in section("Misconceptions").splitlines()]
    rows = [row for row in rows if len(row) == 3][1:]
    assert len(rows) >= 12
    for said, cure, question in rows:
        assert re.fullmatch('".*"', said)
        assert "](../chapters/" in cure
        assert "?" in question


def section(title):
    return re.search(rf"^## {title}.*?(?=^## |\Z)", TEACHING, re.MULTILINE | re.DOTALL)[0]
