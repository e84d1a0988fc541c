"""Functions that the benchmarks share: time, memory, and a description of the machine."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import accumulate
from pathlib import Path

import numpy as np
import pyperf
import scipy
import sklearn
import torch
from threadpoolctl import threadpool_info
from torch.profiler import ProfilerActivity, profile
from tqdm import tqdm

RESULTS = Path(__file__).parents[1] / "lossutils" / "results"
"""Folder of the results, in the package, since chapters read them."""


def in_turn(
    ways: Mapping[str, Callable[[], object]],
    rounds: int,
    now: Callable[[], float],
    loops: Mapping[str, int],
    name: str,
) -> dict[str, list[float]]:
    """Time all ways in turn (A B C, A B C, ...), so that a busy machine slows all of them."""
    values: dict[str, list[float]] = {way: [] for way in ways}
    for _ in tqdm(range(rounds), desc=name, unit="round", leave=False):
        for way, work in ways.items():
            start = now()
            for _ in range(loops[way]):
                work()
            values[way].append((now() - start) / loops[way])
    return values


def stored(name: str, values: list[float], metadata: Mapping[str, object]) -> pyperf.Benchmark:
    """Return the times of one way as a pyperf benchmark, with the machine and the date."""
    metadata = {**machine(), "name": name, **metadata}
    return pyperf.Benchmark([pyperf.Run(values, metadata=metadata, collect_metadata=False)])


@contextmanager
def quiet() -> Iterator[None]:
    """Discard messages that the profiler's C++ code writes to stderr."""
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def scratch_mb(way: Callable[[], object], *, of_torch: bool) -> float:
    """Return the peak memory of a call in MB, results included.

    NumPy reports its arrays to tracemalloc; PyTorch does not, but its profiler sees them.
    """
    if of_torch:
        with quiet(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
            way()
        events = profiled.profiler.kineto_results.events()
        changes = [event.nbytes() for event in events if event.name() == "[memory]"]
        return max(accumulate(changes, initial=0)) / 1e6
    tracemalloc.start()
    try:
        way()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@cache
def machine() -> dict[str, object]:
    """Return the machine, the date and the versions, for the results file.

    Cached, so that all benchmarks of a file have the same date.
    """
    of_pyperf = pyperf.Run([1.0], collect_metadata=True).get_metadata()
    kept = ("date", "cpu_model_name", "cpu_count", "load_avg_1min", "python_version")
    simd = np._core._multiarray_umath.__cpu_features__.get
    blas = {i["architecture"] for i in threadpool_info() if i["user_api"] == "blas"}
    return {
        **{name: of_pyperf[name] for name in kept if name in of_pyperf},
        "vectors": "AVX-512" if simd("AVX512_SKX") else "AVX2" if simd("AVX2") else "other",
        "openblas_kernel": ", ".join(sorted(blas)),
        "torch_vectors": torch.backends.cpu.get_cpu_capability(),
        **{f"{m.__name__}_version": m.__version__ for m in (np, scipy, sklearn, torch)},
    }
