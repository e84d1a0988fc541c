"""The chapters that the tests of the book look at: the project's own, or copies with a fault."""

from pathlib import Path

from tools.facts import ROOT


def pytest_addoption(parser):
    parser.addoption(
        "--chapters", type=Path, default=ROOT / "chapters", help="folder of the notebooks to check"
    )


def pytest_generate_tests(metafunc):
    if "chapter" in metafunc.fixturenames:
        paths = sorted(metafunc.config.getoption("--chapters").glob("*.ipynb"))
        assert paths, "no chapter found"
        metafunc.parametrize("chapter", paths, ids=lambda path: path.stem)
