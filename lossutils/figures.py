"""Kinds of figures that one or two chapters draw.

As in `lossutils.plots`, most functions draw on ``ax``, or on the current axes if it is None, and
return these axes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ._checks import Array
from ._optional import optional_import
from .plots import BLUE, CLASS_COLOURS, GREEN, PURPLE, SKY, VERMILION, WIDTH, _plt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .train import Fit, History


def clouds(
    X: ArrayLike,
    y: ArrayLike,
    *,
    ax: Axes | None = None,
    names: Sequence[str] = ("class 0", "class 1"),
) -> Axes:
    """Scatter two classes of points, which differ in colour and in shape.

    Parameters
    ----------
    X : array_like, shape (m, 2)
        Points.
    y : array_like, shape (m,)
        Labels 0 and 1.
    names : pair of str
        Names of the classes, for the legend.
    """
    X, y = np.asarray(X), np.asarray(y)
    ax = ax or _plt().gca()
    for label, marker in enumerate("o^"):
        x1, x2 = X[y == label].T
        ax.scatter(
            x1,
            x2,
            s=28,
            marker=marker,
            color=CLASS_COLOURS[label],
            edgecolors="white",
            linewidths=0.6,
            label=names[label],
            rasterized=len(X) > 500,
        )
    ax.set(xlabel="$x_1$", ylabel="$x_2$")
    ax.legend(loc="upper left")
    return ax


def decision_line(fit: Fit, threshold: float, *, ax: Axes | None = None) -> None:
    """Draw the line on which a linear model of two features predicts a given probability.

    Parameters
    ----------
    fit : Fit
        The model, with W of shape (2,).
    threshold : float in (0, 1)
        Probability of class 1 on the line. The limits of the axes do not change.
    """
    ax = ax or _plt().gca()
    # Not by ax.axline, which cuts the line at the axes: the stored figures would change.
    limits = ax.axis()
    x = np.asarray(limits[:2])
    logit = np.log(threshold / (1 - threshold))
    ax.plot(x, (logit - fit.b - fit.W[0] * x) / fit.W[1], "k-")
    ax.axis(limits)


def margins(
    W: ArrayLike,
    b: float,
    X: ArrayLike,
    y: ArrayLike,
    *,
    support: ArrayLike | None = None,
    margin: float = 1.0,
    names: Sequence[str] = ("class −1", "class +1"),
    ax: Axes | None = None,
) -> Axes:
    """Scatter two classes with the decision line, its margins, and rings round support vectors.

    Parameters
    ----------
    W, b : array_like of shape (2,), float
        The decision line is where the score ``x @ W + b`` is 0.
    X, y : array_like
        Points (m, 2) and labels (m,), 0 and 1 or -1 and +1.
    support : array_like of bool or int, optional
        Which points get a ring, as a mask (m,) or as indices.
    margin : float, default 1.0
        The dashed lines are where the score is ``margin`` and ``-margin``.
    names : pair of str
        Names of the classes, for the legend.
    """
    X, y, W = np.asarray(X), np.asarray(y), np.asarray(W)
    ax = clouds(X, y > 0, ax=ax, names=names)
    limits = ax.axis()
    # ax.axline would draw the same lines, but cut them elsewhere: the stored figures would change
    along = np.array([-W[1], W[0]]) / np.linalg.norm(W)
    corners = [along @ (x1, x2) for x1 in limits[:2] for x2 in limits[2:]]
    ends = np.mean(corners) + np.ptp(corners) * np.array([[-1], [1]])
    for score in (0.0, margin, -margin):
        line = W * (score - b) / (W @ W) + ends * along
        ax.plot(*line.T, "k--" if score else "k-", linewidth=1.4 if score else 2.2)
    if support is not None:
        rings = X[np.asarray(support)]
        ax.plot(*rings.T, "o", fillstyle="none", color="black", markersize=12)
    ax.axis(limits)
    return ax


def probability_map(
    probability: Callable[[Array], Array],
    X: ArrayLike,
    y: ArrayLike,
    *,
    threshold: float = 0.5,
    ax: Axes | None = None,
) -> Axes:
    """Shade the plane by predicted probability, with the data and the decision line.

    Parameters
    ----------
    probability : callable
        Takes points (p, 2) and returns the probability of class 1, (p,).
    X, y : array_like
        Points (m, 2) and labels (m,) to show on top.
    threshold : float, default 0.5
        Probability on the decision line.
    """
    X = np.asarray(X)
    ax = ax or _plt().gca()
    low, high = X.min(axis=0) - 0.5, X.max(axis=0) + 0.5
    u, v = np.meshgrid(np.linspace(low[0], high[0], 121), np.linspace(low[1], high[1], 121))
    p = probability(np.column_stack([u.ravel(), v.ravel()])).reshape(u.shape)
    shades = ax.contourf(u, v, p, levels=np.linspace(0, 1, 11), cmap="RdBu_r", alpha=0.45)
    _rasterize(shades)
    ax.contour(u, v, p, levels=[threshold], colors="black", linewidths=2)
    ax.figure.colorbar(shades, ax=ax, label="predicted probability of class 1")
    ax.grid(visible=False)
    return clouds(X, y, ax=ax)


def loss_surface(
    loss: Callable[[float, float], float],
    w: ArrayLike,
    b: ArrayLike,
    *,
    history: History | Mapping[str, History] | None = None,
    scale: Literal["log", "linear"] = "log",
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw the contour lines of a loss of two parameters, and the paths of gradient descent.

    Parameters
    ----------
    loss : callable
        Takes w and b, and returns the loss.
    w, b : array_like
        Grid of each parameter.
    history : History or mapping of str to History, optional
        The descent to draw, on w of shape (1,) and b, or several by their label.
    scale : {"log", "linear"}, default "log"
        Whether neighbouring contour lines differ by a constant factor or a constant difference.
    title : str
        What the reader should see.
    """
    ax = ax or _plt().gca()
    w, b = np.asarray(w), np.asarray(b)
    height = np.array([[loss(u, v) for u in w] for v in b])
    spaced = np.geomspace if scale == "log" else np.linspace
    levels = spaced(max(height.min(), 1e-3) * 1.02, height.max(), 13)
    shades = ax.contourf(w, b, height, levels=[0, *levels], cmap="Greys", alpha=0.55)
    _rasterize(shades)
    ax.contour(w, b, height, levels=levels, colors="#666666", linewidths=0.8)
    ax.figure.colorbar(shades, ax=ax, label="loss", format="%.2g")
    several = isinstance(history, Mapping)
    paths = history if isinstance(history, Mapping) else {"start": history} if history else {}
    for (label, run), colour in zip(paths.items(), (VERMILION, BLUE, GREEN, PURPLE), strict=False):
        path = np.column_stack(run.path)
        ax.plot(*path.T, "-", color=colour, marker="o", markersize=3)
        ax.plot(*path[0], "s", color=colour, label=label)
        ax.plot(*path[-1], "*", color=colour, markersize=14, label="" if several else "end")
    if paths:
        ax.legend()
    ax.set(xlabel="$w$", ylabel="$b$", title=title)
    ax.grid(visible=False)
    return ax


