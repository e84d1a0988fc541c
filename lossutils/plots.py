"""The style of all figures, and the kinds of figures that several chapters draw.

Call `use_house_style` once in a notebook. The other functions draw on ``ax``, or on the current
axes if it is None, and most return these axes. Figures are narrow with large type, since a phone
shows them 330 pixels wide, and panels stand one below the other. Curves differ in dash as well as
in colour, so that readers with any colour vision tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ._optional import optional_import

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .metrics import Reliability

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
"""Colours that readers with any colour vision can tell apart (after M. Okabe and K. Ito)."""

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
    "svg.fonttype": "path",  # text becomes outlines, so the reader's fonts do not matter
    "svg.hashsalt": "lossutils",  # makes the ids in a figure the same in every run
}


def use_house_style() -> None:
    """Set the style of all later figures, and make notebooks store them as reproducible SVG.

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
        Height of each panel, in inches.

    Returns
    -------
    figure, axes
        The figure, and a sequence of n axes.
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
        Horizontal coordinates.
    curves : mapping of str to array_like of shape (p,)
        The curves by their label. A single curve gets no legend.
    xlabel, ylabel, title : str
        What the axes show, and what the reader should see.
    legend : str, default "best"
        Position of the legend: a ``loc`` of ``Axes.legend``, or "above" for one row above the axes.
    **axes_properties
        Passed to ``Axes.set``, such as ``xscale="log"`` or ``ylim=(0, 1)``.
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
    x: ArrayLike, runs: Mapping[str, ArrayLike], *, ax: Axes | None = None, **options: Any
) -> Axes:
    """Draw the median of repeated runs over the same x, shaded from the lowest to the highest run.

    Parameters
    ----------
    x : array_like, shape (p,)
        Horizontal coordinates.
    runs : mapping of str to array_like of shape (r, p)
        For each label r runs, such as one per seed.
    **options
        Labels, title, legend and properties of the axes, as for `lines`.
    """
    ax = ax or _plt().gca()
    before = len(ax.lines)
    medians = {label: np.median(np.asarray(values), axis=0) for label, values in runs.items()}
    lines(x, medians, ax=ax, **options)
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
    """Draw repeated measurements as one row per label, with a dot per run and a bar at the median.

    Parameters
    ----------
    values : mapping of str to array_like of shape (r,)
        For each label, from top to bottom, one value per run. Infinite and NaN are left out.
    xlabel, title : str
        What is measured, and what the reader should see.
    **axes_properties
        Passed to ``Axes.set``.
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
    """Draw predicted probability against observed frequency, with the diagonal as reference.

    Parameters
    ----------
    measured : mapping of str to Reliability
        The measurements by label. Bins with more examples get larger dots.
    title : str
        What the reader should see.
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
        The numbers. Shades are symmetric about 0.
    xlabel, ylabel, title : str
        What columns and rows are, and what the reader should see.
    xticks, yticks : sequence of str, optional
        Names of columns and rows, by default 0, 1, 2 and so on.
    format : str
        Format of a number for ``str.format``. A cell that is 0 stays empty.
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


def mark(
    x: float,
    y: float,
    text: str = "",
    *,
    ax: Axes | None = None,
    dx: float = 10,
    dy: float = 10,
) -> None:
    """Mark a point with a dot and a note next to it.

    Parameters
    ----------
    x, y : float
        The point, in data coordinates.
    text : str
        The note.
    dx, dy : float
        Position of the note relative to the point, in typographic points.
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
    note.set_in_layout(False)  # the axes must stay in place when an explorer moves the mark


def level(y: float, text: str, *, x: float = 0.5, ax: Axes | None = None) -> None:
    """Draw a horizontal dotted line with a text above it.

    Parameters
    ----------
    y : float
        Height of the line, in data coordinates.
    text : str
        What the height means.
    x : float
        Centre of the text along the width of the axes, from 0 to 1.
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


def settle(ax: Axes) -> None:
    """Round the limits of axes to ten digits, so that the layout is the same on every processor.

    Limits depend on the last bits of the data, which differ between processors. Axes that scale
    with their data continue to do so.

    Parameters
    ----------
    ax : Axes
        The axes to change.
    """
    ax.set_xlim(*(float(f"{limit:.10g}") for limit in ax.get_xlim()), auto=None)
    ax.set_ylim(*(float(f"{limit:.10g}") for limit in ax.get_ylim()), auto=None)


def _plain_log_ticks(axis: Any) -> None:
    """Write 0.02, 0.05, 0.1 on a short logarithmic axis, and powers of ten on a long one."""
    low, high = axis.get_view_interval()
    if high / low < 1e4:
        ticker = optional_import("matplotlib.ticker", "plots")
        axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5) if high / low < 200 else (1,)))
        axis.set_major_formatter(ticker.FormatStrFormatter("%g"))
        axis.set_minor_formatter(ticker.NullFormatter())


def _plt() -> Any:
    return optional_import("matplotlib.pyplot", "plots")
