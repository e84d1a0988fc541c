"""Colab: run each notebook alone in a folder, with newer packages and without lossutils."""

import shutil
import subprocess

import nbformat
import pytest

from tests.clone import clone_now
from tests.hosts.printed import changes, words
from tests.repository.test_address import ADDRESS, ASSIGNMENTS, PAGES, name
from tools.facts import cpu_index
from tools.package import environments
from tools.site.refresh import execute

IN_COLAB = ["ipykernel", "ipywidgets", "matplotlib", "numpy", "scikit-learn", "torch"]
"""Packages of a chapter that Colab has; installing lossutils adds the others."""
NOTEBOOKS = [*PAGES, *(path for path in ASSIGNMENTS if path.name != "master.ipynb")]


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colab")
    python = environments.make(folder, environments.newest_python())
    environments.pip(python, "install", "--quiet", "--extra-index-url", cpu_index(), *IN_COLAB)
    kernel = [python, "-m", "ipykernel", "install", "--prefix", folder]
    subprocess.run(kernel, env=environments.clean(), check=True, capture_output=True)
    return python


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    return clone_now(tmp_path_factory.mktemp("origin") / "course")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name)
def test_a_notebook_installs_the_package_and_prints_what_is_stored(
    notebook, colab, origin, tmp_path, monkeypatch
):
    shutil.copy(notebook, tmp_path)
    environments.pip(colab, "uninstall", "--yes", "--quiet", "lossutils")
    before = environments.packages(colab)
    monkeypatch.setenv("JUPYTER_PATH", str(colab.parents[1] / "share" / "jupyter"))
    redirected = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{origin.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"https://github.com/{ADDRESS}",
    }
    ran = execute(tmp_path / notebook.name, 600, environments.clean() | redirected)
    after = environments.packages(colab)
    assert after.pop("lossutils")
    assert {package: after[package] for package in before} == before, "a package was replaced"
    if notebook in PAGES:
        assert not changes(nbformat.read(notebook, as_version=4), ran)
    else:  # a student's copy, without answers
        assert words(ran)
        assert all("waiting for your answer" in line for line in words(ran))
