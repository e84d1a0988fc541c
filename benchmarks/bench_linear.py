r"""Compares the speed of the gradient of linear models with PyTorch, scikit-learn and SciPy.

All ways to compute one gradient are first checked to agree. Then they are timed in turn (A B C, A B
C, ...) in this process, so that a busy moment of the machine affects all of them. Times differ from
machine to machine; ratios differ less. The floors are lower bounds for every way: to read X once
from memory (as the dot product of X with itself, which loads each number and stores none), and to
compute the two matrix products alone.

pyperf provides the clock and the file format, which includes the machine and the date: `python -m
pyperf stats` reads it, and `--show` prints the table again. The loop is our own, since pyperf's
Runner and pytest-benchmark time one benchmark completely before the next.

To simulate a processor with only AVX2 (linear_avx2.json) on one with AVX-512:

    NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR" OPENBLAS_CORETYPE=Haswell \
    ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 \
    python benchmarks/bench_linear.py --output lossutils/results/linear_avx2.json
"""

from __future__ import annotations

import argparse
import os

# Set before NumPy and PyTorch are imported, since they read these variables only then.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import pyperf
import torch
from scipy import special
from sklearn._loss import HalfBinomialLoss, HalfMultinomialLoss
from sklearn.linear_model._linear_loss import LinearModelLoss
from timing import RESULTS, in_turn, scratch_mb, stored
from torch.nn import functional

from lossutils.linear import linear_value_and_grad
from lossutils.losses import BCEWithLogitsLoss, CrossEntropyLoss

LINEAR = RESULTS / "linear.json"
OURS, AUTOGRAD, CLOSED, CHUNKED = "lossutils", "autograd", "torch closed form", "torch chunked"
SKLEARN, SCIPY, READ, PRODUCTS = "scikit-learn", "scipy", "one read of X", "two products"
TWO_THREADS = "lossutils, 2 threads"
FLOORS = (READ, PRODUCTS)
WAYS = (OURS, TWO_THREADS, AUTOGRAD, CLOSED, CHUNKED, SKLEARN, SCIPY, *FLOORS)


@dataclass(frozen=True)
class Target:
    """An upper bound on our time, as a multiple of the time of another way."""

    other: str
    times: float
    of: str = OURS

    def __str__(self) -> str:
        who = "" if self.of == OURS else f"{self.of.split(', ')[1]}: "
        if self.times < 1:
            return f"{who}{1 / self.times:.3g} x the speed of {self.other}"
        return f"{who}within {self.times:.3g} x {self.other}"


@dataclass(frozen=True)
class Case:
    """A problem: m rows, n features, K classes (None for binary cross-entropy), and its targets."""

    m: int
    n: int
    K: int | None = None
    targets: tuple[Target, ...] = ()
    scratch: float | None = None
    """Upper bound on scratch memory, in MB."""
    ways: tuple[str, ...] = field(
        default=(OURS, AUTOGRAD, CLOSED, CHUNKED, SKLEARN, SCIPY, *FLOORS), repr=False
    )

    def __str__(self) -> str:
        size = f"{self.m:,} x {self.n}"
        return f"cross-entropy {size}, K = {self.K}" if self.K else f"BCE {size}"


CASES = [
    Case(1_000_000, 20, 10, (Target(AUTOGRAD, 1 / 4.5), Target(SKLEARN, 1 / 2.5)), scratch=1),
    Case(20_000, 200, 1000, (Target(CHUNKED, 1.15),), scratch=8),
    Case(20_000, 2000, 10, (Target(AUTOGRAD, 1 / 2),)),
    Case(1_000_000, 20, None, (Target(READ, 2.5),)),
    Case(100_000, 200, None, (Target(READ, 1.9),)),
    Case(20_000, 2000, None, (Target(READ, 1.6),)),
    Case(100, 2, None, (Target(AUTOGRAD, 1 / 4),)),
    Case(100_000, 200, 10, (Target(OURS, 1 / 1.6, of=TWO_THREADS),), ways=(OURS, TWO_THREADS)),
]


