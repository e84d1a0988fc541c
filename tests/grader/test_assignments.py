"""Each assignment: its reference gets all points, its stub none, and mistakes get their message."""

import ast
import json
import re

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from grader import assignment, grade, notebook
from grader.__main__ import main
from grader.grading import judge, run_test
from grader.sandbox import Limits
from grader.student import Student
from tests.grader.notebooks import SEED, handed_in, renamed_source, save
from tests.grader.notebooks import notebook as a_notebook
from tests.site.toc import CHAPTERS, WITHOUT_ASSIGNMENT, WITHOUT_CHAPTER

NAMES = assignment.chapters()
WRONG = {
    chapter: [
        function
        for function in vars(
            assignment.load_module(assignment.ASSIGNMENTS / chapter / "wrong_answers.py")
        ).values()
        if hasattr(function, "told")
    ]
    for chapter in NAMES
}


CHECK = r"^check(_evidence)?\("
"""How a cell of checks begins."""


def student_copy(chapter):
    return assignment.ASSIGNMENTS / chapter / f"{chapter}.ipynb"


def test_every_chapter_that_brings_a_loss_has_an_assignment():
    of_chapters = {page.split("/")[1] for page in CHAPTERS} - WITHOUT_ASSIGNMENT
    assert set(NAMES) == of_chapters | WITHOUT_CHAPTER


