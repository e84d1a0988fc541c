"""The checks of the chapters find the faults that are planted in copies of them.

Each rule must fail on a copy with the fault that it is for. The faults that nbval must find are in
conftest.py: they run with the chapters, since running is what takes the time. One chapter goes
through pytest in a process of its own, as all do in `make test`.
"""

import copy
import re
import subprocess
import sys

import nbformat
import pytest

from tests.book import printed, test_chapters
from tests.book.faults import (
    IN_FILE,
    IN_RUN,
    MYST,
    code_cells,
    misprint_a_sign,
    remove_alternative_text,
    use_myst,
)
from tools.facts import ROOT


def broken(rule, chapter, fault, **options):
    """Say whether a chapter with a fault breaks a rule."""
    notebook = copy.deepcopy(test_chapters.read(chapter))
    fault(notebook, **options)
    notebook = test_chapters.without_installation(notebook)
    try:
        getattr(test_chapters, rule)(notebook)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(("fault", "rule"), IN_FILE.items())
def test_a_fault_in_the_file_breaks_its_rule(fault, rule, chapter):
    assert broken(rule, chapter, fault)


@pytest.mark.parametrize("text", MYST)
def test_myst_in_any_spelling_breaks_its_rule(text, chapter):
    assert broken("test_markdown_is_plain", chapter, use_myst, text=text)


def test_a_misprint_is_found(chapter):
    notebook = copy.deepcopy(test_chapters.read(chapter))
    tag = misprint_a_sign(notebook)
    formulas = printed.formulas_in(chapter.stem, test_chapters.prose(notebook))
    (changed,) = [formula for formula in formulas if formula.name == tag]
    assert printed.examine(changed).fault


def lightest(config):
    return min(config.getoption("--chapters").glob("*.ipynb"), key=lambda path: path.stat().st_size)


def test_pytest_fails_for_the_faults_alone(tmp_path, request):
    chapter = lightest(request.config)
    rules, run = tmp_path / "rules", tmp_path / "run"
    rules.mkdir()
    run.mkdir()
    notebook = nbformat.read(chapter, as_version=4)
    nbformat.write(notebook, rules / "unchanged.ipynb")
    remove_alternative_text(notebook)
    nbformat.write(notebook, rules / "faulty.ipynb")
    changed = {fault: fault(notebook) for fault in IN_RUN}
    places = {fault: code_cells(notebook).index(cell) for fault, cell in changed.items()}
    assert len(set(places.values())) == len(places)
    del notebook.cells[max(map(notebook.cells.index, changed.values())) + 1 :]
    nbformat.write(notebook, run / "faulty.ipynb")

    options = ["-q", "-p", "no:cacheprovider", "--chapters", rules, "--nbval", run]
    report = subprocess.run(
        [sys.executable, "-m", "pytest", test_chapters.__file__, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    failed = set(re.findall(r"^FAILED (\S+::(?:Cell \d+|\S+))", report, re.MULTILINE))
    assert failed == {
        "tests/book/test_chapters.py::test_every_figure_has_alternative_text[faulty]",
        *(f"faulty.ipynb::Cell {place}" for place in places.values()),
    }, report
    for fault, place in places.items():
        section = re.split(rf"^_+ .*::Cell {place} _+$", report, flags=re.MULTILINE)[1]
        assert IN_RUN[fault] in re.split(r"^_+ .* _+$", section, flags=re.MULTILINE)[0], report
