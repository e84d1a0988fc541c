"""Sweeps: every point once, in order; nothing done twice after an interruption."""

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


def noted(log, lr, seed):
    """Leave a note of each run."""
    with open(log, "a") as file:
        file.write(f"{lr} {seed}\n")
    if lr < 0:
        raise ValueError(f"lr must be positive, got {lr}")
    return lr * seed


def notes(log):
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


def test_order_does_not_depend_on_which_point_is_done_first():
    for backend in ("loky", "threading"):
        with joblib.parallel_config(backend=backend):
            outcomes = sweep(slow_first, {"k": range(5)}, n_jobs=2, progress=False)
        assert [value for _, value in outcomes] == [0, 1, 2, 3, 4]


def test_points_may_be_listed():
    points = [{"loss": BCEWithLogitsLoss(), "lr": lr, "seed": 3} for lr in (0.3, 0.2)]
    assert [outcome.point for outcome in sweep(train, points, progress=False)] == points


def test_a_cluster_gives_the_same(client):
    with joblib.parallel_config(backend="dask"):
        assert [value for _, value in sweep(train, GRID, progress=False)] == expected()


def test_progress_starts_with_what_is_kept(tmp_path, capsys):
    sweep(train, {**GRID, "seed": [0]}, cache=tmp_path, progress=False)
    assert capsys.readouterr() == ("", "")
    sweep(train, GRID, cache=tmp_path)
    shown = capsys.readouterr().err
    assert "4/12" in shown
    assert "12/12" in shown


# ---- cache -------------------------------------------------------------------------------------


def test_only_missing_points_run(tmp_path):
    log = tmp_path / "log"
    grid = {"log": [log], "lr": [0.1, 0.2], "seed": [0, 1]}
    first = sweep(noted, grid, cache=tmp_path / "cache", progress=False)
    again = sweep(noted, grid, cache=tmp_path / "cache", progress=False)
    assert again == first
    assert notes(log) == ["0.1 0", "0.1 1", "0.2 0", "0.2 1"]
    more = sweep(noted, {**grid, "seed": [1, 2]}, cache=tmp_path / "cache", progress=False)
    assert notes(log)[4:] == ["0.1 2", "0.2 2"]
    assert [value for _, value in more] == [0.1, 0.2, 0.2, 0.4]


def test_every_argument_and_the_source_count(tmp_path):
    log = tmp_path / "log"
    kept = {"cache": tmp_path / "cache", "progress": False}
    points = [(lr, seed) for lr in (0.1, 0.2) for seed in (0, 1)]
    for lr, seed in points:
        ((_, value),) = sweep(noted, [{"log": log, "lr": lr, "seed": seed}], **kept)
        assert value == lr * seed
    assert len(notes(log)) == 4

    def other(log, lr, seed):
        return -noted(log, lr, seed)

    other.__name__ = "noted"
    ((_, value),) = sweep(other, [{"log": log, "lr": 0.1, "seed": 1}], **kept)
    assert value == -0.1


def test_a_file_that_cannot_be_read_is_made_again(tmp_path):
    sweep(train, GRID, cache=tmp_path, progress=False)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 12
    files[0].write_bytes(files[0].read_bytes()[:50])
    files[1].write_bytes(b"")
    assert [v for _, v in sweep(train, GRID, cache=tmp_path, progress=False)] == expected()
    assert files[0].stat().st_size > 50


def test_a_failure_is_told_and_the_others_are_kept(tmp_path):
    log = tmp_path / "log"
    grid = {"log": [log], "lr": [0.1, -0.2, 0.3], "seed": [1]}
    with pytest.raises(SweepError) as caught:
        sweep(noted, grid, cache=tmp_path / "cache", progress=False)
    error = caught.value
    assert str(error).startswith(
        f"1 of 3 points failed; the others are in .outcomes, and kept in {tmp_path / 'cache'}\n"
    )
    assert "'lr': -0.2" in str(error)
    assert "ValueError: lr must be positive, got -0.2" in str(error)
    assert error.failed == [{"log": log, "lr": -0.2, "seed": 1}]
    assert [value for _, value in error.outcomes] == [0.1, 0.3]
    with pytest.raises(SweepError):
        sweep(noted, grid, cache=tmp_path / "cache", progress=False)
    assert notes(log) == ["0.1 1", "-0.2 1", "0.3 1", "-0.2 1"]


INTERRUPTED = """
import signal
import sys
from pathlib import Path
from tests.test_sweep import interrupted_grid, wait_at_three
from lossutils.sweep import sweep
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background ignores
sweep(wait_at_three, interrupted_grid(Path(sys.argv[1])), cache=sys.argv[1] + "/cache",
      n_jobs=int(sys.argv[2]))
"""


def interrupted_grid(folder):
    return {"folder": [folder], "k": range(8)}


def wait_at_three(folder, k):
    """Leave a note; from 3 on, wait for a permission that an interrupted process never gets."""
    with open(folder / "log", "a") as file:
        file.write(f"{k}\n")
    while k >= 3 and not (folder / "go on").exists():
        time.sleep(0.02)
    return k**2


@pytest.mark.parametrize(
    ("how", "n_jobs"), [("SIGKILL", 1), ("SIGKILL", 2), ("SIGINT", 1)], ids=str
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups of processes")
def test_interrupted_and_resumed(tmp_path, how, n_jobs):
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, tmp_path, str(n_jobs)],
        cwd=Path(__file__).parents[1],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(3000):  # a minute, for a machine that has much else to do
            if len(list((tmp_path / "cache").glob("*.pkl"))) == 3:
                break
            assert process.poll() is None, "it ended before it could be interrupted"
            time.sleep(0.02)
        else:
            pytest.fail("what is done is not kept at once")
        os.killpg(process.pid, getattr(signal, how))  # and the processes that it has started
        process.wait(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    done = set(notes(tmp_path / "log"))
    assert {"0", "1", "2"} <= done < set("01234567")

    (tmp_path / "log").unlink()
    (tmp_path / "go on").touch()
    outcomes = sweep(
        wait_at_three, interrupted_grid(tmp_path), cache=tmp_path / "cache", progress=False
    )
    assert [value for _, value in outcomes] == [k**2 for k in range(8)]
    assert notes(tmp_path / "log") == ["3", "4", "5", "6", "7"]


# ---- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", [{}, [], [{}], {"lr": []}])
def test_a_grid_without_points_is_refused(grid):
    with pytest.raises(ValueError, match="the grid has no point, or one without arguments"):
        sweep(train, grid)


@pytest.mark.parametrize("values", ["abc", 0.1])
def test_a_value_that_is_no_list_is_refused(values):
    with pytest.raises(ValueError, match="each argument in the grid must have a list of values"):
        sweep(train, {"lr": values})


def test_a_function_that_a_cache_cannot_tell_from_others_is_refused(tmp_path):
    for run in (lambda k: k, print):
        with pytest.raises(ValueError, match=r"has none of its own; define it in a file"):
            sweep(run, {"k": [1]}, cache=tmp_path)
    factor = 2

    def scaled(k):
        return factor * k

    with pytest.raises(ValueError, match="scaled uses factor of the function around it"):
        sweep(scaled, {"k": [1]}, cache=tmp_path)
    assert [value for _, value in sweep(scaled, {"k": [1]}, progress=False)] == [2]
