"""Test the package in fresh environments: make test-matrix and make dist run these sessions of nox.

uv works out the oldest versions, but pip installs, so that a build of PyTorch that pip finds on a
local disk is used.
"""

import re
import shutil
import sys
from pathlib import Path

import nox

from tools.facts import ROOT, cpu_index, version
from tools.package.environments import newest_python

nox.options.default_venv_backend = "venv"
nox.options.envdir = ROOT / "_build" / "environments"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["oldest", "newest"]

PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")["project"]
OLDEST_PYTHON = re.match(r">=(3\.\d+)", PROJECT["requires-python"])[1]
TESTERS = ("beautifulsoup4", "lxml", "hypothesis", "pytest")
"""What runs the tests, in the versions of requirements.txt everywhere."""
OLD_WARNINGS = ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")
"""An old library may call what a newer one below it has deprecated, so these are no errors."""
ENVIRONMENT = {"PYTHONPATH": None, "PIP_RETRIES": "1"}
"""Import nothing from outside the session; wait seconds for an index that does not answer."""
WHEEL_TESTS = ("test_import.py", "test_special.py", "test_linear.py", "losses")
"""Tests that skip what needs the extras, which are not installed with the wheel."""


def testers():
    """Return the pins of the packages that run the tests."""
    pins = (ROOT / "requirements.txt").read_text("utf8").splitlines()
    return [pin for pin in pins if pin.partition("==")[0] in TESTERS]


def package_tests():
    """Return the files and folders of the tests that need nothing but the package."""
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").glob("test_*.py"))
    return ["lossutils", str(Path("tests", "losses")), *files]


def test_package(session, *options):
    """Install the package with all that its extras name, and run its tests."""
    session.chdir(ROOT)
    session.env.update(ENVIRONMENT)
    index = ["--extra-index-url", cpu_index()]
    session.install(*index, "--editable", ".[all,chapters]", *testers(), *options)
    session.run("python", "-m", "pip", "list")
    tolerate = [option for kind in OLD_WARNINGS for option in ("-W", f"default::{kind}")]
    session.run("python", "-m", "pytest", "-q", "--doctest-modules", *tolerate, *package_tests())


@nox.session(python=OLDEST_PYTHON)
def oldest(session):
    """Test with the lower bounds of pyproject.toml, on the oldest Python that it admits."""
    bounds = Path(session.create_tmp(), "bounds.txt")
    uv = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-deps", "--all-extras"]
    uv += ["--resolution=lowest-direct", f"--python-version={OLDEST_PYTHON}"]
    session.run(*uv, f"--output-file={bounds}", str(ROOT / "pyproject.toml"), external=True)
    test_package(session, "--constraint", str(bounds))


@nox.session(python=newest_python())
def newest(session):
    """Test with the newest versions that pip finds, on the newest Python of this machine."""
    test_package(session)


@nox.session
def wheel(session):
    """Install the wheel in dist/, and test it where the sources cannot be imported instead."""
    wheels = list((ROOT / "dist").glob("lossutils-*.whl"))
    if len(wheels) != 1:
        session.error(f"dist/ has {len(wheels)} wheels, one is expected; run: make dist")
    session.env.update(ENVIRONMENT)
    constraint = ["--constraint", str(ROOT / "requirements.txt")]
    session.install(*constraint, str(wheels[0]))
    session.run("python", "-m", "pip", "check")
    session.install(*constraint, "pytest", "hypothesis", "mpmath", "scipy")
    session.chdir(session.create_tmp())
    shutil.copytree(ROOT / "tests", "tests")
    shutil.copy(ROOT / "pyproject.toml", ".")
    said = session.run(
        "python", "-c", "import lossutils as l; print(l.__version__, l.__file__)", silent=True
    )
    number, _, file = said.strip().partition(" ")
    if number != version() or not Path(file).is_relative_to(session.virtualenv.location):
        session.error(f"the wheel holds version {number} in {file}; {version()} is expected")
    session.run("python", "-m", "pytest", "-q", *(f"tests/{name}" for name in WHEEL_TESTS))
