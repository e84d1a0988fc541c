"""Facts that the repository states in two places agree."""

import re
import subprocess

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lossutils
from tools.facts import ROOT


def read(name):
    return (ROOT / name).read_text("utf8")


def requirements(name):
    lines = (line.partition(" #")[0].strip() for line in read(name).splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_the_citation_names_the_version_of_the_package():
    assert yaml.safe_load(read("CITATION.cff"))["version"] == lossutils.__version__


@pytest.mark.parametrize("folder", ["", "tools/laws/"])
def test_every_pin_is_exact_and_every_direct_requirement_is_pinned(folder):
    pins = {canonicalize_name(p.name): p for p in requirements(f"{folder}requirements.txt")}
    for pin in pins.values():
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), pin
    assert str(pins["torch"].specifier) == "==2.13.0"
    for direct in requirements(f"{folder}requirements.in"):
        pin = pins[canonicalize_name(direct.name)]
        assert direct.specifier.contains(str(pin.specifier).removeprefix("=="))


@pytest.mark.parametrize("folder", ["", "tools/laws/"])
def test_no_cuda_package_is_pinned(folder):
    pins = read(f"{folder}requirements.txt")
    assert not re.search(r"^(nvidia|cuda|triton)", pins, re.MULTILINE)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/publishing.md", "Makefile"])
def test_every_make_target_that_is_mentioned_exists(page):
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    mentioned = set(re.findall(r"(?:`|^|run: )make ([a-z-]+)", read(page), re.MULTILINE))
    assert mentioned <= targets
    assert page == "Makefile" or mentioned


def test_links_between_files_of_the_repository_resolve():
    for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", read(page)):
            assert (ROOT / target).exists(), f"{page}: {target}"


def test_folders_named_in_the_readme_exist():
    for row in re.findall(r"^\| (`.+?) \|", read("README.md"), re.MULTILINE):
        for place in re.findall(r"`([\w/.]+)`", row):
            assert (ROOT / place).exists(), place


def test_no_file_names_a_host_of_a_package_registry():
    # The brackets keep the pattern from matching itself, because this file is searched too.
    hosts = re.compile(r"pypi[.]org|python[h]osted|npm[j]s[.]|deb[.]debian|yarn[p]kg")
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    for name in files:
        if not name.endswith((".woff2", ".png")):
            assert not hosts.search(read(name)), name