@pytest.mark.parametrize("chapter", NAMES)
class TestAssignment:
    def test_has_the_size_that_students_are_told(self, chapter):
        loaded = assignment.load(chapter)
        assert loaded.max_score == 20
        text = "".join(assignment.load_master(chapter)["cells"][1]["source"])
        if chapter in WITHOUT_CHAPTER:
            assert "20 points, two to three hours" in text
        else:
            assert 4 <= len(loaded.questions) <= 6
            assert "20 points, 60 to 90 minutes" in text

    def test_says_the_points_of_each_question(self, chapter):
        """Of the functions below a heading, which are one, or in some assignments two."""
        said, points = [], assignment.load(chapter).questions
        for cell in assignment.load_master(chapter)["cells"]:
            source = "".join(cell["source"])
            if heading := re.search(r"^## \d+\..*\((\d+) points\)$", source, re.M):
                said.append((int(heading[1]), []))
            elif cell["cell_type"] == "code" and notebook.BEGIN in source:
                said[-1][1].extend(re.findall(r"^def (\w+)", source, re.M))
        assert [name for _, names in said for name in names] == list(points)
        assert all(total == sum(points[name] for name in names) for total, names in said)

    def test_each_solution_is_followed_by_a_check(self, chapter):
        code = [
            "".join(cell["source"])
            for cell in assignment.load_master(chapter)["cells"]
            if cell["cell_type"] == "code"
        ]
        for position, source in enumerate(code):
            if notebook.BEGIN in source:
                (name,) = re.findall(r"^def (\w+)", source, re.M)
                assert re.search(rf"{CHECK}\s*{name},", code[position + 1], re.M)

    def test_checks_hold_bare_numbers(self, chapter):
        for cell in assignment.load_master(chapter)["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and re.search(r"^check\(", source, re.M):
                assert not formulas(source)

    def test_the_site_hides_the_installation_and_folds_the_checks(self, chapter):
        for position, cell in enumerate(assignment.load_master(chapter)["cells"]):
            folded = re.search(CHECK, "".join(cell["source"]), re.M)
            expected = ["remove-cell"] if position == 0 else ["hide-input"] if folded else []
            assert cell["metadata"].get("tags", []) == expected

    def test_reference_gets_all_points(self, chapter, tmp_path, sandbox):
        result = grade(save(handed_in(chapter), tmp_path / "a.ipynb"), chapter, seed=SEED)
        assert (result["status"], result["score"], result["cells"]) == ("ok", 20, [])

    def test_reference_gets_all_points_for_other_seeds(self, chapter, running):
        for seed in ("another", "a third"):
            assert not running[chapter].lost(seed)

    def test_untouched_stub_gets_none(self, chapter, sandbox):
        result = grade(student_copy(chapter), chapter, seed=SEED)
        assert (result["status"], result["score"], result["cells"]) == ("ok", 0, [])
        for question in result["questions"]:
            assert all("has not been answered yet" in text for text in question["messages"])

    def test_copy_for_students_is_built_from_the_master(self, chapter):
        stored = student_copy(chapter).read_text(encoding="utf-8")
        made = notebook.dump(notebook.without_solutions(assignment.load_master(chapter)))
        assert stored == made

    def test_copy_differs_from_the_master_in_solutions_alone(self, chapter):
        master = assignment.load_master(chapter)
        student = json.loads(student_copy(chapter).read_text(encoding="utf-8"))
        solution = re.compile(
            rf"^([ ]*){notebook.BEGIN}\n.*?^[ ]*{notebook.END}$", re.MULTILINE | re.DOTALL
        )
        for ours, theirs in zip(master["cells"], student["cells"], strict=True):
            source = "".join(ours["source"])
            stub = r"\1# YOUR CODE HERE\n\1raise NotImplementedError"
            ours["source"], theirs["source"] = solution.sub(stub, source), "".join(theirs["source"])
        assert master == student

    def test_visible_checks_say_right_or_waiting(self, chapter, capsys):
        for source, word in (
            (assignment.load_master(chapter), ": right."),
            (json.loads(student_copy(chapter).read_text("utf-8")), ": waiting for"),
        ):
            run_cells(source)
            said = capsys.readouterr().out.splitlines()
            assert len(said) >= len(assignment.load(chapter).questions)
            assert all(word in line for line in said), said

    def test_has_enough_wrong_answers(self, chapter):
        assert len(WRONG[chapter]) >= 6
        assert {function.question for function in WRONG[chapter]} == set(
            assignment.load(chapter).questions
        )


def formulas(source):
    """Formulas among the results in the checks of a cell: they would spell the answer out."""
    calls = [
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Expr) and ast.unparse(node.value.func) == "check"
    ]
    assert calls, "each cell of checks calls `check` alone"
    results = [
        keyword.value
        for call in calls
        for keyword in call.keywords
        if keyword.arg in ("expected", "mistakes")
    ]
    assert len(results) >= len(calls), "each check gives what is expected"
    return [ast.unparse(result) for result in results if not is_bare(result)]


def is_bare(result):
    """Whether a result, or a dict of results, holds only numbers and arrays of numbers."""
    for node in ast.walk(result):
        if isinstance(node, ast.Call) and ast.unparse(node.func) not in ("np.array", "np.full"):
            return False
        if isinstance(node, ast.Attribute) and node.attr not in ("array", "full", "inf", "nan"):
            return False
        if isinstance(node, ast.BinOp | ast.Compare | ast.Lambda | ast.GeneratorExp | ast.ListComp):
            return False
        if isinstance(node, ast.Name) and node.id != "np":
            return False
    return True


@pytest.mark.parametrize(
    ("result", "bare"),
    [
        ("3", True),
        ("(-2.0, np.array([[1, np.inf]]))", True),
        ("{'A mistake.': np.nan}", True),
        ("3 * (7 - 3) / 4", False),
        ("np.log(2)", False),
        ("{'A mistake.': (1, 2 / 3)}", False),
        ("np.pi", False),
        ("answer", False),
    ],
)
def test_formula_is_told_from_bare_numbers(result, bare):
    assert bool(formulas(f"check(f, [1.0], expected={result})")) != bare


def run_cells(source):
    """Run a notebook's code, as IPython would, with lossutils installed."""
    names = {"get_ipython": lambda: pytest.fail("where lossutils is, the first cell does nothing")}
    for cell in source["cells"]:
        if cell["cell_type"] == "code":
            code = TransformerManager().transform_cell("".join(cell["source"]))
            exec(compile(code, "<cell>", "exec"), names)


class RunningNotebook:
    """The reference solution of a chapter, running in a sandbox, with answers that can be replaced.

    One sandbox serves all wrong answers to a chapter, since to start one takes longer than to run
    the hidden tests.
    """

    def __init__(self, chapter):
        self.assignment = assignment.load(chapter)
        self._student = Student(Limits(total=600.0, total_wall=3600.0))
        self.run(handed_in(chapter))

    def run(self, content):
        for cell in notebook.code_cells(json.dumps(content).encode()):
            self._student.run_cell(cell.source, f"<cell {cell.number}>")

    def call(self, question, function, *args, **kwargs):
        return self._student.call(function, *args, **kwargs)

    def lost(self, seed):
        """Questions that lose points, with the messages to the student."""
        questions = judge(self.assignment, lambda test: run_test(test, self.assignment, self, seed))
        return {q["question"]: q["messages"] for q in questions if q["score"] < q["max_score"]}

    def close(self):
        self._student.close()


@pytest.fixture(scope="module")
def running(sandbox):
    """A `RunningNotebook` of each chapter."""
    notebooks = {chapter: RunningNotebook(chapter) for chapter in NAMES}
    yield notebooks
    for each in notebooks.values():
        each.close()


@pytest.mark.parametrize(
    ("chapter", "wrong"),
    [(chapter, wrong) for chapter in NAMES for wrong in WRONG[chapter]],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_typical_mistake_is_named(chapter, wrong, running):
    file = assignment.ASSIGNMENTS / chapter / "wrong_answers.py"
    student = running[chapter]
    student.run(a_notebook(renamed_source(wrong, file, wrong.question)))
    try:
        for seed in (SEED, "another"):
            lost = student.lost(seed)
            assert wrong.question in lost, "it was taken for right"
            assert any(wrong.told in text for text in lost[wrong.question]), lost
            # An answer may build upon another, but not upon one that comes later.
            order = list(student.assignment.questions)
            assert min(map(order.index, lost)) == order.index(wrong.question)
    finally:
        student.run(handed_in(chapter))


def test_build_command_writes_the_same_file(capsys):
    before = {chapter: student_copy(chapter).read_bytes() for chapter in NAMES}
    assert main(["build"]) == 0
    assert {chapter: student_copy(chapter).read_bytes() for chapter in NAMES} == before
    assert len(capsys.readouterr().out.split()) == len(NAMES)
