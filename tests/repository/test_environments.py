"""The environments for testing elsewhere follow from pyproject.toml and the pins."""

import os
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement

from tools import facts
from tools.facts import ROOT
from tools.package import environments, noxfile

needs_make = pytest.mark.skipif(os.name == "nt", reason="the Python of these tests is a script")
BINDER = ROOT / ".binder" / "requirements.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]


def test_pytorchs_index_is_named_in_one_place():
    host = urlsplit(facts.cpu_index()).netloc
    found = subprocess.run(
        ["git", "grep", "--files-with-matches", "--fixed-strings", host],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == [str(BINDER.relative_to(ROOT))]


def test_binder_installs_the_pinned_versions_of_what_chapters_need():
    lines = BINDER.read_text("utf8").splitlines()
    assert "--editable .[chapters]" in lines
    assert "--constraint ../requirements.txt" in lines
    runtime = BINDER.with_name("runtime.txt").read_text("utf8").strip()
    assert runtime == f"python-{PROJECT['requires-python'].removeprefix('>=')}"


def test_a_folder_without_the_index_is_refused(tmp_path):
    (tmp_path / ".binder").mkdir()
    (tmp_path / ".binder" / "requirements.txt").write_text("numpy\n")
    with pytest.raises(ValueError, match="--extra-index-url"):
        facts.cpu_index(tmp_path)


def test_every_requirement_of_the_package_has_a_lower_bound():
    """Otherwise the run with the oldest versions would install a package's first release."""
    texts = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]
    for requirement in map(Requirement, texts):
        operators = [bound.operator for bound in requirement.specifier]
        assert requirement.name == "lossutils" or operators == [">="], requirement


def test_tests_of_the_package_need_no_tools_of_the_book():
    files = noxfile.package_tests()
    assert "lossutils" in files
    assert not [file for file in files if "site" in file or "grader" in file]
    assert len(noxfile.testers()) == len(noxfile.TESTERS)


# A script that poses as Python of a given version: it runs `-c`, and logs all other arguments.
PYTHON = """#!/bin/sh
[ "$1" = -c ] || {{ echo "$@" >> "$0.calls"; exit 1; }}
exec "{python}" -c 'import sys
sys.version_info, sys.version = {numbers}, "{version} (main)"
exec(sys.argv[1])' "$2"
"""


@pytest.fixture
def make_with_python(tmp_path):
    """Return a function that runs a make target in a new folder with a given version of Python."""

    def run(target, version):
        python = tmp_path / "bin" / "python3.11"
        python.parent.mkdir()
        numbers = tuple(map(int, version.split(".")))
        python.write_text(PYTHON.format(python=sys.executable, numbers=numbers, version=version))
        python.chmod(0o755)
        for name in ("requirements.txt", "pyproject.toml", ".venv/kept", ".venv-package/kept"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        environment = os.environ | {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
        make = ["make", "--file", ROOT / "Makefile", target]
        done = subprocess.run(make, cwd=tmp_path, env=environment, capture_output=True, text=True)
        calls = Path(f"{python}.calls")
        return done, calls.read_text() if calls.exists() else ""

    return run


@needs_make
@pytest.mark.parametrize("target", ["book", "test-package"])
@pytest.mark.parametrize("version", ["3.11.4", "3.10.13"])
def test_a_python_that_is_too_old_is_refused_before_anything_changes(
    make_with_python, tmp_path, target, version
):
    done, calls = make_with_python(target, version)
    assert done.returncode != 0
    assert f"Python 3.11.5 or newer is needed, but {tmp_path}/bin/python3.11 is {version}.\n" in (
        done.stderr
    )
    assert f"name it: make PYTHON=/path/to/python3.11 {target}\n" in done.stderr
    assert not calls
    assert (tmp_path / ".venv" / "kept").exists()


@needs_make
@pytest.mark.parametrize(
    ("target", "folder"), [("book", ".venv"), ("test-package", ".venv-package")]
)
def test_the_oldest_python_for_the_pins_is_accepted(make_with_python, target, folder):
    done, calls = make_with_python(target, "3.11.5")
    assert done.returncode != 0  # this script cannot create an environment
    assert calls == f"-m venv --clear {folder}\n"


def test_the_pins_are_resolved_for_the_oldest_accepted_python():
    makefile = (ROOT / "Makefile").read_text("utf8")
    assert "--python-version 3.11.5 " in makefile
    assert "You need Python 3.11.5 or newer" in (ROOT / "README.md").read_text("utf8")


@pytest.mark.parametrize(
    ("session", "message"),
    [
        ("middle", "Sessions not found: middle"),
        ("newest", "Python interpreter python9.9 not found"),
    ],
)
def test_nox_names_what_it_does_not_find(session, message, tmp_path):
    run = [sys.executable, "-m", "nox", "--noxfile", noxfile.__file__, "--envdir", tmp_path]
    environment = os.environ | {"NEWEST_PYTHON": "python9.9"}
    done = subprocess.run(
        [*run, "--session", session], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert message in done.stderr


def test_an_error_of_pip_is_quoted():
    with pytest.raises(RuntimeError, match="unknown command"):
        environments.pip(sys.executable, "no-such-command")
