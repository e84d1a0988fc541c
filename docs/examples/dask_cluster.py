"""Train a model on a dask cluster, on rows that no single machine ever holds.

The workers make the rows and keep them. At each step the weights go to the workers and each returns
a gradient, so the network carries some kilobytes, however many rows there are. If a worker dies,
another one makes its rows again, and the result is the same to the bit.

Starts a cluster of processes on this machine, or uses the one whose scheduler you name.
"""

from __future__ import annotations

import argparse
import logging

import dask.array as da
import distributed

from lossutils.losses import CrossEntropyLoss
from lossutils.train import fit_linear

FEATURES, CLASSES = 20, 4


def rows_on_the_workers(rows: int, chunk: int):
    """Return noisy features, and as classes the index of the largest feature before the noise."""
    rng = da.random.default_rng(0)
    clean = rng.normal(size=(rows, FEATURES), chunks=(chunk, FEATURES))
    y = clean[:, :CLASSES].argmax(axis=1)
    X = clean + 0.3 * rng.normal(size=clean.shape, chunks=clean.chunks)
    return X.persist(), y.persist()


def main() -> None:
    """Train, and print the loss and the accuracy."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scheduler", help="address of a running cluster, tcp://…:8786")
    parser.add_argument("--workers", type=int, default=2, help="processes here (%(default)s)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="(%(default)s)")
    parser.add_argument("--chunk", type=int, default=50_000, help="rows in one (%(default)s)")
    parser.add_argument("--steps", type=int, default=30, help="steps of descent (%(default)s)")
    options = parser.parse_args()
    if min(options.workers, options.rows, options.chunk, options.steps) < 1:
        parser.error("workers, rows, chunk and steps must be at least 1")
    here = {
        "n_workers": options.workers,
        "threads_per_worker": 1,
        "host": "127.0.0.1",
        "dashboard_address": "127.0.0.1:0",
        "silence_logs": logging.CRITICAL,  # workers may log errors when the cluster stops
    }
    where = {"address": options.scheduler} if options.scheduler else here
    with distributed.Client(**where):
        X, y = rows_on_the_workers(options.rows, options.chunk)
        fit = fit_linear(CrossEntropyLoss(), X, y, lr=1.0, steps=options.steps, progress=True)
        correct = (fit.scores(X).argmax(axis=1) == y).mean().compute()
    kilobytes = (fit.W.nbytes + fit.b.nbytes) / 1000
    print(
        f"{options.rows} rows of {X.nbytes / 1e6:.0f} MB in {X.numblocks[0]} chunks, a gradient of "
        f"{kilobytes:.1f} kB: loss {fit.history.loss[0]:.4f} to {fit.history.loss[-1]:.4f}, "
        f"{correct:.1%} correct"
    )


if __name__ == "__main__":
    main()