def ways(case: Case) -> dict[str, Callable[[], object]]:
    """Return functions that compute value and gradient for random data, and the floors."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(case.m, case.n))
    y = rng.integers(case.K or 2, size=case.m)
    outputs = (case.K,) if case.K else ()
    W, b = rng.normal(size=(case.n, *outputs)), rng.normal(size=outputs)
    loss = CrossEntropyLoss() if case.K else BCEWithLogitsLoss()
    y_float, rows, flat = y.astype(np.float64), np.arange(case.m), X.reshape(-1)
    X_t, y_t = torch.from_numpy(X), torch.from_numpy(y if case.K else y_float)

    def ours(n_threads=1):
        return linear_value_and_grad(loss, X, y, W, b, n_threads=n_threads)

    def with_gradient():
        return torch.tensor(W, requires_grad=True), torch.tensor(b, requires_grad=True)

    def autograd():
        W_t, b_t = with_gradient()
        z = X_t @ W_t + b_t
        of = functional.cross_entropy if case.K else functional.binary_cross_entropy_with_logits
        value = of(z, y_t)
        value.backward()
        return value.item(), W_t.grad.numpy(), b_t.grad.numpy()

    def chunked():
        W_t, b_t = with_gradient()
        options = torch.nn.LinearCrossEntropyOptions()
        value = functional.linear_cross_entropy(X_t, W_t.T, y_t, linear_bias=b_t, options=options)
        value.backward()
        return value.item(), W_t.grad.numpy(), b_t.grad.numpy()

    def closed_form():
        with torch.no_grad():
            z = X_t @ torch.from_numpy(W) + torch.as_tensor(b)
            if case.K:
                log_p = torch.log_softmax(z, 1)
                value = -log_p.gather(1, y_t[:, None]).mean()
                grad = log_p.exp_()
                grad[torch.arange(case.m), y_t] -= 1
            else:
                value = functional.binary_cross_entropy_with_logits(z, y_t)
                grad = z.sigmoid_().sub_(y_t)
            grad /= case.m
            return value.item(), (X_t.T @ grad).numpy(), grad.sum(0).numpy()

    of_sklearn = LinearModelLoss(
        HalfMultinomialLoss(n_classes=case.K) if case.K else HalfBinomialLoss(), fit_intercept=True
    )
    coefficients = np.asfortranarray(np.vstack([W, b]).T) if case.K else np.append(W, b)

    def scikit_learn():
        value, grad = of_sklearn.loss_gradient(coefficients, X, y_float)
        return value, grad[..., :-1].T, grad[..., -1]

    def of_scipy():
        z = X @ W + b
        if case.K:
            log_p = special.log_softmax(z, axis=1)
            value, grad = -log_p[rows, y].mean(), np.exp(log_p)
            grad[rows, y] -= 1
        else:
            value = -special.log_expit((2 * y - 1) * z).mean()
            grad = special.expit(z) - y
        grad /= case.m
        return value, X.T @ grad, grad.sum(axis=0)

    def two_products():
        return X.T @ (X @ W)

    found = {
        OURS: ours,
        TWO_THREADS: lambda: ours(n_threads=2),
        AUTOGRAD: autograd,
        CLOSED: closed_form,
        CHUNKED: chunked if case.K else None,
        SKLEARN: scikit_learn,
        SCIPY: of_scipy,
        READ: lambda: flat @ flat,
        PRODUCTS: two_products,
    }
    return {name: found[name] for name in WAYS if name in case.ways and found[name]}


def assert_equal_results(found: dict[str, Callable[[], object]]) -> None:
    """Raise AssertionError unless all ways give the same value and gradient."""
    expected = found[OURS]()
    for name, way in found.items():
        if name in FLOORS:
            continue
        for what, left, right in zip(("value", "dW", "db"), way(), expected, strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-12, err_msg=f"{name} {what}")


def measure(case: Case, rounds: int, clock: str) -> list[pyperf.Benchmark]:
    """Time all ways of a case in turn, and measure their scratch memory."""
    now = time.process_time if clock == "cpu" and TWO_THREADS not in case.ways else None
    now = now or pyperf.perf_counter
    found = ways(case)
    assert_equal_results(found)
    scratch = {
        n: scratch_mb(way, of_torch=n in (AUTOGRAD, CLOSED, CHUNKED))
        for n, way in found.items()
        if n not in FLOORS
    }
    loops = max(1, 200_000 // (case.m * case.n))
    values = in_turn(found, rounds, now, dict.fromkeys(found, loops), str(case))
    return [
        stored(
            f"{case}: {name}",
            values[name],
            {
                "case": str(case),
                "way": name,
                "loops": loops,
                "clock": "wall" if now is pyperf.perf_counter else "cpu",
                **({"scratch_mb": round(scratch[name], 3)} if name in scratch else {}),
            },
        )
        for name in found
    ]


def table(suite: pyperf.BenchmarkSuite) -> str:
    """Return results as text: medians, ratios, memory, and whether the targets hold."""
    by_case: dict[str, dict[str, pyperf.Benchmark]] = {}
    for benchmark in suite.get_benchmarks():
        metadata = benchmark.get_metadata()
        by_case.setdefault(metadata["case"], {})[metadata["way"]] = benchmark
    known = suite.get_benchmarks()[0].get_metadata()
    lines = [
        f"{known['date'][:10]}, {known.get('cpu_model_name', 'unknown processor')}, "
        f"{known['vectors']} (OpenBLAS: {known['openblas_kernel']}; "
        f"torch: {known['torch_vectors']}), {known['cpu_count']} processors",
        f"NumPy {known['numpy_version']}, SciPy {known['scipy_version']}, "
        f"scikit-learn {known['sklearn_version']}, torch {known['torch_version']}; "
        "float64, one thread unless said",
        "ratio: median over the rounds of a way's time to that of lossutils in the same round",
    ]
    cases = {str(case): case for case in CASES}
    for name, found in by_case.items():
        clock = found[OURS].get_metadata()["clock"]
        lines += ["", f"{name:<44}{f'ms ({clock})':>12}{'least':>10}{'ratio':>8}{'MB':>10}"]
        for way, benchmark in found.items():
            values, scratch = benchmark.get_values(), benchmark.get_metadata().get("scratch_mb")
            lines.append(
                f"  {way:<42}{1e3 * median(values):>12.3f}{1e3 * min(values):>10.3f}"
                f"{ratio(found, way, OURS):>8.2f}{'' if scratch is None else f'{scratch:.2f}':>10}"
            )
        case = cases.get(name)
        for target in case.targets if case else ():
            reached = ratio(found, target.of, target.other)
            shown = f"{1 / reached:.2f}" if target.times < 1 else f"{reached:.2f}"
            held = "holds" if reached <= target.times else "DOES NOT HOLD"
            lines.append(f"  must be {target}: {shown}, {held}")
        if case and case.scratch is not None:
            scratch = found[OURS].get_metadata()["scratch_mb"]
            held = "holds" if scratch <= case.scratch else "DOES NOT HOLD"
            lines.append(f"  scratch must be at most {case.scratch:g} MB: {scratch:.2f}, {held}")
    return "\n".join(lines)


def ratio(found: dict[str, pyperf.Benchmark], way: str, other: str) -> float:
    """Return the ratio of two times of the same round, as the median over the rounds."""
    pairs = zip(found[way].get_values(), found[other].get_values(), strict=True)
    return median(mine / theirs for mine, theirs in pairs)


def main() -> None:
    """Measure, print and store the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="timings of each way (%(default)s)")
    parser.add_argument(
        "--quick", action="store_true", help="3 rounds, a tenth of the rows; stores nothing"
    )
    parser.add_argument(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="cpu: processor time of this process, better on a busy machine "
        "(cases with threads always use the wall clock)",
    )
    parser.add_argument("--only", metavar="TEXT", default="", help="cases whose name has this text")
    parser.add_argument("--output", type=Path, default=LINEAR, help="file to store (%(default)s)")
    parser.add_argument("--show", action="store_true", help="print stored results, measure nothing")
    options = parser.parse_args()
    if options.show:
        print(table(pyperf.BenchmarkSuite.load(str(options.output))))
        return
    torch.set_num_threads(1)
    cases = [case for case in CASES if options.only in str(case)]
    if not cases:
        sys.exit(
            f"no case has {options.only!r} in its name; there are\n" + "\n".join(map(str, CASES))
        )
    if options.quick:
        options.rounds = 3
        cases = [Case(max(c.m // 10, 100), c.n, c.K, ways=c.ways) for c in cases]
    benchmarks = [b for case in cases for b in measure(case, options.rounds, options.clock)]
    suite = pyperf.BenchmarkSuite(benchmarks)
    print(table(suite))
    if not options.quick:
        suite.dump(str(options.output), replace=True)
        print(f"\nstored in {options.output}")


if __name__ == "__main__":
    main()
