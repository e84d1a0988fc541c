"""Binder: build the environment as repo2docker would, and run a chapter in its JupyterLab.

We ask repo2docker which commands it would run for this repository. It would run them in a container
on top of JupyterLab from conda; we install the same packages with pip, without a container.
"""

import json
import os
import re
import subprocess
import sys
import time

import nbformat
import pytest

from tests.clone import clone_now
from tests.hosts.printed import changes
from tests.jupyterlab import RUNS_WITHIN, move_the_first_slider, run_all_cells, serving_lab
from tools.package import environments

REPO2DOCKER = "jupyter-repo2docker==2026.4.0"
CHAPTER = "chapters/bce.ipynb"
PLAN = """
import json
from importlib.resources import files
from repo2docker.buildpacks import PythonBuildPack
from ruamel.yaml import YAML

pack = PythonBuildPack("base image")
assert pack.detect(), "repo2docker does not see a Python repository"
steps = pack.get_preassemble_scripts() + pack.get_assemble_scripts() + pack.get_post_build_scripts()
scripts = [script for _, script in steps]
base = files("repo2docker.buildpacks.conda") / f"environment.py-{pack.python_version}.yml"
base = YAML(typ="safe").load(base.read_text())["dependencies"]
print(json.dumps({"python": pack.python_version, "scripts": scripts, "base": base}))
"""
NOT_FROM_PIP = {"python", "nodejs", "pip"}
NAMES = {"jupyterhub-singleuser": "jupyterhub"}
"""Packages that have another name in conda than in pip."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return clone_now(tmp_path_factory.mktemp("binder") / "course")


@pytest.fixture(scope="module")
def plan(repository, tmp_path_factory):
    python = environments.make(tmp_path_factory.mktemp("repo2docker"))
    environments.pip(python, "install", "--quiet", REPO2DOCKER)
    said = subprocess.run(
        [python, "-c", PLAN], cwd=repository, env=environments.clean(), stdout=subprocess.PIPE
    )
    assert said.returncode == 0
    return json.loads(said.stdout)


@pytest.fixture(scope="module")
def binder(plan, repository, tmp_path_factory):
    """Build the environment; return its Python."""
    if plan["python"] != f"{sys.version_info[0]}.{sys.version_info[1]}":
        pytest.skip(f"Binder has Python {plan['python']}; run this test with the same")
    folder = tmp_path_factory.mktemp("notebook")
    python = environments.make(folder)
    base = [re.match(r"[\w-]+", package)[0] for package in plan["base"]]
    wanted = [
        package.replace(name, NAMES.get(name, name)).replace(" ", "")
        for name, package in zip(base, plan["base"], strict=True)
        if name not in NOT_FROM_PIP
    ]
    environments.pip(python, "install", "--quiet", *wanted)
    places = {"KERNEL_PYTHON_PREFIX": str(folder), "NB_PYTHON_PREFIX": str(folder)}
    for script in plan["scripts"]:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=repository,
            env=environments.clean() | places,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return python


def test_repo2docker_finds_our_requirements(plan):
    assert plan["python"] == "3.11"
    assert len(plan["scripts"]) == 1
    assert plan["scripts"][0].endswith('install --no-cache-dir -r ".binder/requirements.txt"')


def test_the_environment_has_the_pinned_packages_and_no_cuda(binder):
    installed = environments.packages(binder)
    pins = dict(
        re.findall(
            r"^([\w.-]+)==([\w.]+)", (environments.ROOT / "requirements.txt").read_text(), re.M
        )
    )
    for name in ("ipywidgets", "matplotlib", "numpy", "scikit-learn", "scipy"):
        assert installed[name] == pins[name]
    assert installed["torch"] == f"{pins['torch']}+cpu"
    assert not [name for name in installed if re.match("nvidia|cuda|triton", name)]


def test_jupyterlab_serves_a_chapter_that_runs(binder, repository, browser, tmp_path):
    file = repository / CHAPTER
    stored = nbformat.read(file, as_version=4)
    fresh = nbformat.read(file, as_version=4)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(fresh, file)
    with serving_lab(str(binder), repository, tmp_path, PATH=path_with(binder)) as address:
        tab = run_all_cells(browser, address, CHAPTER)
        ran = saved_when_all_ran(tab, file)
        assert not changes(stored, ran)
        before, after = move_the_first_slider(tab)
        assert before.figure != after.figure
        tab.close()


def path_with(python):
    return f"{python.parent}{os.pathsep}{os.environ['PATH']}"


def saved_when_all_ran(tab, file):
    """Save the notebook until all of its code cells have run, then return it."""
    until = time.monotonic() + RUNS_WITHIN
    while True:
        tab.keyboard.press("Control+s")
        tab.wait_for_timeout(2000)
        notebook = nbformat.read(file, as_version=4)
        counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
        if all(counts):
            return notebook
        assert time.monotonic() < until, f"ran: {counts}"
