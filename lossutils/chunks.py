"""Linear models over dask arrays: each chunk of rows is summed where it is, the sums in a tree.

`~lossutils.linear.linear_value_and_grad` and `~lossutils.train.fit_linear` come here when X is a
dask array, and dask runs it on threads, processes or a cluster, as it is told to. W and b go out to
the chunks; a sum comes back from each, of the size of W. The rows of X stay where they are.

What is promised of the numbers: the same bits for the same chunks, on any scheduler, with any
number of workers, whether some of them die or not, since the order of the chunks makes the tree.
(Workers of different processors, or with BLAS on several threads, may add otherwise within a
chunk.) Other chunks are added in another order, and round otherwise, in the last digits of float64.

Targets and weights may be in memory or dask arrays, cut like X or not: they are rechunked to the
rows of X. If the columns of X come in several chunks they are joined, which moves data at each use;
so do it once, ``X.rechunk({1: -1})``. If X fits into the memory of the workers, say
``X = X.persist()`` before training; otherwise each step makes its chunks again, such as by reading
a file (`lossutils.data.open_in_chunks`). Dask's processes are started anew for each step unless it
has a pool; a cluster on one machine, ``distributed.Client()``, is faster.
"""

from __future__ import annotations

import sys
from functools import partial, reduce
from operator import add
from typing import Any

import numpy as np

from ._optional import is_dask, optional_import
from .linear import check_count, check_shapes
from .linear import sums as sums_in_memory
from .losses.base import Loss, check_weights
from .special import to_float64

FAN_IN = 8
"""Sums that are added at a time: a tree over 1000 chunks is four levels high."""

Sums = tuple[float, Any, Any, float]
"""Sums over some rows: of the losses, of their gradients by W and by b, and of the weights."""


def sums(
    loss, X, targets, W, b, sample_weight=None, block_rows=None, n_threads=1
) -> tuple[float, Any, Any, float]:
    """Return what `lossutils.linear.sums` does, of dask arrays."""
    X, targets, sample_weight = aligned(X, targets, sample_weight)
    check_shapes(X, targets, W, b)
    to_float64(np.empty((0, 1), X.dtype))  # complains of what is not a number
    block_rows = block_rows if block_rows is None else check_count("block_rows", block_rows, 1)
    n_threads = check_count("n_threads", n_threads, 1)
    dask = optional_import("dask", "dask")
    of_chunk = dask.delayed(partial(_sums_of_chunk, loss, block_rows, n_threads), pure=False)
    added = dask.delayed(_added, pure=False)
    # One node of the graph, so that each worker gets the parameters once; not scattered, since the
    # scheduler can make again what it has in the graph, and not what died with a worker.
    params = dask.delayed((W, b), pure=False, traverse=False)
    starts = np.cumsum([0, *X.chunks[0][:-1]]).tolist()
    blocks = _blocks(X), _blocks(targets), _blocks(sample_weight, X)
    tree = []
    for place, *of_rows in zip(_places(X), starts, *blocks, strict=True):
        with dask.annotate(**place):
            tree.append(of_chunk(*of_rows, params))
    while len(tree) > 1:
        tree = [added(tree[i : i + FAN_IN]) for i in range(0, len(tree), FAN_IN)]
    found = tree[0].compute()
    if isinstance(found, str):
        raise ValueError(found)
    value, dW, db, total = found
    check_weights("linear_value_and_grad", [total], 1)
    # Writable, and nobody else's: a cluster may hand out what it keeps.
    return value, np.array(dW), np.array(db), total


