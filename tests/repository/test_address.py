"""Every file that repeats the repository's address agrees with `_config.yml`."""

import json
import re
import subprocess
import sys

import pytest
import yaml

from grader import assignment
from tests.clone import clone_now
from tools import facts
from tools.facts import ROOT
from tools.site import fork

ADDRESS = facts.repository(ROOT)
BRANCH = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]["branch"]
PAGES = [*sorted((ROOT / "chapters").glob("*.ipynb")), ROOT / "intro.ipynb"]
PAGES += [ROOT / "appendix" / "notation.ipynb"]
ASSIGNMENTS = [
    assignment.ASSIGNMENTS / name / file
    for name in assignment.chapters()
    for file in ("master.ipynb", f"{name}.ipynb")
]


def cells(path):
    return json.loads(path.read_text("utf-8"))["cells"]


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*PAGES, *ASSIGNMENTS], ids=name)
def test_the_first_cell_installs_the_package_from_here(path):
    first = cells(path)[0]
    package = f"git+https://github.com/{ADDRESS}"
    if path in PAGES:
        package = f'"lossutils[chapters] @ {package}"'
    assert "".join(first["source"]) == (
        "# In Colab this installs lossutils; where it is there, nothing happens.\n"
        "from importlib.util import find_spec\n\n"
        'if find_spec("lossutils") is None:\n'
        f"    %pip install -q {package}"
    )
    assert first["metadata"] == {"tags": ["remove-cell"]}


def test_no_file_names_another_repository_of_the_owner():
    """Every address with the owner's name is an address of this repository."""
    owner, course = ADDRESS.split("/")
    homes = rf"(?:github\.com/|/gh/|raw\.githubusercontent\.com/)({owner}/[\w.-]+)"
    found = set()
    for file in fork.git("ls-files", "-z", root=ROOT).split("\0"):
        if file:
            found |= set(re.findall(homes.encode(), (ROOT / file).read_bytes()))
    assert {home.decode().removesuffix(".git") for home in found} == {f"{owner}/{course}"}


def test_the_site_is_where_github_shows_the_repository():
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    assert config["html"]["baseurl"] == f"https://{fork.pages(ADDRESS)}"


@pytest.mark.parametrize(
    ("repository", "pages"),
    [
        ("Me/course", "me.github.io/course/"),
        ("me/Course", "me.github.io/Course/"),
        ("Me/me.github.io", "me.github.io/"),
    ],
)
def test_the_address_of_a_pages_site(repository, pages):
    assert fork.pages(repository) == pages


def test_a_fork_changes_every_place_in_one_commit(tmp_path):
    clone = clone_now(tmp_path / "clone")
    command = f"import tools.site.fork as f; f.ROOT = f.Path({str(clone)!r}); f.main()"
    run = [sys.executable, "-c", command, "Somebody-Else/losses"]
    said = subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "now name Somebody-Else/losses" in said
    assert fork.git("log", "--format=%s", "-2", root=clone).split("\n")[:2] == [
        "Move the course to Somebody-Else/losses",
        "now",
    ]
    assert not fork.git("status", "--porcelain", root=clone)
    for word in (ADDRESS, fork.pages(ADDRESS)):
        hits = subprocess.run(["git", "grep", "-l", word], cwd=clone, capture_output=True).stdout
        assert not hits
    assert facts.repository(clone) == "Somebody-Else/losses"
    config = yaml.safe_load((clone / "_config.yml").read_text("utf-8"))
    assert config["html"]["baseurl"] == "https://somebody-else.github.io/losses/"


def test_an_address_that_cannot_be_used_is_refused(monkeypatch):
    for argument, says in (("course", "owner/name"), (ADDRESS, "already at")):
        monkeypatch.setattr("sys.argv", ["fork", argument])
        with pytest.raises(SystemExit, match=says):
            fork.main()
