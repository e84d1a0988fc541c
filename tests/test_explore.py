"""The two forms of an explorer: HTML with all figures, and live widgets that redraw them."""

import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from bs4 import BeautifulSoup

from lossutils import plots
from lossutils.explore import explore

T = np.linspace(0, 1, 20)


pytestmark = pytest.mark.usefixtures("house_style")


def draw(a, b=1.0):
    plots.lines(T, {"": T * a + b, "fixed": T}, xlabel="x", ylabel="y", xlim=(0, 1), ylim=(0, 9))


def describe(**values):
    return "At " + ", ".join(f"{name} = {value} < 9" for name, value in values.items())


def page(**parameters):
    options = {"describe": describe} | parameters
    return BeautifulSoup(explore(draw, **options).to_html(), "lxml")


def test_one_frame_per_value_and_the_middle_one_is_shown():
    frames = page(a=[1, 2, 3]).select(".explorer-frame")
    assert [frame.has_attr("hidden") for frame in frames] == [True, False, True]
    assert len({str(frame) for frame in frames}) == 3


def test_two_parameters_give_every_combination_and_the_last_changes_fastest():
    soup = page(a=[1, 2], b=[0.5, 1.5, 2.5], start={"a": 1, "b": 2.5})
    frames = soup.select(".explorer-frame")
    assert [not frame.has_attr("hidden") for frame in frames] == [False, False, True] + 3 * [False]
    sentences = [frame["data-sentence"] for frame in frames]
    assert sentences[2] == "At a = 1 < 9, b = 2.5 < 9" == soup.figcaption.text
    assert sentences[3] == "At a = 2 < 9, b = 0.5 < 9"


def test_print_shows_the_first_the_middle_and_the_last_frame():
    frames = page(a=[1, 2, 3, 4, 5, 6, 7]).select(".explorer-frame")
    printed = [i for i, frame in enumerate(frames) if "explorer-printed" in frame["class"]]
    assert printed == [0, 3, 6]


def test_controls_are_native_labelled_and_announced():
    soup = page(a=[-1.0, 0.1 + 0.2], labels={"a": "slope"})
    slider = soup.select_one("input")
    assert (slider["type"], slider["min"], slider["max"], slider["value"]) == (
        "range",
        "0",
        "1",
        "1",
    )
    assert slider["aria-label"] == "slope"
    assert slider["aria-valuetext"] == "0.3" == soup.output.text
    assert json.loads(slider["data-ticks"]) == ["−1", "0.3"]
    assert soup.select_one(".explorer-frames")["aria-labelledby"] == soup.figcaption["id"]
    assert soup.select_one(".explorer-controls").has_attr("hidden")  # until the script runs


def test_every_reference_resolves_and_ids_are_unique():
    html = explore(draw, describe=describe, a=[1, 2, 3]).to_html()
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    used = re.findall(r'href="#([^"]+)"', html) + re.findall(r"url\(#([^)]+)\)", html)
    assert used
    assert set(used) <= set(ids)


def test_repeated_parts_are_stored_once():
    two, many = (
        len(explore(draw, describe=describe, a=list(range(1, n))).to_html()) for n in (3, 23)
    )
    assert many < 3 * two  # 22 frames against 2


def test_the_same_explorer_is_the_same_bytes_and_another_has_other_ids():
    first, second, other = (
        explore(draw, describe=describe, a=values).to_html()
        for values in ([1, 2], [1, 2], [1, 2.002])
    )
    assert first == second
    assert BeautifulSoup(first, "lxml").figure["id"] != BeautifulSoup(other, "lxml").figure["id"]


def test_invisible_changes_of_a_drawing_change_no_byte():
    """Processors differ in the last bits of their results."""

    def page_of(shift):
        def draw_shifted(a):
            draw(a * (1 + shift))

        return explore(draw_shifted, describe=describe, a=[0.5, 1.0]).to_html()

    assert page_of(3e-8) == page_of(0.0)
    assert page_of(3e-3) != page_of(0.0)


def test_no_style_escapes_into_the_page():
    assert "<style" not in explore(draw, describe=describe, a=[1, 2]).to_html()


def test_sentences_and_labels_are_escaped():
    marked = {"describe": lambda a: f"<u>{a}", "labels": {"a": "<i>"}}
    html = explore(lambda a: None, a=["<b>", "&"], **marked).to_html()
    soup = BeautifulSoup(html, "lxml")
    assert soup.select_one("label").text.startswith("<i> = &")
    assert soup.figcaption.text == "<u>&"
    assert not soup.select("b, i, u")


def test_values_of_any_kind_have_a_tick():
    draw_nothing = explore(lambda a: None, describe=lambda a: "", a=[False, None, (1, 2), "x"])
    soup = BeautifulSoup(draw_nothing.to_html(), "lxml")
    assert json.loads(soup.input["data-ticks"]) == ["False", "None", "(1, 2)", "x"]


def test_a_start_is_found_by_its_label():
    slider = page(a=list(np.linspace(0.1, 0.5, 5)), start={"a": 0.3}).input
    assert slider["value"] == "2"


def test_explorers_with_other_sentences_have_other_ids():
    first, second = (page(a=[1, 2], describe=lambda a, w=w: w).figure["id"] for w in ("x", "y"))
    assert first != second


def test_a_drawing_that_fails_leaves_no_figure_behind():
    def broken(a):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        explore(broken, describe=str, a=[1, 2]).to_html()
    assert not plt.get_fignums()


def test_figures_of_the_notebook_stay_open():
    kept = plt.figure().number
    page(a=[1, 2])
    assert plt.get_fignums() == [kept]


def test_outside_a_notebook_there_is_no_widget():
    bundle = explore(draw, describe=describe, a=[1, 2])._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/plain"] == "<explorer of a>"


def test_in_a_kernel_a_slider_redraws(monkeypatch):
    """The test moves the slider, as a browser would."""
    widgets = []
    import IPython
    import ipywidgets

    class Box(ipywidgets.VBox):
        def __init__(self, children):
            super().__init__(children)
            widgets.extend(children)

    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    monkeypatch.setattr(ipywidgets, "VBox", Box)
    bundle = explore(draw, describe=describe, a=[1, 2, 3])._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    slider, figure = widgets
    before = figure.value
    assert "At a = 2 &lt; 9" in before
    slider.value = 3
    assert "At a = 3 &lt; 9" in figure.value
    assert figure.value.split("<p>")[0] != before.split("<p>")[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "explore needs a parameter to change, as in explore(draw, ..., p=[0.1, 0.2])"),
        ({"a": [1]}, "parameter a needs at least two values, got [1]"),
        ({"a": [1, 1 + 1e-9]}, "two values of a look the same: 1, 1"),
        ({"a": [1, 2], "start": {"b": 1}}, "'b' is not a parameter; parameters are a"),
        ({"a": [1, 2], "labels": {"c": "x"}}, "'c' is not a parameter; parameters are a"),
        ({"a": [1, 2], "start": {"a": 3}}, "start of a must be one of 1, 2, got 3"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        explore(draw, describe=describe, **arguments)
    assert str(error.value) == message
