"""Measures how time and memory of a gradient grow with the size of the problem.

The chapter *A gradient is a sum* (chapters/scaling.ipynb) plots the stored results: run `make
refresh` after this. Each series answers one question:

    rows, features, classes   how time and scratch memory grow with m, n and K
    passes                    what a second pass over X costs if X is larger than the caches
    blocks                    how many rows a block should have
    precision, threads        how much time float32, and a second core, save
    floors                    how fast this machine reads memory, and how fast it multiplies
    vocabulary                loss and gradient with K in the tens of thousands

All ways to compute one result are checked to agree. Then all ways at all sizes of a series are
timed in turn, as in bench_linear.py, so that a busy moment of the machine does not change a slope.
"""

from __future__ import annotations

import argparse
import os

# Set before NumPy and PyTorch are imported, since they read these variables only then.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from statistics import median

import numpy as np
import pyperf
import torch
from timing import RESULTS, in_turn, scratch_mb, stored
from torch.nn import functional

from lossutils.linear import linear_value_and_grad
from lossutils.losses import BCEWithLogitsLoss, CrossEntropyLoss
from lossutils.vocabulary import cross_entropy_by_classes

SCALING = RESULTS / "scaling.json"
OURS, AUTOGRAD, CHUNKED, BY_CLASSES = "lossutils", "autograd", "torch chunked", "by classes"
READ = "one read of X"
CACHED = 2**19
"""Bytes of a block that stays in a core's cache."""
ROWS_OF_A_BLOCK = 32
"""For a vocabulary: the scores of 32 rows are much smaller than the gradient."""

Ways = dict[str, Callable[[], object]]


@dataclass
class Case:
    """One problem size of a series, and the ways that are compared."""

    series: str
    sizes: dict[str, int]
    ways: Callable[[], Ways]
    """Creates the data and returns the ways; called only when the case is measured."""

    tolerance: float | None = 1e-9
    """Largest relative difference of the results; None if the ways compute different things."""

    memory: bool = False
    metadata: dict[str, dict[str, object]] = field(default_factory=dict)
    """More metadata to store, by the name of the way."""

    def __str__(self) -> str:
        return f"{self.series}: " + ", ".join(f"{name} = {v:,}" for name, v in self.sizes.items())


