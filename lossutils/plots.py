"""House style of the figures: SVG, colour-blind-safe, legible on a phone.

Call `use_house_style` once in a notebook; the other functions draw on the current axes, or on
``ax``. Figures are narrow with large type, since a phone shows them 330 pixels wide, and panels
stand one below the other. Curves differ in dash as well as in colour.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ._optional import optional_import
from .special import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .metrics import Reliability
    from .train import Fit, History

WIDTH, HEIGHT = 5.0, 3.2
"""Size of one panel in inches."""

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#AA4499",
    "#E69F00",
    "#56B4E9",
)
"""Colours that people with any colour vision tell apart (after M. Okabe and K. Ito)."""

CLASS_COLOURS = (BLUE, VERMILION)
"""Colours of class 0 and class 1, everywhere."""

STYLE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "figure.facecolor": "white",
    "figure.figsize": (WIDTH, HEIGHT),
    "figure.constrained_layout.use": True,
    "font.size": 12,
    "grid.color": "#e4e4e4",
    "legend.fontsize": 11,
    "legend.framealpha": 0.9,
    "lines.linewidth": 2.2,
    "svg.fonttype": "path",  # no font of the reader's machine enters the picture
    "svg.hashsalt": "lossutils",  # ids that are the same in every run
}


def use_house_style() -> None:
    """Set the style of all figures that follow, as SVG that is the same to the byte in every run.

    Raises
    ------
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    mpl = optional_import("matplotlib", "plots")
    cycle = mpl.cycler(
        color=[BLUE, VERMILION, GREEN, PURPLE, ORANGE],
        linestyle=["-", "--", "-.", ":", (0, (6, 2))],
    )
    mpl.rcParams.update({**STYLE, "axes.prop_cycle": cycle})
    if mpl.get_backend().endswith("inline"):
        backend = optional_import("matplotlib_inline.backend_inline", "plots")
        backend.set_matplotlib_formats("svg", metadata={"Date": None})


def panels(n: int, *, height: float = HEIGHT) -> tuple[Figure, Sequence[Axes]]:
    """Make a figure of n panels, one below the other.

    Parameters
    ----------
    n : int
        Number of panels.
    height : float
        Height of each, in inches.

    Returns
    -------
    figure, axes
        As ``matplotlib.pyplot.subplots`` returns them; ``axes`` has n entries.
    """
    figure, axes = _plt().subplots(n, 1, figsize=(WIDTH, n * height), squeeze=False)
    return figure, axes[:, 0]


def lines(
    x: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    legend: Any = "best",
    ax: Axes | None = None,
    **axes_properties: Any,
) -> Axes:
    """Draw labelled curves over the same x.

    Parameters
    ----------
    x : array_like, shape (p,)
        Abscissae.
    curves : mapping of str to array_like of shape (p,)
        The curves by their label; a single one needs no legend and gets none.
    xlabel, ylabel, title : str
        What the axes show, and what the figure says.
    legend : str, default "best"
        Where the legend stands: a ``loc`` of ``Axes.legend``, or "above" the axes in one row.
    ax : Axes, optional
        Where to draw.
    **axes_properties
        Passed to ``Axes.set``: ``xscale="log"``, ``ylim=(0, 1)`` and so on.

    Returns
    -------
    Axes
        To add marks to.
    """
    ax = ax or _plt().gca()
    for label, y in curves.items():
        ax.plot(x, y, label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title, **axes_properties)
    settle(ax)
    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() == "log":
            _plain_log_ticks(axis)
    if len(curves) > 1 and legend == "above":
        ax.legend(
            loc="lower left",
            bbox_to_anchor=(-0.08, 1.0),
            ncols=len(curves),
            columnspacing=1.2,
            handlelength=1.6,
            frameon=False,
        )
    elif len(curves) > 1:
        ax.legend(loc=legend)
    return ax


