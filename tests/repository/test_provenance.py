"""The note that all tests passed is written only if they did."""

import json
import subprocess
import sys

import pytest

from tools.facts import ROOT


@pytest.mark.parametrize(("chosen", "passed"), [("test_tolerance", True), ("no_such_test", False)])
def test_the_note_is_written_only_if_all_tests_pass(tmp_path, chosen, passed):
    note = tmp_path / "verified.json"
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen]
    run += ["-p", "no:nbval"]  # no notebook runs here, and loading it takes seconds
    run += ["--note-success", str(note), str(ROOT / "tests" / "test_selfcheck.py")]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == passed, done.stdout
    assert note.exists() == passed
    if passed:
        assert json.loads(note.read_text("utf-8"))["tests"] == 1
