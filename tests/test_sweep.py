"""Sweeps run every point in order; with joblib.Memory, a resumed sweep repeats none."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lossutils.data import gaussian_clouds
from lossutils.losses import BCEWithLogitsLoss, SigmoidMSELoss
from lossutils.sweep import SweepError, sweep
from lossutils.train import fit_linear

joblib = pytest.importorskip("joblib", reason="sweeps need the extra lossutils[sweep]")

GRID = {"loss": [BCEWithLogitsLoss(), SigmoidMSELoss()], "lr": [0.1, 0.4], "seed": [0, 1, 2]}


def train(loss, lr, seed):
    X, y = gaussian_clouds(50, seed=seed)
    return fit_linear(loss, X, y, lr=lr, steps=5).history.loss[-1]


def logged_run(log, lr, seed):
    """Log the run, and fail for a negative learning rate."""
    with open(log, "a") as file:
        file.write(f"{lr} {seed}\n")
    if lr < 0:
        raise ValueError(f"lr must be positive, got {lr}")
    return lr * seed


def logged_lines(log):
    return log.read_text().splitlines() if log.exists() else []


def expected():
    return [
        train(loss, lr, seed) for loss in GRID["loss"] for lr in GRID["lr"] for seed in (0, 1, 2)
    ]


def test_every_point_in_the_order_of_the_grid():
    outcomes = sweep(train, GRID, progress=False)
    assert [value for _, value in outcomes] == expected()
    assert outcomes[0].point == {"loss": BCEWithLogitsLoss(), "lr": 0.1, "seed": 0}
    assert outcomes[1].point == {"loss": BCEWithLogitsLoss(), "lr": 0.1, "seed": 1}
    assert outcomes[-1].point == {"loss": SigmoidMSELoss(), "lr": 0.4, "seed": 2}


def slow_first(k):
    time.sleep(0.2 * (k == 0))
    return k


def test_order_does_not_depend_on_which_point_ends_first():
    for backend in ("loky", "threading"):
        with joblib.parallel_config(backend=backend):
            outcomes = sweep(slow_first, {"k": range(5)}, n_jobs=2, progress=False)
        assert [value for _, value in outcomes] == [0, 1, 2, 3, 4]


def test_points_may_be_listed():
    points = [{"loss": BCEWithLogitsLoss(), "lr": lr, "seed": 3} for lr in (0.3, 0.2)]
    assert [outcome.point for outcome in sweep(train, points, progress=False)] == points


def test_a_cluster_gives_the_same_values(client):
    with joblib.parallel_config(backend="dask"):
        assert [value for _, value in sweep(train, GRID, progress=False)] == expected()


def test_progress_is_shown_on_request(capsys):
    sweep(train, {**GRID, "seed": [0]}, progress=False)
    assert capsys.readouterr() == ("", "")
    sweep(train, {**GRID, "seed": [0]})
    assert "4/4" in capsys.readouterr().err


# ---- failures and interruptions ----------------------------------------------------------------


def test_a_failure_is_reported_and_the_other_points_run(tmp_path):
    log = tmp_path / "log"
    grid = {"log": [log], "lr": [0.1, -0.2, 0.3], "seed": [1]}
    kept = joblib.Memory(tmp_path / "cache", verbose=0).cache(logged_run)
    with pytest.raises(SweepError) as caught:
        sweep(kept, grid, progress=False)
    error = caught.value
    assert str(error).startswith("1 of 3 points failed; the others are in .outcomes\n")
    assert "'lr': -0.2" in str(error)
    assert "ValueError: lr must be positive, got -0.2" in str(error)
    assert error.failed == [{"log": log, "lr": -0.2, "seed": 1}]
    assert [value for _, value in error.outcomes] == [0.1, 0.3]
    with pytest.raises(SweepError):
        sweep(kept, grid, progress=False)
    assert logged_lines(log) == ["0.1 1", "-0.2 1", "0.3 1", "-0.2 1"]


INTERRUPTED = """
import signal
import sys
from pathlib import Path
import joblib
from tests.test_sweep import interrupted_grid, wait_at_three
from lossutils.sweep import sweep
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore SIGINT
kept = joblib.Memory(Path(sys.argv[1], "cache"), verbose=0).cache(wait_at_three)
sweep(kept, interrupted_grid(Path(sys.argv[1])), n_jobs=int(sys.argv[2]))
"""


def interrupted_grid(folder):
    return {"folder": [folder], "k": range(8)}


def wait_at_three(folder, k):
    """Log the run. From k = 3 on, wait for a file that is written only after the interruption."""
    with open(folder / "log", "a") as file:
        file.write(f"{k}\n")
    while k >= 3 and not (folder / "go on").exists():
        time.sleep(0.02)
    return k**2


@pytest.mark.parametrize(
    ("how", "n_jobs"), [("SIGKILL", 1), ("SIGKILL", 2), ("SIGINT", 1)], ids=str
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups of processes")
def test_a_resumed_sweep_repeats_no_finished_point(tmp_path, how, n_jobs):
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, tmp_path, str(n_jobs)],
        cwd=Path(__file__).parents[1],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(3000):  # up to a minute, because the machine may be busy
            stored = len(list((tmp_path / "cache").rglob("output.pkl")))
            # joblib may swallow an interruption while it stores a point, so the next one has begun
            if stored == 3 and "3" in logged_lines(tmp_path / "log"):
                break
            assert process.poll() is None, "the sweep ended before it could be interrupted"
            time.sleep(0.02)
        else:
            pytest.fail("finished points are not stored at once")
        os.killpg(process.pid, getattr(signal, how))  # and the processes that it started
        process.wait(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    done = set(logged_lines(tmp_path / "log"))
    assert {"0", "1", "2"} <= done < set("01234567")

    (tmp_path / "log").unlink()
    (tmp_path / "go on").touch()
    kept = joblib.Memory(tmp_path / "cache", verbose=0).cache(wait_at_three)
    outcomes = sweep(kept, interrupted_grid(tmp_path), progress=False)
    assert [value for _, value in outcomes] == [k**2 for k in range(8)]
    assert logged_lines(tmp_path / "log") == ["3", "4", "5", "6", "7"]


# ---- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", [{}, [], [{}], {"lr": []}])
def test_a_grid_without_points_is_refused(grid):
    with pytest.raises(ValueError, match="the grid has no point, or a point without arguments"):
        sweep(train, grid)


@pytest.mark.parametrize("values", ["abc", 0.1])
def test_values_without_a_list_are_refused(values):
    with pytest.raises(ValueError, match="each argument in the grid must have a list of values"):
        sweep(train, {"lr": values})
