"""Linear models over dask arrays: each chunk of rows is summed where it lies, the sums in a tree.

`~lossutils.linear.linear_value_and_grad` and `~lossutils.train.fit_linear` use this module when X
is a dask array. Dask runs it on the scheduler of your choice: threads, processes or a cluster. W
and b travel to the chunks, and each chunk returns sums of the size of W. The rows of X stay where
they are.

The same chunks give the same bits on any scheduler, with any number of workers, even if some of
them die, because the order of the chunks fixes the order of the additions. (Workers with different
processors, or with BLAS on several threads, may add differently within a chunk.) Other chunks are
added in another order, so the last digits of float64 may differ.

Targets and weights may be in memory or dask arrays; they are rechunked to the rows of X. If the
columns of X come in several chunks they are joined, which moves data at each use, so do it once:
``X.rechunk({1: -1})``. If X fits into the memory of the workers, call ``X = X.persist()`` before
training; otherwise each step makes its chunks again, for instance by reading a file
(`lossutils.data.open_in_chunks`). Without a pool, dask starts its processes again for each step; a
cluster on one machine, ``distributed.Client()``, is faster.
"""

from __future__ import annotations

import sys
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from ._checks import (
    check_count,
    check_parameters,
    check_real,
    check_rows,
    check_weight_shape,
    check_weights,
    weights_error,
)
from ._engine import RowsInMemory, Sums
from ._optional import is_dask, optional_import
from .losses import Loss

FAN_IN = 8
"""Sums that are added at a time: a tree over 1000 chunks is four levels high."""


class RowsInChunks:
    """Rows of features in the chunks of a dask array, with their targets and weights.

    All are cut into the chunks of X's rows, with whole rows in each. Raises ValueError if X is no
    dask array, if sizes of chunks are unknown, or if shapes do not fit together.
    """

    def __init__(self, X: Any, targets: Any, sample_weight: Any = None) -> None:
        for name, array in (("X", X), ("targets", targets), ("sample_weight", sample_weight)):
            _check_known(name, array)
        if not is_dask(X):
            raise ValueError(
                "targets or sample_weight are dask arrays but X is not; bring them into memory "
                "with .compute(), or cut X into chunks with dask.array.from_array"
            )
        targets = targets if is_dask(targets) else np.asarray(targets)
        check_rows(X, targets)
        check_real(X.dtype)
        if is_dask(sample_weight):
            check_weight_shape("linear_value_and_grad", sample_weight.shape, len(X))
        else:
            sample_weight = check_weights("linear_value_and_grad", sample_weight, len(X))
        in_chunks = X.chunks[0]
        self.X, self.targets = _cut(X, in_chunks), _cut(targets, in_chunks)
        self.weights = None if sample_weight is None else _cut(sample_weight, in_chunks)

    def __len__(self) -> int:
        return len(self.X)

    def outputs(self, loss: Loss) -> tuple[int, ...]:
        """Return the shape of one example's scores, from the largest label alone."""
        y = self.targets
        like = np.zeros((1, *y.shape[1:]), y.dtype)
        if y.ndim == 1 and y.dtype.kind in "iu":
            ignored = getattr(loss, "ignore_index", None)
            if ignored is not None:
                y = optional_import("dask.array", "dask").where(y == ignored, 0, y)
            like[:] = y.max().compute()
        return loss.score_shape(like)[1:]

    def take(self, rows: Any) -> RowsInChunks:
        """Refuse: rows from all over X would have to travel."""
        raise ValueError(
            f"a batch of {len(rows)} rows from all over X cannot be taken from a dask array, which "
            "would have to send them over the network; leave batch_size out, so that each step "
            "takes all rows, or train on what fits into memory: X[:n].compute(), y[:n].compute()"
        )

    def persist(self) -> RowsInChunks:
        """Return the same rows for many passes: targets in memory, where their rows of X lie.

        So the targets are made once, and cross the network once, if at all.
        """
        dask, da = optional_import("dask", "dask"), optional_import("dask.array", "dask")
        first = dask.delayed(_first, pure=False)
        kept = []
        for place, y, x, m in zip(
            _places(self.X), _blocks(self.targets), _blocks(self.X), self.X.chunks[0], strict=True
        ):
            with dask.annotate(**place):
                shape = m, *self.targets.shape[1:]
                kept.append(da.from_delayed(first(y, x), shape, dtype=self.targets.dtype))
        return RowsInChunks(self.X, da.concatenate(kept).persist(), self.weights)

    def sums(
        self, loss: Loss, W: Any, b: Any, block_rows: int | None = None, n_threads: int = 1
    ) -> Sums:
        """Return the sums over all rows; see `lossutils.linear.linear_value_and_grad`."""
        X = self.X
        check_parameters(X.shape[1], W, b)
        if block_rows is not None:
            block_rows = check_count("block_rows", block_rows, 1)
        n_threads = check_count("n_threads", n_threads, 1)
        dask = optional_import("dask", "dask")
        sum_chunk = dask.delayed(_sum_chunk, pure=False)
        add_sums = dask.delayed(_add_sums, pure=False)
        # One node of the graph, so that each worker gets the parameters once. They are not
        # scattered, since a scheduler can restore what is in its graph, but not what died with a
        # worker.
        settings = dask.delayed((loss, W, b, block_rows, n_threads), pure=False, traverse=False)
        starts = np.cumsum([0, *X.chunks[0][:-1]]).tolist()
        blocks = _blocks(X), _blocks(self.targets), _blocks(self.weights, X)
        tree = []
        for place, *chunk in zip(_places(X), starts, *blocks, strict=True):
            with dask.annotate(**place):
                tree.append(sum_chunk(*chunk, settings))
        while len(tree) > 1:
            tree = [add_sums(tree[i : i + FAN_IN]) for i in range(0, len(tree), FAN_IN)]
        total = tree[0].compute()
        if isinstance(total, str):
            raise ValueError(total)
        # Each chunk may have passed its own check. (Without weights, 0 means that all is ignored.)
        if total.weight == np.inf or (total.weight == 0 and self.weights is not None):
            raise weights_error("linear_value_and_grad", total.weight, total.weight)
        # Copies, to be changed freely: a cluster may hand out what it keeps.
        return Sums(total.loss, np.array(total.dW), np.array(total.db), total.weight)