def aligned(X, targets, sample_weight=None) -> tuple[Any, Any, Any]:
    """Return dask arrays with the chunks of X's rows, and whole rows in each.

    Raises
    ------
    ValueError
        If X is no dask array, sizes of chunks are unknown, or the lengths differ.
    """
    da = optional_import("dask.array", "dask")
    for name, array in (("X", X), ("targets", targets), ("sample_weight", sample_weight)):
        if is_dask(array) and not isinstance(array, da.Array):
            raise ValueError(
                f"{name} must be an array, got a dask {type(array).__name__}; "
                "a DataFrame becomes one with df.to_dask_array(lengths=True)"
            )
        if isinstance(array, da.Array) and np.isnan(array.shape).any():
            raise ValueError(
                f"{name} has chunks of unknown size, shape {array.shape}; "
                f"let dask count them first: {name}.compute_chunk_sizes()"
            )
    if not isinstance(X, da.Array):
        raise ValueError(
            "targets or sample_weight are dask arrays but X is not; bring them into memory with "
            ".compute(), or cut X into chunks with dask.array.from_array"
        )
    targets = targets if is_dask(targets) else np.asarray(targets)
    if X.ndim != 2 or targets.ndim == 0 or len(targets) != len(X):
        check_shapes(X, targets, np.empty(X.shape[1:]), np.empty(()))  # complains
    if sample_weight is not None and not is_dask(sample_weight):
        sample_weight = check_weights("linear_value_and_grad", sample_weight, len(X))
    elif sample_weight is not None and sample_weight.shape != X.shape[:1]:
        check_weights("linear_value_and_grad", np.empty(sample_weight.shape), len(X))  # complains

    def cut(array):
        chunks = (X.chunks[0], *((size,) for size in array.shape[1:]))
        if is_dask(array):
            return array if array.chunks == chunks else array.rechunk(chunks)
        return da.from_array(array, chunks=chunks)

    return cut(X), cut(targets), None if sample_weight is None else cut(sample_weight)


def beside(X, targets) -> tuple[Any, Any]:
    """Return dask arrays for many uses: the targets are kept in memory, where their rows of X are.

    Made once, they cross the network once, if at all.
    """
    dask, da = optional_import("dask", "dask"), optional_import("dask.array", "dask")
    X, targets, _ = aligned(X, targets)
    first = dask.delayed(_first, pure=False)
    kept = []
    for place, y, x, m in zip(_places(X), _blocks(targets), _blocks(X), X.chunks[0], strict=True):
        with dask.annotate(**place):
            shape = m, *targets.shape[1:]
            kept.append(da.from_delayed(first(y, x), shape, dtype=targets.dtype))
    return X, da.concatenate(kept).persist()


def score_shape(loss: Loss, targets) -> tuple[int, ...]:
    """Return the shape of one example's scores, from the largest label alone."""
    like = np.zeros((1, *targets.shape[1:]), targets.dtype)
    if targets.ndim == 1 and targets.dtype.kind in "iu":
        like[:] = targets.max().compute()
    return loss.score_shape(like)[1:]


def _first(targets, X):
    return targets


def _blocks(array, like=None) -> list[Any]:
    """Return the chunks of an array as delayed objects, or None for each."""
    if array is None:
        return [None] * len(like.chunks[0])
    return array.to_delayed().ravel().tolist()


def _places(X) -> list[dict[str, Any]]:
    """Return for each chunk of X what tells a cluster to work on it where it lies.

    Left to itself, a scheduler that does not know yet how long a task takes sends chunks about.
    Where X lies nowhere yet, or its worker has died, any worker will do.
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


def _sums_of_chunk(loss, block_rows, n_threads, start, X, targets, w, params) -> Sums | str:
    """Return the sums over a chunk, or what is wrong with it.

    As a value, so that the client raises the same error on every scheduler: that of the first chunk
    which has one, without a trace through its workers.
    """
    W, b = params
    if len(X) == 0 or (w is not None and not w.any()):
        return 0.0, np.zeros(W.shape), np.zeros(b.shape), 0.0
    try:
        return sums_in_memory(loss, X, targets, W, b, w, block_rows, n_threads)
    except ValueError as error:
        return f"{error} (seen in the chunk of rows {start} to {start + len(X) - 1})"


def _added(parts: list[Sums | str]) -> Sums | str:
    """Return the sum of sums, in their order; or the first complaint."""
    for part in parts:
        if isinstance(part, str):
            return part
    with np.errstate(all="ignore"):  # an infinite loss is a result, as it is in memory
        return tuple(reduce(add, column) for column in zip(*parts, strict=True))
