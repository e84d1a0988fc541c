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
    "progress without a loop": cell(
        "from tqdm.auto import tqdm, trange\nwith tqdm(total=9, desc='x') as bar:\n"
        "    bar.update(3)\n    bar.set_postfix(loss=1)\ntqdm.write('x')\n"
        "assert list(tqdm([1, 2])) == [1, 2]\nassert len(trange(3, desc='x')) == 3\n"
        "for k in (steps := trange(3)):\n    steps.set_description(f'{k}')\nassert k == 2"
    ),
    "histogram": cell(
        "import matplotlib.pyplot as plt\nn, bins, patches = plt.hist([1, 2, 2.0], bins=2)\n"
        "assert n.tolist() == [1, 2] and bins.tolist() == [1, 1.5, 2]\n"
        "patches[0].set_facecolor('r')\nn, bins, patches = plt.hist([[1, 2], [3]], bins=None)\n"
        "plt.gca().hist([np.nan, 1.0])\nplt.gca().set_ylim(0, int(plt.ylim()[1]))"
    ),
    "unpacked plots": cell(
        "import matplotlib.pyplot as plt\nfig = plt.figure()\nleft, right = fig.subplots(1, 2)\n"
        "line, = left.plot([1], [2])\nwedges, texts, numbers = plt.pie([1], autopct='%d')\n"
        "low, high = plt.xlim()\nleft.set_ylim(0, 1.1 * high)\n"
        "y = np.ones(3) * right.get_ylim()[1]\nimport matplotlib\n"
        "print(f'{low:.2f}', matplotlib.__version__)"
    ),
    "display in Colab": cell(
        "from google.colab import drive\ndrive.mount('/content')\nimport seaborn as sns\n"
        "sns.set_theme()\nfrom ipywidgets import interact\n"
        "@interact(x=(0, 1))\ndef draw(x): pass"
    ),
    "files of a command": cell("files = !ls *.csv\nfor file in files: print(file)"),
    "a command on two lines": cell("!pip install --quiet \\\n    numpy\nx = 1\nassert x == 1"),
    "a timed assignment": cell("%time x = sum([1, 2])\ny = %time x + 1\nassert (x, y) == (3, 4)"),
    "help": cell("help(np.mean)\nhelp()\nnp.mean?"),
    "awaits": cell(
        "import asyncio\nasync def three():\n    await asyncio.sleep(0.01)\n    return 3\n"
        "task = asyncio.create_task(three())\nassert await three() == 3\n"
        "async with asyncio.timeout(1):\n    assert await task == 3"
    ),
    "awaits a task of another cell": Case(
        saved(
            solved(
                before="import asyncio\nawait asyncio.sleep(0)\nasync def three(): return 3\n"
                "task = asyncio.get_running_loop().create_task(three())",
                after="assert await task == 3",
            )
        )
    ),
    "self-check": cell("from lossutils.selfcheck import check\ncheck(len, [1], expected=1)"),
}
