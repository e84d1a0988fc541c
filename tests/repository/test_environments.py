"""The environments in which the course is tried elsewhere follow from the files that say so."""

import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement

from tools import facts
from tools.facts import ROOT
from tools.package import environments, matrix

BINDER = ROOT / "binder" / "requirements.txt"


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
    assert f"--editable .[{matrix.EXTRA}]" in lines
    assert "--constraint ../requirements.txt" in lines
    runtime = BINDER.with_name("runtime.txt").read_text("utf8").strip()
    assert runtime == f"python-{matrix.project()['requires-python'].removeprefix('>=')}"


def test_a_folder_without_the_index_is_refused(tmp_path):
    (tmp_path / "binder").mkdir()
    (tmp_path / "binder" / "requirements.txt").write_text("numpy\n")
    with pytest.raises(ValueError, match="--extra-index-url"):
        facts.cpu_index(tmp_path)


def test_the_oldest_versions_are_the_lower_bounds_of_every_extra():
    pins = [matrix.lower_bound(each) for each in matrix.required()]
    extras = matrix.project()["optional-dependencies"]
    named = [Requirement(text) for texts in extras.values() for text in texts]
    wanted = {each.name for each in named} - {"lossutils"} | {"numpy", "tqdm"}
    assert {pin.partition("==")[0] for pin in pins} == wanted
    assert len(pins) == len(wanted)
    with pytest.raises(ValueError, match="needs one lower bound"):
        matrix.lower_bound(Requirement("numpy<3"))


def test_the_packages_tests_need_none_of_the_books_tools():
    files = matrix.package_tests()
    assert "lossutils" in files
    assert not [file for file in files if "site" in file or "grader" in file]
    assert len(matrix.testers()) == len(matrix.TESTERS)


def test_an_unknown_version_is_named(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["matrix", "middle"])
    with pytest.raises(SystemExit):
        matrix.main()
    assert (
        "'middle' is none of the versions, which are oldest and newest" in capsys.readouterr().err
    )


def test_a_failure_of_pip_shows_what_pip_said():
    with pytest.raises(RuntimeError, match="unknown command"):
        environments.pip(sys.executable, "no-such-command")
