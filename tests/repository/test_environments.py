"""The environments for testing elsewhere follow from pyproject.toml and the pins."""

import os
import subprocess
import sys
import tomllib
from itertools import chain
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement

from tools import facts
from tools.facts import ROOT
from tools.package import environments, noxfile

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


def test_binder_installs_what_chapters_need_at_the_versions_that_are_tested():
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


def test_the_packages_tests_need_none_of_the_books_tools():
    files = noxfile.package_tests()
    assert "lossutils" in files
    assert not [file for file in files if "site" in file or "grader" in file]
    assert len(noxfile.testers()) == len(noxfile.TESTERS)


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
