"""Dask arrays give the same numbers for any chunks and scheduler, also if a worker dies."""

import os
import pickle
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lossutils import chunks
from lossutils._engine import Sums
from lossutils.data import open_in_chunks
from lossutils.linear import linear_value_and_grad
from lossutils.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    MSELoss,
    MulticlassHingeLoss,
    SquaredHingeLoss,
)
from lossutils.train import fit_linear
from tests.cases import ALL, assert_same, each, linear_problem

dask = pytest.importorskip("dask", reason="dask arrays need the extra lossutils[dask]")
distributed = pytest.importorskip("distributed", reason="needs the extra lossutils[dask]")
da = pytest.importorskip("dask.array")
M = 60
PROBLEM = linear_problem(CrossEntropyLoss(), m=M)
WEIGHTS = np.random.default_rng(1).integers(0, 4, size=M) / 2
assert_close = partial(assert_same, rtol=1e-12)  # chunks are added in another order


def bits(result):
    return [np.asarray(part).tobytes() for part in result]


def cuts(m):
    """Draw the sizes of chunks that hold m rows together; some may be empty."""
    places = st.lists(st.integers(0, m), max_size=20)
    return places.map(lambda cut: tuple(np.diff([0, *sorted(cut), m]).tolist()))


# ---- chunks ------------------------------------------------------------------------------------


def test_several_labels_in_chunks_give_the_in_memory_result():
    X, Y, W, b = linear_problem(BCEWithLogitsLoss(), m=M, labels=3)
    expected = linear_value_and_grad(BCEWithLogitsLoss(), X, Y, W, b)
    with dask.config.set(scheduler="synchronous"):
        X, Y = (da.from_array(a, chunks=(17, 3)) for a in (X, Y))
        assert_close(linear_value_and_grad(BCEWithLogitsLoss(), X, Y, W, b), expected)
        assert fit_linear(BCEWithLogitsLoss(), X, Y, lr=0.1, steps=1).W.shape == (3, 3)


@given(st.sampled_from(ALL), cuts(M), cuts(M), cuts(M), cuts(3), st.sampled_from([None, WEIGHTS]))
def test_any_chunks_give_the_in_memory_result(loss, rows, of_targets, of_weights, columns, weights):
    X, y, W, b = linear_problem(loss, m=M)
    expected = linear_value_and_grad(loss, X, y, W, b, l2=0.3, sample_weight=weights)
    y_chunks = (of_targets, *((size,) for size in y.shape[1:]))
    with dask.config.set(scheduler="synchronous"):
        actual = linear_value_and_grad(
            loss,
            da.from_array(X, chunks=(rows, columns)),
            da.from_array(y, chunks=y_chunks),
            W,
            b,
            l2=0.3,
            sample_weight=None if weights is None else da.from_array(weights, chunks=(of_weights,)),
        )
    assert_close(actual, expected)
    assert [type(part) for part in actual] == [type(part) for part in expected]
    assert actual[1].flags.writeable


def test_many_chunks_are_added_in_a_tree_of_two_levels():
    X, y, W, b = PROBLEM
    assert chunks.FAN_IN**2 > M > chunks.FAN_IN
    in_rows = da.from_array(X, chunks=(1, 3))
    assert_close(
        linear_value_and_grad(CrossEntropyLoss(), in_rows, y, W, b),
        linear_value_and_grad(CrossEntropyLoss(), *PROBLEM),
    )


def test_targets_and_weights_may_be_in_memory():
    X, y, W, b = PROBLEM
    actual = linear_value_and_grad(
        CrossEntropyLoss(), da.from_array(X, chunks=(13, 3)), y, W, b, sample_weight=WEIGHTS
    )
    expected = linear_value_and_grad(CrossEntropyLoss(), *PROBLEM, sample_weight=WEIGHTS)
    assert_close(actual, expected)


def test_float32_and_integers():
    X, y, W, b = PROBLEM
    X, W, b = np.round(4 * X).astype(int), W.astype(np.float32), b.astype(np.float32)
    expected = linear_value_and_grad(CrossEntropyLoss(), X, y, W, b)
    actual = linear_value_and_grad(CrossEntropyLoss(), da.from_array(X, chunks=(13, 3)), y, W, b)
    assert_same(actual, expected, rtol=1e-6)
    assert actual[1].dtype == actual[2].dtype == np.float32


def test_an_infinite_loss_is_a_result():
    X, y, W = da.from_array(np.full((4, 1), 1e200), chunks=(1, 1)), np.zeros(4), np.ones(1)
    value, dW, _ = linear_value_and_grad(MSELoss(), X, y, W, 0.0)
    assert (value, dW[0]) == (np.inf, np.inf)