def noisy_line(
    X: ArrayLike, y: ArrayLike, fit: Fit, *, band: float, ax: Axes | None = None
) -> Axes:
    """Scatter data of one feature with the fitted line, and dashed lines above and below it.

    Parameters
    ----------
    X : array_like, shape (m, 1)
        The feature.
    y : array_like, shape (m,)
        Targets.
    fit : Fit
        The model.
    band : float
        Vertical distance of the dashed lines from the fitted line.
    """
    ax = ax or _plt().gca()
    ax.plot(np.ravel(X), y, ".", color=SKY)
    ends = np.array([[np.min(X)], [np.max(X)]])
    for offset, style in ((0.0, "-"), (band, "k--"), (-band, "k--")):
        ax.plot(ends[:, 0], fit.scores(ends) + offset, style, linewidth=1.2 if offset else 2.2)
    ax.set(xlabel="$x$", ylabel="$y$")
    return ax


def images(pictures: ArrayLike, captions: Sequence[str], *, columns: int = 4) -> Figure:
    """Show small grey pictures in a grid, with a caption above each.

    Parameters
    ----------
    pictures : array_like, shape (n, h, w)
        Grey values; 0 is white, and the largest value of all is black.
    captions : sequence of n str
        The caption of each picture.
    columns : int, default 4
        Number of pictures in a row.
    """
    pictures = np.asarray(pictures)
    rows = -(-len(pictures) // columns)
    figure, axes = _plt().subplots(rows, columns, figsize=(WIDTH, 1.6 * rows), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, picture, caption in zip(axes.flat, pictures, captions, strict=False):
        ax.imshow(picture, cmap="Greys", vmin=0, vmax=pictures.max())
        ax.set_title(caption, loc="center", fontsize=11)
    return figure


def digit_map(
    digits: ArrayLike,
    names: Sequence[str],
    edges: Sequence[float],
    *,
    full: int,
    ticks: Sequence[float],
    xlabel: str = "",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Shade how many digits of each formula are correct in each interval of scores.

    A legend stands above. Cells with NaN or infinity get a cross as well as a colour.

    Parameters
    ----------
    digits : array_like of int, shape (formulas, b)
        As `lossutils.precision.worst_digits` returns them.
    names : sequence of str
        The formulas, from top to bottom.
    edges : sequence of b + 1 float
        Ends of the intervals, which are all drawn equally wide.
    full : int
        Number of digits that counts as all.
    ticks : sequence of float
        The edges to label.
    xlabel, title : str
        What the scores are, and what the reader should see.
    """
    ax = ax or _plt().gca()
    colors = optional_import("matplotlib.colors", "plots")
    patches = optional_import("matplotlib.patches", "plots")
    digits, half = np.asarray(digits), (full + 1) // 2
    shades = {
        f"all {full}": "#EEF3F7",
        f"{half} or more": SKY,
        f"1 to {half - 1}": BLUE,
        "none": "#14213D",
        "nan, inf": VERMILION,
    }
    level = np.select([digits == full, digits >= half, digits >= 1, digits == 0], range(4), 4)
    ax.imshow(level, cmap=colors.ListedColormap(list(shades.values())), vmin=0, vmax=4)
    rows, columns = np.nonzero(level == 4)
    ax.plot(columns, rows, "x", color="white", markersize=4, markeredgewidth=1.2)
    edges = list(edges)
    ax.set_xticks(
        [edges.index(t) - 0.5 for t in ticks], [f"{t:g}".replace("-", "−") for t in ticks]
    )
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel=xlabel, title=title, aspect="auto")
    ax.grid(visible=False)
    ax.hlines(np.arange(0.5, len(names) - 1), -0.5, len(edges) - 1.5, color="white", linewidth=1)
    handles = [
        patches.Patch(facecolor=colour, edgecolor="#999999", label=label)
        for label, colour in shades.items()
    ]
    ax.figure.legend(
        handles=handles,
        title="right digits",
        loc="outside upper center",
        ncols=len(handles),
        fontsize=10,
        columnspacing=0.9,
        handlelength=1.0,
        handletextpad=0.4,
        frameon=False,
    )
    return ax


def matrix_shapes(
    factors: Sequence[tuple[str, str, str, float, float]], *, ax: Axes | None = None
) -> Axes:
    """Draw an equation between matrices, each as a box as high and wide as the matrix.

    Parameters
    ----------
    factors : sequence of tuple
        From left to right: the operator before the box ("" for none), the name of the matrix, its
        shape in words, and the height and width of the box.
    """
    ax = ax or _plt().gca()
    patches = optional_import("matplotlib.patches", "plots")
    x = 0.0
    for operator, name, shape, height, width in factors:
        if operator:
            ax.text(x + 0.45, 0, operator, ha="center", va="center", fontsize=15)
            x += 0.9
        ax.add_patch(
            patches.Rectangle(
                (x, -height / 2), width, height, facecolor=SKY, alpha=0.45, edgecolor=BLUE, lw=1.5
            )
        )
        ax.text(x + width / 2, 0, name, ha="center", va="center", fontsize=13)
        ax.text(x + width / 2, -height / 2 - 0.15, shape, ha="center", va="top", fontsize=10)
        x += width
    tallest = max(height for *_, height, _ in factors)
    ax.set(xlim=(-0.4, x + 0.4), ylim=(-tallest / 2 - 0.8, tallest / 2 + 0.2), aspect="equal")
    ax.axis("off")
    return ax


def _rasterize(shades: Any) -> None:
    """Store filled contours as pixels inside the SVG, which is far smaller than their paths."""
    with warnings.catch_warnings():
        # matplotlib 3.8 to 3.10 warn that this has no effect, but it has
        warnings.filterwarnings("ignore", "Rasterization of", UserWarning)
        shades.set_rasterized(True)
