"""The examples run on little data, and print the expected results."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


def run(name, *arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", EXAMPLES / name, *arguments],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_help_describes_the_example(name):
    returncode, out, _ = run(name, "--help")
    assert returncode == 0
    first_line = (EXAMPLES / name).read_text("utf8").splitlines()[0].strip('"')
    assert first_line in out


def test_two_processes_give_the_result_of_one():
    returncode, out, err = run("torch_distributed.py", "--steps", "20")
    assert returncode == 0, err
    rows = [int(n) for n in re.findall(r"process [01]: (\d+) of 1347 rows, 20 steps", out)]
    assert sorted(rows) == [673, 674]
    assert len(re.findall(r"norm (\S+) together, \1 alone", out)) == 3
    assert out.endswith("2 processes did what one does\n")


def test_a_cluster_learns():
    pytest.importorskip("distributed", reason="needs the extra lossutils[dask]")
    returncode, out, err = run("dask_cluster.py", "--rows", "20000", "--chunk", "3000")
    assert returncode == 0, err
    found = re.search(r"in 7 chunks, .*: loss 1.3863 to (\S+), (\S+)% correct\n$", out)
    assert found, out
    assert float(found[1]) < 0.8
    assert float(found[2]) > 75


def test_too_few_rows_are_refused():
    pytest.importorskip("distributed", reason="needs the extra lossutils[dask]")
    returncode, _, err = run("dask_cluster.py", "--rows", "0")
    assert returncode == 2
    assert "workers, rows, chunk and steps must be at least 1" in err
