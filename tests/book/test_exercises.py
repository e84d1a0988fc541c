"""Each exercise can be checked after only those cells that it needs, as the published page does."""

import importlib.util
import json
import math
import types

import pytest
from matplotlib import pyplot as plt

from _ext.run_here import exercises
from tools.facts import ROOT

INFINITY, E, LOG2 = math.inf, math.e, math.log(2)
ANSWERS = {
    "bce": [[0.5, 1], 0.05, 0.503, 0.6224593312, 0.5, -LOG2],
    "canonical": [E**2 - 3, 7, 1 / 4, 1.763, 0.7],
    "choosing_a_loss": [-2, LOG2, 0.05, 0, 0.74, -LOG2],
    "comparisons": [1 / 3, [-1.25, -0.25, 1.5], 6 * LOG2, 0.474077, 10 * math.log(9)],
    "cross_entropy": [[0.5, -0.75, 0.25], math.log(1 + 9 / E), [0.5, 0.3, 0.2], 0.5],
    "decisions": [0.9, 2 / 13, 0.1, 0.09275, 0.25, 1 / 1.01],
    "entropy": [[2.25, 0.25], 1 / 9, [INFINITY, LOG2], 0.94],
    "hinge": [[0.24, 0.32, -1], [-2, 1, 1, 0], 0.75, 3, 1],
    "language_models": [[1, 2, 2 / 3], [2, 2.5], 4.75, [1.029, 1.195], 0.122],
    "mle": [0.75**6 * 0.25**2 * 2**8, 2, -0.5, 1 / 3, math.sqrt(3)],
    "mse": [11.2, 0.1, [1.5, 1.5], math.log(10) / math.log(101 / 99), 0.8],
    "mse_variants": [[0.1, -0.75, -0.05, -0.15], 5, (2.8 - math.sqrt(2.08)) / 4, -0.098],
    "mse_vs_bce": [0.25, 2 * (E**12 + 38.5), 1, 1 / (0.2 * 0.8)],
    "numerics": [24 * LOG2, 2, 1 / 4, (1.5 * 2**-10) ** (1 / 3)],
    "robust": [0.25, 51, 61],
    "scaling": [3.3, 0.1, math.log(13), 700, 14_140],
}
"""What a reader could write into the boxes of each chapter."""

MOST = 10
"""Exercises that need more cells are tried only by ``--full``: some take a minute."""


def course_needs():
    """Return the module, whose folder also holds what would hide parts of IPython here."""
    file = ROOT / "tools" / "run_here" / "guest" / "course_needs.py"
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


needed = course_needs().needed


def test_right_answers_are_called_right(chapter, capsys, monkeypatch, request):
    full = request.config.getoption("--full")
    monkeypatch.setenv("MPLBACKEND", "agg")
    notebook = json.loads(chapter.read_text("utf8"))
    sources = {
        place: "".join(cell["source"])
        for place, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code"
    }
    for place, answer in zip(exercises(notebook), ANSWERS[chapter.stem], strict=True):
        *above, last = [source for other, source in sources.items() if other <= place]
        run = [above[i] for i in needed([*above, last])]
        assert len(run) < len(above)
        if len(run) > MOST and not full:
            continue
        page = types.ModuleType("__main__")
        page.answer_given = answer
        for source in [*run, last.replace("answer = None", "answer = answer_given", 1)]:
            exec(compile(source, notebook["cells"][place]["id"], "exec"), page.__dict__)
            plt.close("all")  # as notebooks do
        said = capsys.readouterr().out.splitlines()[-1]
        assert said.endswith(": right."), (notebook["cells"][place]["id"], said)


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["x = 1", "y = 2", "z = x"], [0]),
        (["x = 1", "x = 2", "x"], [1]),
        (["x = 1", "x += 1", "x"], [0, 1]),
        (["x = 1", "if c: x = 2", "x"], [0, 1]),
        (["x = []", "x.append(1)", "y = 1", "x"], [0, 1]),
        (["x = {}", "x['a'].b = 1", "x"], [0, 1]),
        (["import a", "a.check(1)", "a"], [0]),
        (["import a.b as c, d", "c, d"], [0]),
        (["x = 1", "f = lambda: x", "x = 2", "f()"], [0, 1, 2]),
        (["x = 1", "def f(x): return x", "f(0)"], [1]),
        (["x = 1", "def f(a=x): return a", "f()"], [0, 1]),
        (["x = 1", "def g(): return x", "def f(): return g()", "f()"], [0, 1, 2]),
        (["x = 1", "def f(): return x", "y = f()", "x = 3", "y"], [0, 1, 2]),
        (["x = 1", "[x for x in range(3)]"], []),
        (["x = 1", "[y for y in x]"], [0]),
        (["x = 1", "x = 5\nx"], []),
        (["class A: b = 1", "A.b = 2", "A"], [0, 1]),
        (["rng = np.random.default_rng(0)", "a = rng.normal()", "b = 1", "rng"], [0, 1]),
        (["x = (", "y = 1", "x, y"], [1]),
        (["x = 1", "x +"], []),
    ],
)
def test_what_a_cell_needs(cells, wanted):
    assert needed(cells) == wanted