def test_settings_reach_the_chunks(monkeypatch):
    seen = []

    def spy(rows, loss, W, b, *settings):
        seen.append(settings)
        return Sums(0.0, np.zeros(3), 0.0, 1.0)

    monkeypatch.setattr(chunks.RowsInMemory, "sums", spy)
    X, y, W, b = linear_problem(BCEWithLogitsLoss(), m=M)
    linear_value_and_grad(
        BCEWithLogitsLoss(), da.from_array(X, chunks=20), y, W, b, block_rows=7, n_threads=2
    )
    assert seen == [(7, 2)] * 3


def test_each_chunk_is_read_once_and_without_its_neighbours():
    seen = []

    def record(block, block_info):
        seen.append(block_info[0]["array-location"][0])
        return block

    X, y, W, b = PROBLEM
    recorded = da.from_array(X, chunks=(25, 3)).map_blocks(record, dtype=X.dtype, meta=X[:0])
    linear_value_and_grad(CrossEntropyLoss(), recorded, y, W, b)
    assert sorted(seen) == [(0, 25), (25, 50), (50, 60)]


# ---- schedulers --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sequential():
    """Return the bits of the result if one chunk is computed after the other."""
    with dask.config.set(scheduler="synchronous"):
        return bits(sums_of_seven_chunks())


def sums_of_seven_chunks():
    X, y, W, b = linear_problem(CrossEntropyLoss(), m=2000)
    weights = np.random.default_rng(1).random(2000)
    X = da.from_array(X, chunks=(300, 3))
    return linear_value_and_grad(CrossEntropyLoss(), X, y, W, b, sample_weight=weights)


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_give_the_same_bits(sequential, workers):
    with dask.config.set(scheduler="threads", num_workers=workers):
        assert bits(sums_of_seven_chunks()) == sequential


def test_processes_give_the_same_bits(sequential):
    with (
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
        dask.config.set(scheduler="processes", pool=pool),
    ):
        assert bits(sums_of_seven_chunks()) == sequential


def test_a_cluster_gives_the_same_bits(sequential, client):
    assert bits(sums_of_seven_chunks()) == sequential


# ---- training ----------------------------------------------------------------------------------


@each([CrossEntropyLoss(), MulticlassHingeLoss(), MSELoss(), SquaredHingeLoss()])
def test_training_takes_the_same_steps(loss):
    X, y, *_ = linear_problem(loss, m=M)
    settings = {"lr": 0.3, "steps": 15, "l2": 0.1}
    expected = fit_linear(loss, X, y, **settings)
    for targets in (y, da.from_array(y, chunks=17)):
        actual = fit_linear(loss, da.from_array(X, chunks=(25, 2)), targets, **settings)
        assert_allclose(actual.W, expected.W, rtol=1e-12)
        assert_allclose(actual.b, expected.b, rtol=1e-12, atol=1e-15)
        assert_allclose(actual.history.loss, expected.history.loss, rtol=1e-12)
        assert type(actual.b) is type(expected.b)


def test_training_takes_a_start_and_shows_its_progress(capsys):
    X, y, W, b = PROBLEM
    options = {"start": (W, b), "lr": 0.1, "steps": 2}
    fit = fit_linear(
        CrossEntropyLoss(), da.from_array(X, chunks=(25, 3)), y, **options, progress=True
    )
    assert_allclose(fit.W, fit_linear(CrossEntropyLoss(), X, y, **options).W, rtol=1e-12)
    assert "2/2" in capsys.readouterr().err


def test_scores_of_a_dask_array_are_a_dask_array():
    X, y, *_ = PROBLEM
    fit = fit_linear(CrossEntropyLoss(), X, y, lr=0.3, steps=3)
    scores = fit.scores(da.from_array(X, chunks=(25, 3)))
    assert isinstance(scores, da.Array)
    assert_allclose(scores.compute(), fit.scores(X), rtol=1e-14)


CLASSES, FEATURES = 4, 50


def made_on_the_workers(rows, chunk_rows):
    """Return rows and labels that exist only on the workers."""
    X = da.random.default_rng(0).normal(size=(rows, FEATURES), chunks=(chunk_rows, FEATURES))
    X = X.persist()
    return X, X[:, :CLASSES].argmax(axis=1)


def bytes_received(client):
    """Return how many bytes of data the workers have received from each other."""
    logs = client.run(
        lambda dask_worker: [item["total"] for item in dask_worker.transfer_incoming_log]
    )
    return sum(map(sum, logs.values()))


