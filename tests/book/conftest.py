"""The chapters that the tests of the book look at, and the faults that nbval must find in them."""

import copy
from pathlib import Path

from nbval.plugin import IPyNbCell, NbCellError

from tests.book.faults import IN_RUN, code_cells
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


def pytest_collection_modifyitems(items):
    """Put a copy with a fault before a cell of each chapter that nbval runs, for each of IN_RUN.

    The copy runs in the chapter's kernel, since another would have to run all cells before it.
    """
    originals = {
        (item.parent, item.cell_num): item
        for item in items
        if isinstance(item, IPyNbCell) and item.path.parent == ROOT / "chapters"
    }
    for chapter in {item.parent for item in originals.values()}:
        for fault, report in IN_RUN.items():
            notebook = copy.deepcopy(chapter.nb)
            cell = fault(notebook)
            original = originals.get((chapter, code_cells(notebook).index(cell)))
            if original:  # the command line may have asked for other cells
                items.insert(items.index(original), faulty(original, cell, fault, report))


def faulty(original, cell, fault, report):
    """Make the test of a cell with a fault."""
    test = FaultyCell.from_parent(
        original.parent,
        name=f"{original.name} with a fault: {fault.__name__}",
        cell_num=original.cell_num,
        cell=cell,
        options=original.options,
    )
    test.expected = report
    return test


# Code for the kernel. IPython's shell keeps the names, where the chapter does not see them.
KEEP = """
def keep(shell):
    from copy import deepcopy
    from numpy.random import Generator
    names = shell.user_ns.items()
    shell.kept = {k: deepcopy(v) if isinstance(v, Generator) else v for k, v in names}

keep(get_ipython())
"""
RESTORE = """
def restore(shell):
    shell.user_ns.clear()
    shell.user_ns.update(shell.kept)

restore(get_ipython())
"""


class FaultyCell(IPyNbCell):
    """A cell with a fault. The test passes if nbval reports the fault.

    It leaves all names and random generators as they were. If the cell changes anything else in
    place, the original, which runs next, fails.
    """

    def runtest(self):
        """Run the cell as nbval does, and expect the report."""
        self.run_unseen(KEEP)
        try:
            super().runtest()
        except NbCellError as error:
            report = f"{error}\n{error.inner_traceback}"
        else:
            report = "nothing"
        self.run_unseen(RESTORE)
        assert self.expected in report, f"expected {self.expected!r}, nbval reported {report}"

    def run_unseen(self, code):
        """Run code that is no cell of the chapter."""
        reply = self.parent.kernel.kc.execute(code, silent=True, reply=True)["content"]
        assert reply["status"] == "ok", reply
