"""Importing lossutils needs only NumPy; functions that need more say how to install it."""

import subprocess
import sys
import textwrap

import pytest

MODULES = [
    "special",
    "losses",
    "linear",
    "chunks",
    "train",
    "sweep",
    "verify",
    "laws",
    "counterparts",
    "data",
    "metrics",
    "plots",
    "figures",
    "precision",
    "explore",
    "selfcheck",
    "vocabulary",
    "results",
]

BLOCKED = """
import sys

class Absent:
    # An import hook that makes installed packages look absent.
    absent = {"torch", "matplotlib", "sklearn", "scipy", "ipywidgets", "IPython", "joblib", "dask"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""


def run(code):
    """Run code in a new interpreter without the optional packages, and return its output."""
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + textwrap.dedent(code)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_everything_imports_with_numpy_alone():
    run(f"import lossutils, {', '.join(f'lossutils.{name}' for name in MODULES)}")


def test_importing_does_not_load_optional_packages():
    """This holds where they are installed, because loading PyTorch takes seconds."""
    code = f"""
    import sys
    sys.meta_path.pop(0)
    import {", ".join(f"lossutils.{name}" for name in MODULES)}
    print(*sorted(Absent.absent & set(sys.modules)))
    """
    assert run(code) == ""


def test_training_works_with_numpy_alone():
    code = """
    from lossutils.data import gaussian_clouds
    from lossutils.losses import BCEWithLogitsLoss
    from lossutils.train import fit_linear
    X, y = gaussian_clouds(100)
    print(fit_linear(BCEWithLogitsLoss(), X, y, lr=0.5, steps=100).history.loss[-1] < 0.05)
    """
    assert run(code) == "True"


@pytest.mark.parametrize(
    ("use", "package", "extra"),
    [
        ("verify.compare_with_autograd(losses.MSELoss(), [1.0], [2.0])", "torch", "torch"),
        ("counterparts.torch_loss(losses.MSELoss())", "torch", "torch"),
        (
            "train.fit_linear_autograd(losses.MSELoss(), [[1.0]], [2.0], lr=0.1, steps=1)",
            "torch",
            "torch",
        ),
        ("data.digits()", "sklearn", "data"),
        ("data.breast_cancer()", "sklearn", "data"),
        ("data.diabetes()", "sklearn", "data"),
        ("data.open_in_chunks('X.npy')", "dask", "dask"),
        ("losses.ProbitLoss()([0.0], [1])", "scipy", "scipy"),
        ("losses.PoissonNLLLoss(full=True)([0.0], [1])", "scipy", "scipy"),
        ("sweep.sweep(print, {'end': ['!']})", "joblib", "sweep"),
        ("plots.use_house_style()", "matplotlib", "plots"),
        (
            "explore.explore(lambda a: None, describe=lambda a: '', a=[1, 2]).to_html()",
            "matplotlib",
            "plots",
        ),
    ],
)
def test_an_absent_package_is_named_with_its_remedy(use, package, extra):
    code = f"""
    from lossutils import {", ".join(MODULES)}
    try:
        {use}
    except ModuleNotFoundError as error:
        print(error)
        print(error.name)
    """
    assert run(code).splitlines() == [
        f"this part of lossutils needs {package}; install it with "
        f"python -m pip install 'lossutils[{extra}]'",
        package,
    ]


def test_an_installed_but_broken_package_is_not_called_absent():
    """The error must name the missing package; otherwise readers would reinstall the wrong one."""
    code = """
    import sys, types
    from lossutils._optional import optional_import
    Absent.absent = {"inner"}
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "outer":
                raise ModuleNotFoundError("No module named 'inner'", name="inner")
    sys.meta_path.insert(0, Broken())
    try:
        optional_import("outer", "torch")
    except ModuleNotFoundError as error:
        print(error)
    """
    assert run(code) == "No module named 'inner'"
