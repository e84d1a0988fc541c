"""`plots` and `figures` write the same bytes in every run, and others for different data."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest

from lossutils import data, figures, plots
from lossutils.losses import BCEWithLogitsLoss, MSELoss
from lossutils.metrics import reliability
from lossutils.special import sigmoid
from lossutils.train import fit_linear

X, Y = data.gaussian_clouds(40)
FIT = fit_linear(BCEWithLogitsLoss(), X, Y, lr=0.5, steps=20)
LINE = data.noisy_line(20)
LINE_FIT = fit_linear(MSELoss(), *LINE, lr=0.1, steps=5)
T = np.linspace(0.01, 1, 50)

DRAWINGS = {
    "lines": lambda c: plots.lines(T, {"a": c * T, "b": T}, xlabel="x", ylabel="y"),
    "log": lambda c: plots.lines(T, {"a": c * T}, xlabel="x", ylabel="y", yscale="log"),
    "mark": lambda c: plots.mark(0.5, 0.5 * c, "here"),
    "level": lambda c: plots.level(0.5 * c, "floor"),
    "clouds": lambda c: figures.clouds(c * X, Y),
    "map": lambda c: figures.probability_map(lambda x: sigmoid(c * FIT.scores(x)), X, Y),
    "line": lambda c: figures.noisy_line(*LINE, LINE_FIT, band=c),
    "surface": lambda c: figures.loss_surface(
        lambda w, b: c * (w**2 + b**2), T, T, history=LINE_FIT.history
    ),
    "two paths": lambda c: figures.loss_surface(
        lambda w, b: w**2 + b**2,
        T,
        T,
        history={
            "a": LINE_FIT.history,
            "b": fit_linear(MSELoss(), *LINE, lr=0.1 * c, steps=5).history,
        },
        scale="linear",
    ),
    "bands": lambda c: plots.bands(T, {"a": [c * T, T], "b": [T, -T]}, xlabel="x", ylabel="y"),
    "spread": lambda c: plots.spread({"a": [1, 2 * c], "b": [3, np.nan]}, xlabel="x"),
    "reliability": lambda c: plots.reliability_diagram({"a": reliability(0.9 * c * T, T > 0.5)}),
    "margins": lambda c: figures.margins([1, 2], 0.1, X, Y, support=[0, 3], margin=c),
    "images": lambda c: figures.images([np.eye(8)] * 3, [f"{c} a", "b", "c"], columns=2),
    "heatmap": lambda c: plots.heatmap([[1, -2], [0, c]], format="{:.4f}"),
    "digits": lambda c: figures.digit_map(
        [[14, 7, -1], [1, 0, 14]], ["a", "b"], [0, 1, 2 * c, 3], full=14, ticks=[0, 2 * c]
    ),
    "shapes": lambda c: figures.matrix_shapes([("", "A", "(n)", 1.0, c), ("=", "B", "", 1.0, 1.0)]),
}


pytestmark = pytest.mark.usefixtures("house_style")


def svg(draw, c):
    buffer = io.StringIO()
    plt.figure()
    draw(c)
    plt.savefig(buffer, format="svg", metadata={"Date": None})
    plt.close("all")
    return buffer.getvalue()


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_is_reproducible_and_shows_a_change_of_a_thousandth(name):
    draw = DRAWINGS[name]
    assert svg(draw, 1.0) == svg(draw, 1.0)
    assert svg(draw, 1.0) != svg(draw, 1.001)


def test_curves_differ_in_dash_as_well_as_in_colour():
    ax = plots.lines(T, {"a": T, "b": T, "c": T}, xlabel="x", ylabel="y")
    assert len({line.get_linestyle() for line in ax.lines}) == 3
    assert len({line.get_color() for line in ax.lines}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "c"]


def test_a_single_curve_has_no_legend():
    assert plots.lines(T, {"a": T}, xlabel="x", ylabel="y").get_legend() is None


def test_a_short_logarithmic_axis_is_labelled_in_plain_numbers():
    ax = plots.lines(T, {"a": T}, xlabel="x", ylabel="y", yscale="log", legend="above")
    ax.figure.canvas.draw()
    labels = {label.get_text() for label in ax.get_yticklabels()}
    assert {"0.02", "0.05", "0.1"} <= labels


def test_the_decision_line_is_where_the_prediction_is_the_threshold():
    ax = figures.clouds(X, Y)
    limits = ax.axis()
    figures.decision_line(FIT, 0.2, ax=ax)
    points = np.column_stack(ax.lines[-1].get_data())
    np.testing.assert_allclose(sigmoid(FIT.scores(points)), 0.2)
    assert ax.axis() == limits


def test_classes_differ_in_shape_as_well_as_in_colour():
    """Readers who cannot tell the two hues apart need another difference."""
    ax = figures.clouds(X, Y)
    shapes = {collection.get_paths()[0].vertices.shape for collection in ax.collections}
    assert len(shapes) == 2


def test_margins_are_drawn_where_the_score_is_the_margin():
    W, b = np.array([1.0, -2.0]), 0.3
    ax = figures.margins(W, b, X, 2 * Y - 1, support=Y == 1, margin=0.5)
    scores = [np.column_stack(line.get_data()) @ W + b for line in ax.lines[:3]]
    np.testing.assert_allclose(scores, [[0, 0], [0.5, 0.5], [-0.5, -0.5]], atol=1e-12)
    np.testing.assert_array_equal(np.column_stack(ax.lines[3].get_data()), X[Y == 1])
    corners = np.array([[x, y] for x in ax.get_xlim() for y in ax.get_ylim()])
    along = np.array([2.0, 1.0])
    line = np.column_stack(ax.lines[0].get_data()) @ along
    assert line.min() <= (corners @ along).min()
    assert line.max() >= (corners @ along).max()


def test_a_band_reaches_from_the_lowest_run_to_the_highest():
    ax = plots.bands(T, {"a": [T, 2 * T, 4 * T]}, xlabel="x", ylabel="y")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), 2 * T)
    edge = ax.collections[0].get_paths()[0].vertices
    assert {(T[-1], T[-1]), (T[-1], 4 * T[-1])} <= {tuple(point) for point in edge}


def test_rows_of_dots_leave_out_infinite_and_nan():
    ax = plots.spread({"a": [1.0, np.inf, 3.0], "b": [np.nan]}, xlabel="x", xscale="log")
    assert [len(line.get_xdata()) for line in ax.lines] == [2, 2, 0]
    assert ax.lines[1].get_xdata().tolist() == [2.0, 2.0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]


def test_limits_do_not_depend_on_the_last_bit_of_the_data():
    steep = 1 / 3 * T
    axes = [
        plots.lines(T, {"a": c * steep}, xlabel="x", ylabel="y", ax=plt.figure().gca())
        for c in (1, 1 + 1e-15)
    ]
    assert axes[0].get_ylim() == axes[1].get_ylim()
    axes[0].plot(T, 3 * T)
    assert axes[0].get_ylim()[1] > 2, "the axes no longer scale with their data"


def test_a_map_of_digits_marks_nan_and_infinity_with_a_cross():
    digits = [[14, 7, 6, -1], [1, 0, -1, 13]]
    ax = figures.digit_map(digits, ["a", "b"], [-2, -1, 0, 1, 5], full=14, ticks=[-2, 0])
    assert ax.images[0].get_array().tolist() == [[0, 1, 2, 4], [2, 3, 4, 1]]
    assert sorted(zip(*ax.lines[0].get_data(), strict=True)) == [(2, 1), (3, 0)]
    assert ax.get_xticks().tolist() == [-0.5, 1.5]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["−2", "0"]
    legend = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert legend == ["all 14", "7 or more", "1 to 6", "none", "nan, inf"]