def _check_known(name: str, array: Any) -> None:
    """Raise if a dask collection is no array, or an array whose chunks have unknown sizes."""
    if not is_dask(array):
        return
    if not isinstance(array, optional_import("dask.array", "dask").Array):
        raise ValueError(
            f"{name} must be an array, got a dask {type(array).__name__}; "
            "a DataFrame becomes one with df.to_dask_array(lengths=True)"
        )
    if np.isnan(array.shape).any():
        raise ValueError(
            f"{name} has chunks of unknown size, shape {array.shape}; "
            f"let dask count them first: {name}.compute_chunk_sizes()"
        )


def _cut(array: Any, in_chunks: tuple[int, ...]) -> Any:
    """Return an array as one of dask with given chunks of rows, and whole rows in each."""
    chunks = (in_chunks, *((size,) for size in array.shape[1:]))
    if is_dask(array):
        return array if array.chunks == chunks else array.rechunk(chunks)
    return optional_import("dask.array", "dask").from_array(array, chunks=chunks)


def _first(targets, X):
    return targets


def _blocks(array, like=None) -> list[Any]:
    """Return the chunks of an array as delayed objects, or None for each."""
    if array is None:
        return [None] * len(like.chunks[0])
    return array.to_delayed().ravel().tolist()


def _places(X) -> list[dict[str, Any]]:
    """Return annotations that run the task of each chunk on the worker that holds it.

    A scheduler that does not know yet how long a task takes would send chunks about. Where X lies
    nowhere yet, or its worker has died, any worker may take it.
    """
    keys = [row[0] for row in X.__dask_keys__()]
    distributed = sys.modules.get("distributed")
    futures = distributed.futures_of(X) if distributed else []
    if not futures:
        return [{}] * len(keys)
    found = futures[0].client.who_has(futures)
    return [
        {"workers": list(found[key]), "allow_other_workers": True} if found.get(key) else {}
        for key in keys
    ]


def _sum_chunk(start, X, targets, weights, settings) -> Sums | str:
    """Return the sums over a chunk, or an error message.

    An error is returned as text, so that the client raises the same one on every scheduler: that
    of the first chunk which has one, without a trace through its workers.
    """
    loss, W, b, block_rows, n_threads = settings
    if len(X) == 0 or (weights is not None and not weights.any()):
        return Sums(0.0, np.zeros(W.shape), np.zeros(b.shape))
    try:
        return RowsInMemory(X, targets, weights).sums(loss, W, b, block_rows, n_threads)
    except ValueError as error:
        return f"{error} (seen in the chunk of rows {start} to {start + len(X) - 1})"


def _add_sums(parts: list[Sums | str]) -> Sums | str:
    """Return the sum of sums in their order, or the first error."""
    for part in parts:
        if isinstance(part, str):
            return part
    with np.errstate(all="ignore"):  # an infinite loss is a result, as it is in memory
        return reduce(add, parts)
