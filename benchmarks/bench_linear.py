"""Time the gradient of a linear model against PyTorch's autograd, side by side in one process.

Prints a table of medians and their ratio. Absolute times depend on the machine; compare ratios.
"""

from __future__ import annotations

import argparse
from statistics import median
from timeit import timeit

import numpy as np
import torch

from lossutils.linear import linear_value_and_grad
from lossutils.losses import BCEWithLogitsLoss, CrossEntropyLoss, Loss, MSELoss
from lossutils.verify import torch_loss

CASES: list[tuple[Loss, int, int, int | None]] = [
    (MSELoss(), 100_000, 20, None),
    (BCEWithLogitsLoss(), 100_000, 20, None),
    (BCEWithLogitsLoss(), 100, 2, None),
    (CrossEntropyLoss(), 100_000, 20, 10),
    (CrossEntropyLoss(), 20_000, 200, 10),
]


def problem(loss: Loss, m: int, n: int, classes: int | None):
    """Return our way and autograd's way to the same gradient of random data."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(m, n))
    y = rng.integers(0, classes or 2, size=m)
    W, b = rng.normal(size=(n, classes) if classes else n), np.zeros(classes or ())
    value_of, X_t, y_t = torch_loss(loss), torch.tensor(X), torch.tensor(y)

    def ours():
        return linear_value_and_grad(loss, X, y, W, b)[1]

    def autograd():
        W_t, b_t = (torch.tensor(p, requires_grad=True) for p in (W, b))
        value_of(X_t @ W_t + b_t, y_t).mean().backward()
        return W_t.grad.numpy()

    return ours, autograd


def main() -> None:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (%(default)s)")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    print(f"{'case':<44}{'lossutils':>12}{'autograd':>12}{'ratio':>8}")
    for loss, m, n, classes in CASES:
        ours, autograd = problem(loss, m, n, classes)
        np.testing.assert_allclose(ours(), autograd(), rtol=1e-9, atol=1e-12)
        number = max(1, 100_000 // m)
        times = [
            (timeit(ours, number=number) / number, timeit(autograd, number=number) / number)
            for _ in range(rounds)
        ]
        fast, slow = (1e3 * median(column) for column in zip(*times, strict=True))
        shape = f"{m:,} x {n}" + (f", K = {classes}" if classes else "")
        print(
            f"{type(loss).__name__ + ' ' + shape:<44}{fast:>9.2f} ms{slow:>9.2f} ms"
            f"{slow / fast:>8.2f}"
        )


if __name__ == "__main__":
    main()
