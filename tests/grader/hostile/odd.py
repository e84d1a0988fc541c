"""Unusual submissions that are right and must lose nothing."""

from tests.grader.hostile.case import (
    FIRST,
    IMPORTS,
    SOLUTIONS,
    Case,
    altered,
    answer,
    cell,
    first_cell,
    saved,
    solved,
)
from tests.grader.notebooks import notebook

CASES: dict[str, Case] = {
    "honest": Case(saved(solved())),
    "byte order mark": Case(b"\xef\xbb\xbf" + saved(solved())),
    "no metadata": Case(altered(metadata={})),
    "odd metadata": Case(altered(metadata={"kernelspec": [], "language_info": {"name": 3}})),
    "reordered cells": Case(saved(notebook(*reversed([IMPORTS, *SOLUTIONS.values()])))),
    "duplicated cell": Case(saved(solved(after=SOLUTIONS[FIRST]))),
    "mutated arguments": answer(
        "scores -= targets\nscores *= scores\nreturn np.mean(scores)", lost=()
    ),
    "magics": cell(
        "%matplotlib inline\n!ls\nfiles = !ls\nnp.mean?\nx = (7\n     % 4)\n"
        "if x == 3:\n    %time pass"
    ),
    "cell magic": Case(saved(solved(first="%%time\n" + SOLUTIONS[FIRST]))),
    "shell cell": cell("%%bash\nrm -rf /"),
    "plots": first_cell(
        "import matplotlib.pyplot as plt\nfrom IPython.display import Markdown\n"
        "fig, (left, right) = plt.subplots(1, 2)\nleft.plot([1], [2])\nright.set_title('t')\n"
        "fig, ax = plt.subplots()\nwith plt.style.context('x'):\n    ax.plot(1)[0].set_label('y')\n"
        "plt.show()\ndisplay(Markdown('x'))\nfrom tqdm import tqdm\n"
        "assert [k for k in tqdm(range(3))] == [0, 1, 2]",
        lost=(),
    ),
    "self-check": cell("from lossutils.selfcheck import check\ncheck(len, [1], expected=1)"),
}