def data(m: int, n: int, K: int):
    """Return random X, labels, W and b; K = 1 is binary cross-entropy."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((m, n))
    outputs = (K,) if K > 1 else ()
    W, b = rng.standard_normal((n, *outputs)) / n**0.5, rng.standard_normal(outputs)
    return X, rng.integers(max(K, 2), size=m), W, b


def loss_of(K: int):
    return CrossEntropyLoss() if K > 1 else BCEWithLogitsLoss()


def by_torch(X, y, W, b, *, chunked=False):
    """Return a way that uses autograd, with all logits at once or in chunks."""
    X_t = torch.from_numpy(X)
    y_t = torch.from_numpy(y if W.ndim == 2 else y.astype(X.dtype))

    def way():
        W_t, b_t = torch.tensor(W, requires_grad=True), torch.tensor(b, requires_grad=True)
        if chunked:
            options = torch.nn.LinearCrossEntropyOptions()
            of = functional.linear_cross_entropy
            value = of(X_t, W_t.T, y_t, linear_bias=b_t, options=options)
        elif W.ndim == 2:
            value = functional.cross_entropy(X_t @ W_t + b_t, y_t)
        else:
            value = functional.binary_cross_entropy_with_logits(X_t @ W_t + b_t, y_t)
        value.backward()
        return value.item(), W_t.grad.numpy(), b_t.grad.numpy()

    return way


def growth(m: int, n: int, K: int) -> Callable[[], Ways]:
    def ways():
        problem = data(m, n, K)
        found = {OURS: lambda: linear_value_and_grad(loss_of(K), *problem)}
        return found | {AUTOGRAD: by_torch(*problem)}

    return ways


def least_squares(X, y, w, rows: int) -> Callable[[], object]:
    """Return a way to the gradient of least squares in blocks; this cheap loss hides no cost."""

    def way():
        gradient = np.zeros(len(w))  # float64, even if X is float32
        for start in range(0, len(X), rows):
            x = X[start : start + rows]
            gradient += (x @ w - y[start : start + rows]) @ x
        return gradient / len(X)

    return way


def passes(m: int, n: int) -> Callable[[], Ways]:
    def ways():
        X, y, w, _ = data(m, n, 1)
        flat = X.reshape(-1)
        return {
            "one pass": least_squares(X, y, w, rows=CACHED // (8 * n)),
            "two passes": least_squares(X, y, w, rows=m),
            READ: lambda: flat @ flat,
        }

    return ways


def blocks(m: int, n: int, sizes: list[int]) -> Callable[[], Ways]:
    def ways():
        X, y, w, _ = data(m, n, 1)
        return {f"{rows} rows": least_squares(X, y, w, rows) for rows in sizes}

    return ways


def precision(m: int, n: int) -> Callable[[], Ways]:
    """Compare float64 with float32 for least squares, since the package computes in float64."""

    def ways():
        X, y, w, _ = data(m, n, 1)

        def of(dtype):
            size = np.dtype(dtype).itemsize
            return least_squares(*(a.astype(dtype) for a in (X, y, w)), CACHED // (size * n))

        return {"float64": of(np.float64), "float32": of(np.float32)}

    return ways


def threads(m: int, n: int, K: int) -> Callable[[], Ways]:
    def ways():
        problem = data(m, n, K)

        def of(n_threads):
            return lambda: linear_value_and_grad(loss_of(K), *problem, n_threads=n_threads)

        return {"1 thread": of(1), "2 threads": of(2)}

    return ways


def floors(m: int, n: int) -> Callable[[], Ways]:
    def ways():
        flat = np.random.default_rng(0).standard_normal(m * n)
        A, B = (np.random.default_rng(i).standard_normal((1000, 1000)) for i in (1, 2))
        A32, B32 = A.astype(np.float32), B.astype(np.float32)
        return {
            READ: lambda: flat @ flat,
            "product, float64": lambda: A @ B,
            "product, float32": lambda: A32 @ B32,
        }

    return ways


def vocabulary(m: int, n: int, K: int) -> Callable[[], Ways]:
    def ways():
        problem = data(m, n, K)
        loss = CrossEntropyLoss()
        return {
            AUTOGRAD: by_torch(*problem),
            CHUNKED: by_torch(*problem, chunked=True),
            "by rows": lambda: linear_value_and_grad(loss, *problem, block_rows=ROWS_OF_A_BLOCK),
            BY_CLASSES: lambda: cross_entropy_by_classes(*problem),
        }

    return ways


def cases(shrink: int) -> Iterator[Case]:
    """Yield all cases; the number of rows is divided by ``shrink``."""
    for m in [2**k for k in range(7, 22, 2)]:
        m = max(8, m // shrink)
        yield Case("rows", {"m": m, "n": 20, "K": 10}, growth(m, 20, 10), memory=True)
    for n in [2**k for k in range(4, 11)]:
        m = 20_000 // shrink
        yield Case("features", {"m": m, "n": n, "K": 10}, growth(m, n, 10), memory=True)
    for K in [1] + [2**k for k in range(1, 10)]:
        m = 50_000 // shrink
        yield Case("classes", {"m": m, "n": 200, "K": K}, growth(m, 200, K), memory=True)
    for m in [1_000, 4_000, 16_000, 64_000, 256_000, 512_000]:
        m = max(64, m // shrink)
        yield Case("passes", {"m": m, "n": 200, "K": 1}, passes(m, 200))
    m = 256_000 // shrink
    rows = [r for r in (8, 32, 128, 512, 2048, 8192, 32_768) if r < m] + [m]
    metadata: dict[str, dict[str, object]] = {f"{r} rows": {"block_rows": r} for r in rows}
    sizes = {"m": m, "n": 200, "K": 1}
    yield Case("blocks", sizes, blocks(m, 200, rows), memory=True, metadata=metadata)
    yield Case("precision", sizes, precision(m, 200), tolerance=1e-4)
    for K in (1, 10, 100):
        m = (256_000 if K < 100 else 50_000) // shrink
        yield Case("threads", {"m": m, "n": 200, "K": K}, threads(m, 200, K))
    m = 50_000 // shrink  # as in "classes": these floors bound its speed
    yield Case("floors", {"m": m, "n": 200, "K": 1}, floors(m, 200), tolerance=None)
    for K in [1000 * 2**k for k in range(8)]:
        m, K = 512, max(64, K // shrink)
        yield Case("vocabulary", {"m": m, "n": 64, "K": K}, vocabulary(m, 64, K), memory=True)


def assert_equal_results(found: Ways, tolerance: float) -> None:
    """Raise AssertionError unless all ways give the same result."""
    results = {name: way() for name, way in found.items() if name != READ}
    expected = next(iter(results.values()))
    for name, result in results.items():
        pairs = (
            zip(result, expected, strict=True)
            if isinstance(result, tuple)
            else [(result, expected)]
        )
        for left, right in pairs:
            atol = tolerance / 10
            np.testing.assert_allclose(left, right, rtol=tolerance, atol=atol, err_msg=name)


def measure(series: list[Case], rounds: int, clock: str) -> list[pyperf.Benchmark]:
    """Time all ways at all sizes of a series in turn, and measure their scratch memory."""
    name = series[0].series
    now = time.process_time if clock == "cpu" and name != "threads" else pyperf.perf_counter
    work, loops, metadata = {}, {}, {}
    for case in series:
        found = case.ways()
        if case.tolerance is not None:
            assert_equal_results(found, case.tolerance)
        numbers = case.sizes["m"] * case.sizes["n"] * case.sizes["K"]
        for way, function in found.items():
            key = f"{case}: {way}"
            work[key], loops[key] = function, max(1, 4_000_000 // numbers)
            metadata[key] = {
                "series": name,
                "way": way,
                **case.sizes,
                "loops": loops[key],
                "clock": "cpu" if now is time.process_time else "wall",
                **case.metadata.get(way, {}),
            }
            if case.memory:
                of_torch = way in (AUTOGRAD, CHUNKED)
                metadata[key]["scratch_mb"] = round(scratch_mb(function, of_torch=of_torch), 3)
    values = in_turn(work, rounds, now, loops, name)
    return [stored(key, values[key], metadata[key]) for key in work]


def table(suite: pyperf.BenchmarkSuite) -> str:
    """Return results as text: the median time and the scratch memory of each way."""
    lines = []
    for benchmark in suite.get_benchmarks():
        known = benchmark.get_metadata()
        size = f"{known['m']:,} x {known['n']:,}, K = {known['K']:,}"
        memory = f"{known['scratch_mb']:>11.2f}" if "scratch_mb" in known else ""
        ms = 1e3 * median(benchmark.get_values())
        lines.append(f"{known['series']:<11}{size:<28}{known['way']:<18}{ms:>11.3f}{memory}")
    return "\n".join([f"{'series':<11}{'size':<28}{'way':<18}{'ms':>11}{'MB':>11}", *lines])


def main() -> None:
    """Measure, print and store the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="timings of each way (%(default)s)")
    parser.add_argument(
        "--quick", action="store_true", help="2 rounds, a sixteenth of the sizes; stores nothing"
    )
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall", help="as in bench_linear.py"
    )
    parser.add_argument("--only", metavar="SERIES", default="", help="one series; stores nothing")
    parser.add_argument("--output", type=Path, default=SCALING, help="file to store (%(default)s)")
    parser.add_argument("--show", action="store_true", help="print stored results, measure nothing")
    options = parser.parse_args()
    if options.show:
        print(table(pyperf.BenchmarkSuite.load(str(options.output))))
        return
    torch.set_num_threads(1)
    rounds, shrink = (2, 16) if options.quick else (options.rounds, 1)
    every = list(cases(shrink))
    chosen = [case for case in every if options.only in ("", case.series)]
    if not chosen:
        names = ", ".join(dict.fromkeys(case.series for case in every))
        sys.exit(f"there is no series {options.only!r}; there are {names}")
    benchmarks = []
    for _, series in groupby(chosen, key=lambda case: case.series):
        benchmarks += measure(list(series), rounds, options.clock)
    suite = pyperf.BenchmarkSuite(benchmarks)
    print(table(suite))
    if not options.quick and not options.only:
        suite.dump(str(options.output), replace=True)
        print(f"\nstored in {options.output}; now run: make refresh")


if __name__ == "__main__":
    main()
