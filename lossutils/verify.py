"""Independent checks of an equation or a gradient: numerical derivatives, Taylor test, autograd.

The numerical ones use no closed-form gradient, so agreement with one is evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import Array, Float64Array
from ._compare import relative_error
from .counterparts import to_tensor, torch_loss
from .losses import base

STEP = 1e-3
"""Step of the differences. It balances the error of order 4, h**4 / 30, and rounding, eps / h."""


def numerical_derivative(
    f: Callable[[Float64Array], Array], x: ArrayLike, *, step: float = STEP
) -> Float64Array:
    r"""Differentiate an element-wise function by central differences of order 4.

    .. math:: f'(x) \approx \frac{8 [f(x + h) - f(x - h)] - [f(x + 2h) - f(x - 2h)]}{12 h}

    Parameters
    ----------
    f : callable
        Takes an array and returns one of the same shape. Entry i depends on ``x[i]`` alone.
    x : array_like
        Where to differentiate.
    step : float
        Step h, in the units of x.

    Returns
    -------
    ndarray, shape of ``x``
        The derivative, accurate to about 1e-12 where f and its fifth derivative are of order 1.
    """
    x = np.asarray(x, dtype=np.float64)
    near = f(x + step) - f(x - step)
    far = f(x + 2 * step) - f(x - 2 * step)
    return (8 * near - far) / (12 * step)


def numerical_gradient(
    f: Callable[[Float64Array], float], x: ArrayLike, *, step: float = STEP
) -> Float64Array:
    """Differentiate a function of an array by central differences of order 4.

    Parameters
    ----------
    f : callable
        Takes an array and returns a number.
    x : array_like
        Where to differentiate.
    step : float
        Step in the units of x, for each entry.

    Returns
    -------
    ndarray, shape of ``x``
        The derivative with respect to each entry. f is called 4 times per entry.
    """
    x = np.asarray(x, dtype=np.float64)

    def along(i: int) -> Callable[[Float64Array], Array]:
        def line(t: Float64Array) -> Array:
            moved = x.copy()
            moved.flat[i] = t
            return np.asarray(f(moved))

        return line

    entries = [numerical_derivative(along(i), x.flat[i], step=step) for i in range(x.size)]
    return np.reshape(entries, x.shape)


def complex_step(f: Callable[[NDArray[Any]], NDArray[Any]], x: ArrayLike) -> Float64Array:
    r"""Differentiate an analytic element-wise function, without cancellation.

    .. math:: f'(x) = \operatorname{Im} f(x + ih) / h + O(h^2), \qquad h = 10^{-100}

    Parameters
    ----------
    f : callable
        Takes a complex array and returns one of the same shape. It may use only analytic
        operations: no ``abs``, ``max`` or comparison.
    x : array_like
        Real points at which to differentiate.

    Returns
    -------
    ndarray, shape of ``x``
        The derivative, exact to rounding.
    """
    h = 1e-100
    return f(np.asarray(x, dtype=np.float64) + 1j * h).imag / h


@dataclass(frozen=True)
class TaylorTest:
    """Remainders of a first-order expansion at shrinking steps; see `taylor_test`."""

    steps: Float64Array
    remainders: Float64Array

    @property
    def order(self) -> float:
        """Slope of log remainder against log step, 2 for a right gradient and 1 for a wrong one."""
        return float(np.polyfit(np.log(self.steps), np.log(self.remainders), 1)[0])


def taylor_test(
    value_and_grad: Callable[[Float64Array], tuple[float, Array]],
    x: ArrayLike,
    *,
    direction: ArrayLike | None = None,
    seed: int = 0,
) -> TaylorTest:
    r"""Measure how fast :math:`|f(x + hd) - f(x) - h\, \nabla f(x) \cdot d|` shrinks with h.

    Parameters
    ----------
    value_and_grad : callable
        Takes an array, and returns the value of f and its gradient, of the same shape.
    x : array_like
        Where to test. f must be curved there, or else the remainder is only rounding.
    direction : array_like, optional
        Direction d, of the shape of ``x``. The default is random, of length 1.
    seed : int, default 0
        Seed of the random direction.

    Returns
    -------
    TaylorTest
        Steps, remainders, and the ``order`` of the remainder: 2 for a right gradient.

    Raises
    ------
    ValueError
        If the gradient or the direction has another shape than ``x``, or the remainder is only
        rounding.
    """
    x = np.asarray(x, dtype=np.float64)
    if direction is None:
        direction = np.random.default_rng(seed).normal(size=x.shape)
        direction = direction / np.linalg.norm(direction)
    d = np.asarray(direction, dtype=np.float64)
    value, grad = value_and_grad(x)
    if np.shape(grad) != x.shape or d.shape != x.shape:
        raise ValueError(
            f"x has shape {x.shape}, its gradient {np.shape(grad)} and the direction {d.shape}; "
            "all three must be the same"
        )
    slope = np.sum(grad * d)
    steps: Float64Array = 0.1 * 0.5 ** np.arange(8.0)
    remainders = [abs(value_and_grad(x + h * d)[0] - value - h * slope) for h in steps]
    if min(remainders) <= 1e-15 * max(1.0, abs(value)):
        raise ValueError(
            f"the remainder falls to {min(remainders):.1g}, which is only rounding, because f is "
            "straight in this direction; test where it is curved"
        )
    return TaylorTest(steps, np.array(remainders))


def check_equal(
    tag: str,
    left: ArrayLike,
    right: ArrayLike,
    *,
    tol: float = 1e-12,
    points: str = "random points",
) -> None:
    r"""Print that the equation ``tag`` holds, or raise an error that shows where it does not.

    Parameters
    ----------
    tag : str
        Name of the equation, as in its ``\tag{...}``.
    left, right : array_like
        Its two sides, computed independently at the same points. They have the same shape, and the
        first axis runs over the points. A single number is compared with every point. PyTorch
        tensors are accepted.
    tol : float, default 1e-12
        Largest difference allowed, relative to the larger of 1 and the two sides.
    points : str, default "random points"
        What the points are, for the printed sentence.

    Raises
    ------
    AssertionError
        If a difference exceeds ``tol`` or a side is not finite. The message names the worst point.
    ValueError
        If the shapes differ, there is no point, or ``tol`` is not between 0 and 0.001.
    """
    if not 0 < tol < 1e-3:
        raise ValueError(f"{tag}: tol must lie between 0 and 0.001 to mean anything, got {tol!r}")
    a, b = _as_array(left), _as_array(right)
    if a.shape != b.shape and a.ndim > 0 and b.ndim > 0:
        raise ValueError(
            f"{tag}: the left side has shape {a.shape}, the right side {b.shape}; "
            "compute both at the same points"
        )
    a, b = np.broadcast_arrays(a, b)
    if a.size == 0:
        raise ValueError(f"{tag}: there is no point to check; give arrays that are not empty")
    # relative to 1 at least, since a formula of terms of order 1 is exact only to their rounding
    error = relative_error(a, b, floor=1.0)
    error = np.where(np.isfinite(a) & np.isfinite(b), error, np.inf)  # NaN is never equal
    worst = np.unravel_index(np.argmax(error), error.shape)
    if error[worst] > tol:
        where = f" at point {', '.join(map(str, worst))}" if worst else ""
        raise AssertionError(
            f"{tag} does not hold{where}: left is {a[worst]!s}, right is {b[worst]!s}, "
            f"their relative difference {error[worst]:.2g} exceeds {tol:g}"
        )
    where = f" at {len(a):,} {points}" if a.ndim else ""
    print(f"{tag} holds{where} (to {tol:g})")


def compare_with_autograd(
    loss: base.Loss,
    scores: ArrayLike,
    targets: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: base.Reduction = "mean",
    tol: float = 1e-12,
) -> None:
    """Check a loss and its gradient against PyTorch's loss and its autograd.

    Parameters
    ----------
    loss : Loss
        A loss of `lossutils.losses`.
    scores, targets, sample_weight, reduction
        As the loss takes them.
    tol : float, default 1e-12
        Largest difference allowed, relative to the larger of 1 and the two sides.

    Raises
    ------
    AssertionError
        If the value or the gradient differs by more.
    ModuleNotFoundError
        If PyTorch is not installed.
    """
    value, grad = loss.value_and_grad(
        scores, targets, sample_weight=sample_weight, reduction=reduction
    )
    torch_value, torch_grad = torch_value_and_grad(
        loss, scores, targets, sample_weight=sample_weight, reduction=reduction
    )
    name = type(loss).__name__
    check_equal(f"{name} against PyTorch: value", value, torch_value, tol=tol, points="examples")
    check_equal(f"{name} against PyTorch: gradient", grad, torch_grad, tol=tol, points="examples")


def torch_value_and_grad(
    loss: base.Loss,
    scores: ArrayLike,
    targets: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: base.Reduction = "mean",
) -> tuple[Float64Array, Float64Array]:
    """Evaluate PyTorch's counterpart of a loss, and its gradient by autograd, in float64.

    Parameters
    ----------
    loss : Loss
        A loss of `lossutils.losses`.
    scores, targets, sample_weight, reduction
        As the loss takes them.

    Returns
    -------
    value : ndarray
        Reduced loss: shape (), or (m,) for "none".
    grad : ndarray, shape of ``scores``
        Gradient with respect to the scores.

    Raises
    ------
    ModuleNotFoundError
        If PyTorch is not installed.
    """
    value_of = torch_loss(loss)
    loss.check(scores, targets, sample_weight=sample_weight, reduction=reduction)
    import torch

    s = to_tensor(np.asarray(scores, dtype=np.float64)).requires_grad_()
    values = value_of(s, to_tensor(targets))
    w = np.ones(len(values)) if sample_weight is None else np.asarray(sample_weight)
    values = values * torch.tensor(w, dtype=torch.float64)
    total = values.sum() / loss._divisor(targets, w) if reduction == "mean" else values.sum()
    (grad,) = torch.autograd.grad(total, s)
    value = values if reduction == "none" else total
    return value.detach().numpy(), grad.numpy()


def _as_array(side) -> Float64Array:
    if hasattr(side, "detach"):  # a PyTorch tensor, which may require a gradient
        side = side.detach().cpu().numpy()
    return np.asarray(side, dtype=np.float64)
