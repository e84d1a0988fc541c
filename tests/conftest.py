"""Settings that all tests share."""

import json
import os
import subprocess
from collections import Counter
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import settings

# Derandomised: a run that passes today passes tomorrow. No deadline: a test that is slow on a busy
# machine is not wrong.
settings.register_profile(
    "course", derandomize=True, deadline=None, max_examples=25, print_blob=True, database=None
)
settings.load_profile("course")

# Files that take minutes.
LONG = (
    "chapters",
    "tests/book",
    "tests/grader/test_batch",
    "tests/grader/test_hostile",
    "tests/repository/test_changes",
    "tests/site",
)


def pytest_addoption(parser):
    parser.addoption(
        "--note-success", type=Path, metavar="FILE", help="where to note that all tests passed"
    )
    parser.addoption("--full", action="store_true", help="try every case where others try a sample")


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    """List the slowest files; note that all passed, for the site (see _ext/provenance.py)."""
    seconds = Counter()
    for report in chain(*terminalreporter.stats.values()):
        if hasattr(report, "duration"):
            seconds[report.nodeid.split("::")[0]] += report.duration
    if len(seconds) > 1:
        terminalreporter.section("seconds of the ten slowest files, with their fixtures")
        for name, time in seconds.most_common(10):
            terminalreporter.line(f"{time:7.1f}  {name}")

    file = config.getoption("--note-success")
    if file and exitstatus == 0:
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
        ).stdout.strip()
        found = {
            "date": datetime.now(UTC).date().isoformat(),
            "tests": len(terminalreporter.stats.get("passed", [])),
            "commit": commit or "unknown",
        }
        file.write_text(json.dumps(found) + "\n", "utf8")


def pytest_collection_modifyitems(items):
    """Begin with the files that take long, so that all workers of pytest-xdist end together."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture
def house_style():
    """Figures in the style of the course, for one test."""
    # here, since only the tests that draw need matplotlib
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    from lossutils import plots

    with mpl.rc_context():
        plots.use_house_style()
        yield
        plt.close("all")


@pytest.fixture(scope="module")
def browser():
    """Chromium or Chrome, without a window."""
    # here, since the tests of the package alone need none
    from playwright.sync_api import sync_playwright

    from tools.site.browser import BROWSER, FLAGS

    if BROWSER is None and "CI" not in os.environ:
        pytest.skip("no Chromium or Chrome is installed; install one to test what a browser shows")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A cluster of two processes on this machine, and the connection to it."""
    # here, since only the tests that compute on it need distributed
    distributed = pytest.importorskip("distributed", reason="needs the extra lossutils[dask]")
    import dask

    with (
        # on a busy machine it would move work, and data with it
        dask.config.set({"distributed.scheduler.work-stealing": False}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            local_directory=tmp_path_factory.mktemp("cluster"),
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
