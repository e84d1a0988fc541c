"""A tag that disagrees with the repository is not released."""

import subprocess
import sys

import pytest

from tools import facts
from tools.facts import ROOT
from tools.package import release

CHANGELOG = """# Changelog

## [Unreleased]

## [1.2.3] - 2026-01-02

### Added

- A thing.

## [1.2.30] - 2025-01-02

- Another.
"""


def repository(folder, *, package="1.2.3", cited="1.2.3", changelog=CHANGELOG):
    (folder / "lossutils").mkdir()
    source = f'"""Losses."""\n\n__version__ = "{package}"\n'
    (folder / "lossutils" / "__init__.py").write_text(source)
    (folder / "CITATION.cff").write_text(f"version: {cited}\n")
    (folder / "CHANGELOG.md").write_text(changelog)
    return folder


@pytest.mark.parametrize(
    ("tag", "given", "says"),
    [
        ("v1.2.3", {}, []),
        ("1.2.3", {}, ["the tag is '1.2.3'"]),
        ("v1.2.4", {}, ["the tag is 'v1.2.4'"]),
        ("v1.2.3", {"cited": "1.2.2"}, ["CITATION.cff says version '1.2.2'"]),
        ("v1.2.3", {"changelog": "## [Unreleased]\n\n- x\n"}, ["CHANGELOG.md has nothing"]),
        (
            "v1.2.3",
            {"changelog": "## [1.2.3] - 2026-01-02\n\n## [1.2.2] - 2025-01-02\n\n- x\n"},
            ["CHANGELOG.md has nothing"],
        ),
        ("v1.2.3", {"changelog": "## [1.2.3]\n\n- no date\n"}, ["CHANGELOG.md has nothing"]),
        ("v1.2", {"package": "1.2.4"}, ["the tag", "CITATION.cff", "CHANGELOG.md"]),
    ],
)
def test_every_reason_against_a_release_is_given(tmp_path, tag, given, says):
    found = release.faults(repository(tmp_path, **given), tag)
    assert len(found) == len(says)
    assert all(said in fault for said, fault in zip(says, found, strict=True))


def test_the_notes_are_those_of_the_version(tmp_path):
    root = repository(tmp_path)
    assert release.notes(root, "1.2.3") == "### Added\n\n- A thing."
    assert release.notes(root, "1.2.30") == "- Another."
    assert release.notes(root, "1.2") == ""


def test_the_version_is_found_without_an_import():
    import lossutils

    assert facts.version() == lossutils.__version__


def test_the_command_exits_with_the_reasons(tmp_path):
    run = [sys.executable, "-m", "tools.package.release", "v99.0.0"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("This cannot be released: the tag is 'v99.0.0'")