def bands(
    x: ArrayLike,
    runs: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    legend: Any = "best",
    ax: Axes | None = None,
    **axes_properties: Any,
) -> Axes:
    """Draw repeated runs over the same x: the median of each label, shaded from lowest to highest.

    Parameters
    ----------
    x : array_like, shape (p,)
        Abscissae.
    runs : mapping of str to array_like of shape (r, p)
        For each label r runs, such as one for each seed.
    xlabel, ylabel, title, legend, ax, **axes_properties
        As for `lines`.

    Returns
    -------
    Axes
        To add marks to.
    """
    ax = ax or _plt().gca()
    medians = {label: np.median(np.asarray(values), axis=0) for label, values in runs.items()}
    before = len(ax.lines)
    lines(
        x,
        medians,
        xlabel=xlabel,
        ylabel=ylabel,
        title=title,
        legend=legend,
        ax=ax,
        **axes_properties,
    )
    for line, values in zip(ax.lines[before:], runs.values(), strict=True):
        low, high = np.min(values, axis=0), np.max(values, axis=0)
        ax.fill_between(x, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    settle(ax)
    return ax


def spread(
    values: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    title: str = "",
    ax: Axes | None = None,
    **axes_properties: Any,
) -> Axes:
    """Compare labels by repeated measurements: a row each, with a dot per run and a median bar.

    Parameters
    ----------
    values : mapping of str to array_like of shape (r,)
        For each label, from top to bottom, one value per run; those not finite are left out.
    xlabel, title : str
        What is measured, and what the figure says.
    ax : Axes, optional
        Where to draw.
    **axes_properties
        Passed to ``Axes.set``.

    Returns
    -------
    Axes
    """
    ax = ax or _plt().gca()
    for row, measured in enumerate(values.values()):
        finite = np.asarray(measured, dtype=np.float64)
        finite = finite[np.isfinite(finite)]
        ax.plot(finite, np.full(len(finite), row), "o", color=BLUE, alpha=0.55, markersize=7)
        if len(finite):
            ax.plot([np.median(finite)] * 2, [row - 0.3, row + 0.3], "k-", linewidth=2.5)
    ax.set_yticks(range(len(values)), list(values))
    ax.set(xlabel=xlabel, title=title, ylim=(len(values) - 0.5, -0.5), **axes_properties)
    settle(ax)
    if ax.get_xscale() == "log":
        _plain_log_ticks(ax.xaxis)
    return ax


def reliability_diagram(
    measured: Mapping[str, Reliability], *, title: str = "", ax: Axes | None = None
) -> Axes:
    """Draw how often what was predicted happened; a calibrated model lies on the diagonal.

    Parameters
    ----------
    measured : mapping of str to Reliability
        By label; bins with more examples get larger dots.
    title : str
        What the figure says.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = ax or _plt().gca()
    ax.plot([0, 1], [0, 1], color="black", linewidth=1.2, linestyle=":")
    for (label, r), marker in zip(measured.items(), "o^sDv", strict=False):
        (line,) = ax.plot(r.confidence, r.frequency, linewidth=1.4, label=label)
        size = 12 + 120 * np.sqrt(r.count / r.count.sum())
        ax.scatter(r.confidence, r.frequency, s=size, marker=marker, color=line.get_color())
    ax.set(xlabel="predicted probability", ylabel="share that happened", title=title)
    ax.legend(loc="upper left")
    return ax


def settle(ax: Axes) -> None:
    """Round the limits of an axes to ten digits.

    Limits follow the data to the last bit, which differs between processors, and the layout of a
    figure follows the limits. Rounded, both are the same everywhere.

    Parameters
    ----------
    ax : Axes
        Whose limits to round; axes that follow their data go on doing so.
    """
    ax.set_xlim(*(float(f"{limit:.10g}") for limit in ax.get_xlim()), auto=None)
    ax.set_ylim(*(float(f"{limit:.10g}") for limit in ax.get_ylim()), auto=None)


def _rasterize(shades: Any) -> None:
    """Store filled contours as pixels inside the SVG, which they would fill with paths."""
    with warnings.catch_warnings():
        # matplotlib 3.8 to 3.10 say that they ignore this, and do it all the same
        warnings.filterwarnings("ignore", "Rasterization of", UserWarning)
        shades.set_rasterized(True)


def _plain_log_ticks(axis: Any) -> None:
    """Write 0.02, 0.05, 0.1 on a short logarithmic axis, and powers of ten on a long one."""
    low, high = axis.get_view_interval()
    if high / low < 1e4:
        ticker = optional_import("matplotlib.ticker", "plots")
        axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5) if high / low < 200 else (1,)))
        axis.set_major_formatter(ticker.FormatStrFormatter("%g"))
        axis.set_minor_formatter(ticker.NullFormatter())


def mark(
    x: float,
    y: float,
    text: str = "",
    *,
    ax: Axes | None = None,
    dx: float = 10,
    dy: float = 10,
) -> None:
    """Mark a point with a dot and a note beside it.

    Parameters
    ----------
    x, y : float
        The point, in data coordinates.
    text : str
        The note.
    ax : Axes, optional
        Where to draw.
    dx, dy : float
        Where the note stands relative to the point, in typographic points.
    """
    ax = ax or _plt().gca()
    ax.plot([x], [y], "o", color="black", markersize=6, zorder=5)
    note = ax.annotate(
        text,
        (x, y),
        xytext=(dx, dy),
        textcoords="offset points",
        ha="left" if dx >= 0 else "right",
        va="bottom" if dy >= 0 else "top",
    )
    note.set_in_layout(False)  # a mark that moves must not move the axes


def level(y: float, text: str, *, x: float = 0.5, ax: Axes | None = None) -> None:
    """Draw a dotted line across the axes at a height that matters, and say what it is.

    Parameters
    ----------
    y : float
        Height, in data coordinates.
    text : str
        What it is, written above the line.
    x : float
        Where along the width the text is centred, from 0 to 1.
    ax : Axes, optional
        Where to draw.
    """
    ax = ax or _plt().gca()
    ax.axhline(y, color="black", linewidth=1.2, linestyle=":")
    ax.annotate(
        text,
        (x, y),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
    )


def decision_line(fit: Fit, threshold: float, *, ax: Axes | None = None) -> None:
    """Draw where the sigmoid of a linear model of two features equals a threshold.

    Parameters
    ----------
    fit : Fit
        The model, with W of shape (2,).
    threshold : float in (0, 1)
        Probability of class 1 on the line.
    ax : Axes, optional
        Where to draw; its limits stay as they are.
    """
    ax = ax or _plt().gca()
    limits = ax.axis()
    x = np.asarray(limits[:2])
    logit = np.log(threshold / (1 - threshold))
    ax.plot(x, (logit - fit.b - fit.W[0] * x) / fit.W[1], "k-")
    ax.axis(limits)


def clouds(
    X: ArrayLike,
    y: ArrayLike,
    *,
    ax: Axes | None = None,
    names: Sequence[str] = ("class 0", "class 1"),
) -> Axes:
    """Scatter two classes of points, told apart by colour and by shape.

    Parameters
    ----------
    X : array_like, shape (m, 2)
        Points.
    y : array_like, shape (m,)
        Labels 0 and 1.
    ax : Axes, optional
        Where to draw.
    names : pair of str
        Names of the classes, for the legend.

    Returns
    -------
    Axes
    """
    X, y = np.asarray(X), np.asarray(y)
    ax = ax or _plt().gca()
    for label, marker in enumerate("o^"):
        ax.scatter(
            X[y == label, 0],
            X[y == label, 1],
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


def noisy_line(
    X: ArrayLike, y: ArrayLike, fit: Fit, *, band: float, ax: Axes | None = None
) -> Axes:
    """Scatter data of one feature, with a fitted line and dashed lines at a distance from it.

    Parameters
    ----------
    X : array_like, shape (m, 1)
        The feature.
    y : array_like, shape (m,)
        Targets.
    fit : Fit
        Model of one score.
    band : float
        Vertical distance of the dashed lines.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = ax or _plt().gca()
    ax.plot(np.ravel(X), y, ".", color=SKY)
    ends = np.array([[np.min(X)], [np.max(X)]])
    for offset, style in ((0.0, "-"), (band, "k--"), (-band, "k--")):
        ax.plot(ends[:, 0], fit.scores(ends) + offset, style, linewidth=1.2 if offset else 2.2)
    ax.set(xlabel="$x$", ylabel="$y$")
    return ax


def probability_map(
    probability: Callable[[Array], Array],
    X: ArrayLike,
    y: ArrayLike,
    *,
    threshold: float = 0.5,
    ax: Axes | None = None,
) -> Axes:
    """Shade the plane by a predicted probability, with the data and the line of a threshold.

    Parameters
    ----------
    probability : callable
        Takes points (p, 2), returns the probability of class 1, (p,).
    X, y : array_like
        Points (m, 2) and labels (m,) to show on top.
    threshold : float, default 0.5
        Probability at which the decision line is drawn.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
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
    """Draw a loss of two parameters as height lines, with the paths of descents.

    Parameters
    ----------
    loss : callable
        Takes w and b, returns the loss.
    w, b : array_like
        Grid of each parameter.
    history : History or mapping of str to History, optional
        Descent on w, of shape (1,), and b, whose path to draw; several by their label.
    scale : {"log", "linear"}, default "log"
        Whether neighbouring height lines differ by a factor or by a difference.
    ax : Axes, optional
        Where to draw.
    title : str
        What the figure says.

    Returns
    -------
    Axes
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
    """Scatter two classes with a decision line, its margins, and rings round support vectors.

    Parameters
    ----------
    W, b : array_like of shape (2,), float
        The line, where the score ``x @ W + b`` is 0.
    X, y : array_like
        Points (m, 2) and labels (m,), 0 and 1 or -1 and +1.
    support : array_like of bool or int, optional
        Which points get a ring: a mask (m,) or indices.
    margin : float, default 1.0
        Score at which the dashed lines are drawn, on both sides.
    names : pair of str
        Names of the classes, for the legend.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    X, y, W = np.asarray(X), np.asarray(y), np.asarray(W)
    ax = clouds(X, y > 0, ax=ax, names=names)
    limits = ax.axis()
    corners = np.array([[limits[i], limits[j]] for i in (0, 1) for j in (2, 3)])
    along = np.array([-W[1], W[0]]) / np.linalg.norm(W)
    reach = np.ptp(corners @ along) * np.array([-1, 1])
    for score in (0.0, margin, -margin):
        foot = W * (score - b) / (W @ W)
        foot = foot + along * (
            along @ (corners.mean(axis=0) - foot)
        )  # the point nearest the middle
        ends = foot + np.outer(reach, along)
        ax.plot(*ends.T, "k--" if score else "k-", linewidth=1.4 if score else 2.2)
    if support is not None:
        rings = X[np.asarray(support)]
        ax.plot(*rings.T, "o", fillstyle="none", color="black", markersize=12)
    ax.axis(limits)
    return ax


def images(pictures: ArrayLike, captions: Sequence[str], *, columns: int = 4) -> Figure:
    """Show small grey pictures in a grid, dark on light, with a caption above each.

    Parameters
    ----------
    pictures : array_like, shape (n, h, w)
        Grey values, 0 for paper and the largest for ink.
    captions : sequence of n str
        What to write above each.
    columns : int, default 4
        Pictures in a row.

    Returns
    -------
    Figure
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


def heatmap(
    matrix: ArrayLike,
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    xticks: Sequence[str] | None = None,
    yticks: Sequence[str] | None = None,
    format: str = "{:.2g}",
    ax: Axes | None = None,
) -> Axes:
    """Show a matrix as shaded cells with the number in each; blue is negative, red positive.

    Parameters
    ----------
    matrix : array_like, shape (r, c)
        Numbers; the shade is symmetric about 0.
    xlabel, ylabel, title : str
        What columns and rows are, and what the figure says.
    xticks, yticks : sequence of str, optional
        Names of columns and rows; by default they are counted from 0.
    format : str
        How a number is written, for ``str.format``; a cell of 0 stays empty.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = ax or _plt().gca()
    values = np.asarray(matrix, dtype=np.float64)
    largest = np.abs(values).max() or 1.0
    ax.imshow(values, cmap="RdBu_r", vmin=-1.4 * largest, vmax=1.4 * largest, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        if value:
            ax.text(j, i, format.format(value), ha="center", va="center", fontsize=10)
    rows, columns = values.shape
    ax.set_xticks(range(columns), xticks if xticks is not None else list(map(str, range(columns))))
    ax.set_yticks(range(rows), yticks if yticks is not None else list(map(str, range(rows))))
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.grid(visible=False)
    return ax


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
    """Shade how many digits of each formula are right in each interval of scores.

    Parameters
    ----------
    digits : array_like of int, shape (formulas, b)
        As `lossutils.precision.worst_digits` returns them.
    names : sequence of str
        The formulas, from top to bottom.
    edges : sequence of b + 1 float
        Ends of the intervals; all are drawn equally wide.
    full : int
        Digits that count as all.
    ticks : sequence of float
        Which of the edges to label.
    xlabel, title : str
        What the scores are, and what the figure says.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        With a legend above; what is no number bears a cross as well as a colour of its own.
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
    """Draw an equation between matrices as boxes whose sides show the dimensions.

    Parameters
    ----------
    factors : sequence of tuple
        From left to right: an operator to write before the box ("" for none), the name of the
        matrix, its shape in words, and the height and width of its box.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
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


def _plt() -> Any:
    return optional_import("matplotlib.pyplot", "plots")
