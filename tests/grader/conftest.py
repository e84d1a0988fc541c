"""What tests of the grader share: a working sandbox, and a file with the secret seed."""

import os

import pytest

from grader.sandbox import NoSandbox
from grader.student import try_sandbox
from tests.grader.notebooks import SEED


@pytest.fixture(scope="session")
def sandbox() -> None:
    """Skip where bubblewrap is missing or not allowed to run; in CI, fail."""
    try:
        try_sandbox()
    except NoSandbox as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def seed_file(tmp_path):
    """A file with the seed of the tests."""
    file = tmp_path / "seed.txt"
    file.write_text(SEED + "\n")
    return file
