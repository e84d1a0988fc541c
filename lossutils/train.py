"""Gradient descent, linear models trained by it, and the choice of a learning rate.

The gradient of a linear model comes from a closed formula, or from PyTorch's autograd.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._checks import Array, Float64Array, check_count, check_l2, check_positive, to_float64
from ._engine import Rows
from ._optional import is_dask
from .linear import rows_of, rows_value_and_grad
from .losses import BCELoss, Loss, PoissonNLLLoss
from .verdicts import perturbed


@dataclass(frozen=True)
class History:
    """The course of a gradient descent; entry k of each array belongs to k steps taken."""

    loss: Float64Array
    """(steps + 1,) loss; for mini-batches, that of the current batch."""
    grad_norm: Float64Array
    """(steps + 1,) Euclidean norm of the gradient with respect to all parameters."""
    path: tuple[Array, ...] = field(repr=False)
    """For each parameter an array of its values, steps + 1 along the first axis."""

    @property
    def diverged(self) -> bool:
        """Whether the loss became infinite or NaN, which stops the descent."""
        return not np.isfinite(self.loss[-1])

    @property
    def params(self) -> tuple[Array, ...]:
        """The parameters at the end."""
        return tuple(path[-1] for path in self.path)


@dataclass(frozen=True)
class Fit:
    """A trained linear model: its scores are ``X @ W + b``."""

    W: Array
    """(n,) or (n, K) weights."""
    b: float | Array
    """Intercept, a float or (K,)."""
    history: History

    def scores(self, X: Any) -> Array:
        """Return the scores of rows of features, shape (m,) or (m, K); dask in, dask out."""
        return (X if is_dask(X) else np.asarray(X)) @ self.W + self.b


def gradient_descent(
    value_and_grad: Callable[..., tuple[Any, ...]],
    params: Any,
    *,
    lr: float | Callable[[int], float],
    steps: int,
    callback: Callable[[int, float, tuple[Array, ...]], object] | None = None,
) -> History:
    r"""Minimise a function by steps :math:`\theta \leftarrow \theta - \text{lr} \cdot \nabla f`.

    Parameters
    ----------
    value_and_grad : callable
        Called as ``value_and_grad(*params)``; returns the value and one gradient per parameter, as
        ``linear_value_and_grad`` does.
    params : array_like, or tuple of them
        Where to start. Left unchanged.
    lr : float or callable
        Learning rate, positive; or a function of the number of steps taken so far, 0, 1, ….
    steps : int
        Number of steps, at least 0.
    callback : callable, optional
        Called as ``callback(k, value, params)`` with the value after k steps; if it returns
        True, descent ends there.

    Returns
    -------
    History
        With ``steps + 1`` entries, or fewer if the loss became infinite or NaN, or ``callback``
        ended it.

    Raises
    ------
    ValueError
        If ``lr`` or ``steps`` is out of range, or a gradient has another shape than its parameter.
    """
    rate_at = lr if callable(lr) else lambda k: lr
    check_positive("lr", rate_at(0))
    steps = check_count("steps", steps, 0)
    start = params if isinstance(params, tuple) else (params,)
    theta = tuple(to_float64(p)[0].copy() for p in start)
    losses, norms, path = [], [], []
    with np.errstate(over="ignore", invalid="ignore"):  # a diverging run is a result, not a fault
        for k in range(steps + 1):
            value, *grads = value_and_grad(*theta)
            grads = [np.asarray(g, dtype=np.float64) for g in grads]
            if [g.shape for g in grads] != [p.shape for p in theta]:
                raise ValueError(
                    f"gradients have shapes {[g.shape for g in grads]}, parameters "
                    f"{[p.shape for p in theta]}; value_and_grad(*params) must return the value "
                    "and then one gradient per parameter"
                )
            losses.append(float(value))
            norms.append(float(np.sqrt(sum(np.sum(g * g) for g in grads))))
            path.append(theta)
            ended = callback is not None and callback(k, losses[-1], theta)
            ended = isinstance(ended, bool | np.bool_) and ended
            if k == steps or ended or not np.isfinite(value):
                break
            rate = rate_at(k)
            check_positive("lr", rate)
            theta = tuple(p - rate * g for p, g in zip(theta, grads, strict=True))
    by_param = tuple(np.stack(values) for values in zip(*path, strict=True))
    return History(np.array(losses), np.array(norms), by_param)


def fit_linear(
    loss: Loss,
    X: ArrayLike,
    y: ArrayLike,
    *,
    lr: float | Callable[[int], float],
    steps: int,
    batch_size: int | None = None,
    seed: int = 0,
    l2: float = 0.0,
    progress: bool = False,
    start: tuple[ArrayLike, ArrayLike] | None = None,
) -> Fit:
    """Train a linear model by gradient descent with the closed-form gradient.

    Parameters
    ----------
    loss : Loss
        Any loss of `lossutils.losses`, except the two whose scores are probabilities or rates:
        ``BCELoss`` and ``PoissonNLLLoss(log_input=False)``.
    X : array_like or dask array, shape (m, n)
        Features; rows are examples. An ``np.memmap`` is never read as a whole; of a dask array the
        rows stay where they are, and at each step W, b and the gradient travel: see
        `lossutils.chunks`.
    y : array_like or dask array, shape (m,) or (m, K)
        Targets, as ``loss`` takes them; they decide the number of scores.
    lr : float or callable
        Learning rate, or a function of the number of steps taken so far.
    steps : int
        Number of steps.
    batch_size : int, optional
        Rows per step, drawn without replacement until all are used; by default all rows. Not for
        dask arrays, whose rows would have to travel.
    seed : int, default 0
        Seed of the batches.
    l2 : float, default 0.0
        Strength of the penalty on the weights; see ``linear_value_and_grad``.
    progress : bool, default False
        Show a progress bar.
    start : tuple (W, b), optional
        Where to start; by default zeros.

    Returns
    -------
    Fit
        Weights, intercept and history.

    Raises
    ------
    ValueError
        If shapes, targets or settings do not fit; see ``linear_value_and_grad``.
    """
    rows = rows_of(X, y)

    def value_and_grad(rows, W, b):
        return rows_value_and_grad(rows, loss, W, b, l2)

    batches = _batches(rows, batch_size, seed)
    return _descend(value_and_grad, batches, _start(loss, rows, start), lr, steps, progress)


def fit_linear_autograd(
    loss: Loss,
    X: ArrayLike,
    y: ArrayLike,
    *,
    lr: float | Callable[[int], float],
    steps: int,
    batch_size: int | None = None,
    seed: int = 0,
    l2: float = 0.0,
    progress: bool = False,
    start: tuple[ArrayLike, ArrayLike] | None = None,
) -> Fit:
    """Train as `fit_linear` does, with PyTorch's own loss and its autograd for the gradient.

    Parameters and the returned `Fit` are those of `fit_linear`: same batches, same history. No
    closed form is used, so the agreement of both runs is evidence.

    Raises
    ------
    ModuleNotFoundError
        If PyTorch is not installed.
    ValueError
        As `fit_linear`.
    """
    from .counterparts import to_tensor, torch_loss

    value_of = torch_loss(loss)
    check_l2(l2)
    if is_dask(X, y):
        raise ValueError(
            "fit_linear_autograd takes arrays in memory, got dask arrays; train with fit_linear, "
            "or bring them into memory with X.compute(), y.compute()"
        )
    import torch

    rows = rows_of(X, y)

    def value_and_grad(rows, W, b):
        w_t, b_t = (torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in (W, b))
        scores = to_tensor(to_float64(rows.X)[0]) @ w_t + b_t
        loss.check(scores.detach().numpy(), rows.targets)
        values = value_of(scores, to_tensor(rows.targets))
        mean = values.mean() * (len(values) / loss._divisor(rows.targets, None))
        value = mean + 0.5 * l2 * (w_t**2).sum()
        dW, db = torch.autograd.grad(value, (w_t, b_t))
        return value.item(), dW.numpy(), db.numpy()

    batches = _batches(rows, batch_size, seed)
    return _descend(value_and_grad, batches, _start(loss, rows, start), lr, steps, progress)


def _start(loss: Loss, rows: Rows, start: Any) -> tuple[ArrayLike, ArrayLike]:
    """Return the W and b to start from: those given, or zeros of the shape that the loss needs."""
    if isinstance(loss, BCELoss):
        raise ValueError(
            "BCELoss takes probabilities, and the scores of a linear model are logits; "
            "train with BCEWithLogitsLoss"
        )
    if isinstance(loss, PoissonNLLLoss) and not loss.log_input:
        raise ValueError(
            "PoissonNLLLoss(log_input=False) takes rates, and the scores of a linear model may be "
            "negative; train with PoissonNLLLoss()"
        )
    if start is None:
        outputs = rows.outputs(loss)
        return np.zeros((rows.X.shape[1], *outputs)), np.zeros(outputs)
    if len(start) != 2:
        raise ValueError(f"start must be a pair (W, b), got {len(start)} entries")
    return tuple(start)


def _batches(rows: Rows, batch_size: int | None, seed: int) -> Iterator[Rows]:
    """Yield the rows of each step: all of them, or batches without replacement, shuffled again."""
    if batch_size is None:
        rows = rows.persist()
        while True:
            yield rows
    batch_size = check_count("batch_size", batch_size, 1, len(rows))
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(len(rows))
        for i in range(0, len(rows), batch_size):
            yield rows.take(order[i : i + batch_size])


def _descend(value_and_grad, batches, start, lr, steps, progress) -> Fit:
    """Take each step on the next batch, and show a progress bar if asked to."""

    def on_next_batch(W, b):
        return value_and_grad(next(batches), W, b)

    def descend(callback=None):
        return gradient_descent(on_next_batch, start, lr=lr, steps=steps, callback=callback)

    if progress:
        from tqdm.auto import tqdm

        with tqdm(total=steps, unit="step") as bar:

            def show(k, value, params):
                bar.set_postfix(loss=f"{value:.4g}", refresh=False)
                bar.update(k > 0)

            history = descend(show)
    else:
        history = descend()
    W, b = history.params
    return Fit(W, float(b) if b.ndim == 0 else b, history)


@dataclass(frozen=True)
class Tuned:
    """Outcome of `tune_lr`."""

    lr: float
    """The rate that won."""
    fit: Any
    """What was trained with it."""
    score: float
    """Its score."""
    scores: dict[float, float]
    """Score of every rate that was tried; -inf where it was not finite."""


def tune_lr(
    fit: Callable[[float], Any],
    score: Callable[[Any], float],
    lrs: Iterable[float],
    *,
    edge: bool = False,
) -> Tuned:
    """Train at each learning rate and keep the one that scores highest; ties go to the smallest.

    The course's one rule for a fair race: every loss gets the same rates, the same number of steps
    and the same score, such as the accuracy on validation data.

    Parameters
    ----------
    fit : callable
        Takes a learning rate, returns what it trained.
    score : callable
        Takes what was trained, returns a number, higher for better. One that is not finite, as of a
        run that diverged, counts as -inf.
    lrs : iterable of float
        The rates, in any order.
    edge : bool, default False
        Let the smallest or the largest rate win. Say so on the page.

    Returns
    -------
    Tuned
        The rate, what was trained with it, its score, and the scores of all rates.

    Raises
    ------
    EdgeError
        If the winner lies at an edge of the grid: a rate outside might be better.
    ValueError
        If there is no rate, or none has a finite score.
    """
    fits = {lr: fit(lr) for lr in sorted(lrs)}
    scores = {lr: float(score(trained)) for lr, trained in fits.items()}
    scores = {lr: value if np.isfinite(value) else -np.inf for lr, value in scores.items()}
    lr = best_lr(scores, edge=edge)
    return Tuned(lr, fits[lr], scores[lr], scores)


class EdgeError(ValueError):
    """The best learning rate lies at an edge of the grid, so a rate outside might be better."""


def best_lr(scores: Mapping[float, float], *, edge: bool = False) -> float:
    """Learning rate with the highest score; ties go to the smallest.

    Parameters
    ----------
    scores : dict of float to float
        Score of each rate that was tried.
    edge : bool, default False
        Let the smallest or the largest rate win. Say so on the page.

    Returns
    -------
    float
        The rate.

    Raises
    ------
    EdgeError
        If the winner lies at an edge of the grid. While ``make robust`` changes an experiment, it
        may.
    ValueError
        If there is no rate, or none has a finite score.
    """
    rates = sorted(scores)
    best = max(rates, key=lambda lr: scores[lr], default=None)
    if best is None or not np.isfinite(scores[best]):
        raise ValueError(f"none of the learning rates {rates} has a finite score; try smaller ones")
    if best in (rates[0], rates[-1]) and not (edge or perturbed()):
        end, remedy = ("smallest", "smaller") if best == rates[0] else ("largest", "larger")
        raise EdgeError(
            f"the best learning rate, {best:g}, is the {end} of the grid, so {remedy} ones might "
            f"be better: add {remedy} ones, or, if this edge is meant, pass edge=True and say so "
            f"on the page (scores: {', '.join(f'{lr:g}: {scores[lr]:.4g}' for lr in rates)})"
        )
    return best
