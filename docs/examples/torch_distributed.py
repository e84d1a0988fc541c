"""Train one model in several processes, each with a share of the rows, by torch.distributed.

The mean over all rows is the mean of the shares' means, weighted by their numbers of rows; and the
gradient of a mean is the mean of gradients. So each process computes the closed-form gradient of
its share, and one all-reduce adds value, gradient and number of rows. All processes then take the
same step. The result differs only by rounding from that of one process with all rows.

Runs on this machine alone, over loopback, with the gloo backend. On several machines, torchrun
starts `worker` instead of `main`.
"""

from __future__ import annotations

import argparse
import os
import socket
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing

from lossutils.linear import linear_value_and_grad
from lossutils.losses import CrossEntropyLoss
from lossutils.train import gradient_descent

LOSS = CrossEntropyLoss()
ROWS, FEATURES, CLASSES = 1347, 64, 10


def data():
    """Return noisy features, and as classes the index of the largest feature before the noise."""
    rng = np.random.default_rng(0)
    clean = rng.normal(size=(ROWS, FEATURES))
    return clean + 0.3 * rng.normal(size=clean.shape), clean[:, :CLASSES].argmax(axis=1)


def all_reduced(X, y):
    """Return a function of W and b: the loss over the rows of all processes, and its gradient."""

    def value_and_grad(W, b):
        value, dW, db = linear_value_and_grad(LOSS, X, y, W, b)
        sums = torch.from_numpy(len(X) * np.concatenate([[1.0, value], dW.ravel(), db]))
        dist.all_reduce(sums)
        rows, value, *_ = sums.tolist()
        dW, db = np.split(sums.numpy()[2:] / rows, [W.size])
        return value / rows, dW.reshape(W.shape), db

    return value_and_grad


def worker(rank: int, processes: int, steps: int, meeting: str) -> None:
    """Train on rows ``rank``, ``rank + processes`` and so on; process 0 compares the results."""
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=processes)
    X, y = data()
    start = np.zeros((FEATURES, CLASSES)), np.zeros(CLASSES)
    mine = slice(rank, None, processes)
    together = all_reduced(X[mine], y[mine])
    gradient = together(*start)[1]
    history = gradient_descent(together, start, lr=1.0, steps=steps)
    print(f"process {rank}: {len(X[mine])} of {ROWS} rows, {steps} steps", flush=True)
    dist.barrier()

    if rank == 0:

        def alone(W, b):
            return linear_value_and_grad(LOSS, X, y, W, b)

        expected = gradient_descent(alone, start, lr=1.0, steps=steps)
        compare("gradient at the start", gradient, alone(*start)[1])
        compare("weights at the end", history.params[0], expected.params[0])
        compare("loss at the end", history.loss[-1], expected.loss[-1])
    dist.destroy_process_group()


def compare(what: str, together, alone) -> None:
    """Print how far several processes and one are apart; more than rounding is an error."""
    apart = float(np.max(np.abs(together - alone)))
    print(
        f"{what}: norm {np.linalg.norm(together):.6g} together, {np.linalg.norm(alone):.6g} "
        f"alone, at most {apart:.0e} apart",
        flush=True,
    )
    np.testing.assert_allclose(together, alone, rtol=1e-9, atol=1e-12)


def main() -> None:
    """Start the processes and wait for them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--processes", type=int, default=2, help="how many (%(default)s)")
    parser.add_argument("--steps", type=int, default=50, help="steps of descent (%(default)s)")
    options = parser.parse_args()
    if options.processes < 1 or options.steps < 0:
        parser.error("at least one process is needed, and no fewer than 0 steps")
    if loopback := [name for _, name in socket.if_nameindex() if name in ("lo", "lo0")]:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback[0])
    with tempfile.TemporaryDirectory() as folder:
        meeting = (Path(folder) / "meeting").as_uri()
        arguments = options.processes, options.steps, meeting
        torch.multiprocessing.spawn(worker, arguments, nprocs=options.processes)
    print(f"{options.processes} processes did what one does")


if __name__ == "__main__":
    main()