@pytest.mark.parametrize("targets_come_from", ["workers", "client"])
def test_only_parameters_and_gradients_cross_the_network(client, monkeypatch, targets_come_from):
    X, y = made_on_the_workers(40_000, 5_000)
    if targets_come_from == "client":
        y = y.compute()
    distributed.wait(X)
    at_client = 0

    def count(frames, *arguments, **options):
        nonlocal at_client
        frames = list(frames)
        at_client += sum(memoryview(frame).nbytes for frame in frames)
        return from_frames(frames, *arguments, **options)

    tcp = distributed.comm.tcp
    # Client and scheduler run in this process, and read all their messages with this function.
    from_frames = tcp.from_frames
    monkeypatch.setattr(tcp, "from_frames", count)
    steps, parts, size_of_W = 10, X.numblocks[0], 8 * FEATURES * CLASSES
    before = bytes_received(client)
    fit_linear(CrossEntropyLoss(), X, y, lr=0.5, steps=steps)
    between = bytes_received(client) - before
    # Each part receives W and returns a sum, both with some overhead; the targets travel once.
    needed = (steps + 1) * parts * 2 * (size_of_W + 1000)
    if targets_come_from == "client":
        needed += y.nbytes
    assert 0 < between < needed < X.nbytes / 10
    assert (steps + 1) * size_of_W < at_client < needed + X.nbytes / 20


def test_the_work_is_done_where_the_rows_are(client):
    """Other workers are idle, and sending a chunk takes less time than its sum."""

    class Slow(MSELoss):
        def _rule(self, s, y):
            time.sleep(0.02)
            return super()._rule(s, y)

    owner, *_ = client.run(os.getpid)
    X = da.random.default_rng(0).normal(size=(400, FEATURES), chunks=(20, FEATURES))
    X = client.persist(X, workers=[owner])
    distributed.wait(X)  # any worker could sum a chunk that is not stored yet
    fit_linear(Slow(), X, X[:, 0], lr=0.1, steps=5)
    assert set(client.who_has(X).values()) == {(owner,)}


def kill_a_worker(client):
    """Kill the process of one worker, as the system does when memory runs out."""
    pids = client.run(os.getpid)
    os.kill(next(iter(pids.values())), signal.SIGKILL)
    return set(pids.values())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_worker_killed_in_the_middle_changes_nothing(client):
    X, y = made_on_the_workers(4_000, 500)
    settings = {"lr": 0.5, "steps": 8}
    undisturbed = fit_linear(CrossEntropyLoss(), X, y, **settings)
    alive = set()

    def rate(step):
        if step == 3:
            alive.update(kill_a_worker(client))
        return 0.5

    disturbed = fit_linear(CrossEntropyLoss(), X, y, lr=rate, steps=8)
    client.wait_for_workers(2)
    assert set(client.run(os.getpid).values()) != alive, "no worker was killed"
    assert bits(disturbed.history.path) == bits(undisturbed.history.path)
    assert bits([disturbed.history.loss]) == bits([undisturbed.history.loss])


# ---- files -------------------------------------------------------------------------------------


def test_a_file_is_read_by_the_workers_that_need_it(tmp_path, client):
    X, y, W, b = linear_problem(CrossEntropyLoss(), m=1000)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", y)
    in_chunks = open_in_chunks(tmp_path / "X.npy", rows=300)
    assert in_chunks.chunks == ((300, 300, 300, 100), (3,))
    graph = sum(len(pickle.dumps(task)) for task in dict(in_chunks.dask).values())
    assert graph < X.nbytes / 4, "data travel"
    actual = linear_value_and_grad(
        CrossEntropyLoss(), in_chunks, open_in_chunks(tmp_path / "y.npy"), W, b
    )
    assert_close(actual, linear_value_and_grad(CrossEntropyLoss(), X, y, W, b))


def test_a_file_that_was_rewritten_is_another_array(tmp_path):
    names = []
    for value in (0.0, 1.0):
        np.save(tmp_path / "X.npy", np.full((4, 2), value))
        os.utime(tmp_path / "X.npy", (value, value))
        names.append(open_in_chunks(tmp_path / "X.npy").name)
    assert names[0] != names[1]
    assert names[1] == open_in_chunks(tmp_path / "X.npy").name


def test_a_file_without_rows_is_refused(tmp_path):
    np.save(tmp_path / "one.npy", 1.0)
    with pytest.raises(ValueError, match=r"one\.npy holds a single number, and no rows to divide"):
        open_in_chunks(tmp_path / "one.npy")
    np.save(tmp_path / "X.npy", np.ones((4, 2)))
    with pytest.raises(ValueError, match="rows must be a whole number of at least 1, got 0"):
        open_in_chunks(tmp_path / "X.npy", rows=0)
