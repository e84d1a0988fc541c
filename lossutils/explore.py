"""Figures with sliders, which work with and without a kernel.

In a live kernel `explore` shows an ipywidgets control that redraws the figure. On a static page the
same output is a range input over figures that were drawn in advance; ``_static/explore.js`` shows
the right one. Without scripts the page shows the starting figure. nbval compares all figures.
"""

from __future__ import annotations

import html
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import chain, product
from numbers import Real
from typing import Any
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from ._optional import optional_import

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
DECIMALS = re.compile(r"-?\d+\.\d{3,}")
MIN_SHARED = 150
"""Shortest SVG group that is worth sharing between figures."""


def explore(
    draw: Callable[..., object],
    *,
    describe: Callable[..., str],
    labels: dict[str, str] | None = None,
    start: dict[str, Any] | None = None,
    **parameters: Sequence[Any],
) -> Explorer:
    """Let the reader change parameters of a figure, with or without a kernel.

    Parameters
    ----------
    draw : callable
        Draws on a new current figure, called as ``draw(name=value, ...)``. Fix the limits of the
        axes, so that only what depends on the parameter moves.
    describe : callable
        Called like ``draw``, returns the sentence that says what the figure shows. The sentence
        stands below the figure, and a screen reader announces it.
    labels : dict, optional
        Label of a parameter on the page. The default is its name.
    start : dict, optional
        Starting value of a parameter. The default is the middle one.
    **parameters : sequence
        The values of each parameter, at least two. Use few, since every combination is drawn.

    Returns
    -------
    Explorer
        Make it the last line of a cell.

    Raises
    ------
    ValueError
        If there is no parameter, a parameter has fewer than two values or two that look the same,
        or ``start`` or ``labels`` names an unknown parameter or value.
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    if not parameters:
        raise ValueError(
            "explore needs a parameter to change, as in explore(draw, ..., p=[0.1, 0.2])"
        )
    values = {name: list(choices) for name, choices in parameters.items()}
    for name, choices in values.items():
        if len(choices) < 2:
            raise ValueError(f"parameter {name} needs at least two values, got {choices!r}")
    for name in {**(labels or {}), **(start or {})}:
        if name not in values:
            raise ValueError(f"{name!r} is not a parameter; parameters are {', '.join(values)}")
    at = {}
    for name, choices in values.items():
        first = (start or {}).get(name, choices[len(choices) // 2])
        # compare what the reader sees, since 0.30000000000000004 means 0.3
        ticks = [_format(value) for value in choices]
        if len(set(ticks)) < len(ticks):
            raise ValueError(f"two values of {name} look the same: {', '.join(ticks)}")
        if _format(first) not in ticks:
            raise ValueError(f"start of {name} must be one of {', '.join(ticks)}, got {first!r}")
        at[name] = ticks.index(_format(first))
    return Explorer(draw, describe, values, {name: name for name in values} | (labels or {}), at)


class Explorer:
    """A figure with parameters to change; made by `explore`."""

    def __init__(
        self,
        draw: Callable[..., object],
        describe: Callable[..., str],
        values: dict[str, list[Any]],
        labels: dict[str, str],
        start: dict[str, int],
    ) -> None:
        self._draw, self._describe = draw, describe
        self._values, self._labels, self._start = values, labels, start

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return all forms of the output. The front end shows the first that it can."""
        names = " and ".join(self._values)
        bundle = {"text/plain": f"<explorer of {names}>", "text/html": self.to_html()}
        return bundle | self._widget_view()

    def to_html(self) -> str:
        """Return the explorer as HTML with all figures and range inputs, which needs no kernel."""
        combinations = [
            dict(zip(self._values, choice, strict=True))
            for choice in product(*self._values.values())
        ]
        first = {name: choices[self._start[name]] for name, choices in self._values.items()}
        uid = "explore-00000000"  # placeholder until the content hash is known
        shared: dict[str, str] = {}
        svgs = [
            _inline(_draw_svg(self._draw, combination), uid, shared) for combination in combinations
        ]
        _share_repeated(svgs, uid, shared)
        sentences = [self._describe(**combination) for combination in combinations]
        printed = (0, len(svgs) // 2, len(svgs) - 1)  # the PDF shows three next to each other
        frames = "".join(
            f'<div class="explorer-frame{" explorer-printed" if i in printed else ""}" '
            f'data-sentence="{html.escape(sentence)}"{"" if combination == first else " hidden"}>'
            f"{_text(svg)}</div>"
            for i, (svg, sentence, combination) in enumerate(
                zip(svgs, sentences, combinations, strict=True)
            )
        )
        page = (
            f'<figure class="explorer" id="{uid}">'
            f'<div class="explorer-controls" hidden>{self._controls()}</div>'
            '<svg width="0" height="0" style="position:absolute" aria-hidden="true">'
            f"<defs>{''.join(shared.values())}</defs></svg>"
            f'<div class="explorer-frames" role="img" aria-labelledby="{uid}-caption">'
            f"{frames}</div>"
            f'<figcaption id="{uid}-caption" aria-live="polite">'
            f"{html.escape(self._describe(**first))}</figcaption></figure>"
        )
        # The hash is of rounded coordinates, so it does not depend on the last bits.
        return page.replace(uid, f"explore-{sha256(page.encode()).hexdigest()[:8]}")

    def _controls(self) -> str:
        """Return one labelled range input per parameter."""
        inputs = []
        for name, choices in self._values.items():
            label, at = html.escape(self._labels[name]), self._start[name]
            ticks = [_format(value) for value in choices]
            now = html.escape(ticks[at])
            inputs.append(
                f"<label>{label} = <output>{now}</output>"
                f'<input type="range" min="0" max="{len(choices) - 1}" step="1" value="{at}" '
                f'autocomplete="off" aria-label="{label}" aria-valuetext="{now}" '
                f'data-ticks="{_attribute(ticks)}"></label>'
            )
        return "".join(inputs)

    def _widget_view(self) -> dict[str, Any]:
        """Return the ipywidgets form, or nothing outside a notebook."""
        try:
            from IPython import get_ipython
            from ipywidgets import HTML, SelectionSlider, VBox
        except ModuleNotFoundError:
            return {}
        if get_ipython() is None:
            return {}
        sliders = {
            name: SelectionSlider(
                options=[(_format(value), value) for value in choices],
                value=choices[self._start[name]],
                description=self._labels[name],
                style={"description_width": "initial"},
                layout={"width": "min(100%, 480px)"},
            )
            for name, choices in self._values.items()
        }
        figure = HTML()

        def redraw(_: object = None) -> None:
            now = {name: slider.value for name, slider in sliders.items()}
            shared: dict[str, str] = {}
            svg = _text(_inline(_draw_svg(self._draw, now), "live", shared))
            svg = svg.replace(">", f"><defs>{''.join(shared.values())}</defs>", 1)
            figure.value = f"{svg}<p>{html.escape(self._describe(**now))}</p>"

        for slider in sliders.values():
            slider.observe(redraw, "value")
        redraw()
        view: dict[str, Any] = VBox([*sliders.values(), figure])._repr_mimebundle_()
        view.pop("text/plain")
        return view


def _draw_svg(draw: Callable[..., object], values: dict[str, Any]) -> str:
    """Draw one figure, as SVG text."""
    plt = optional_import("matplotlib.pyplot", "plots")
    kept, buffer = plt.get_fignums(), io.StringIO()
    plt.figure()
    try:
        draw(**values)
        # without bbox_inches="tight", since all figures of an explorer must have the same size
        plt.gcf().savefig(buffer, format="svg", metadata={"Date": None})
    finally:
        for number in set(plt.get_fignums()) - set(kept):
            plt.close(number)
    return buffer.getvalue()


def _inline(svg: str, uid: str, shared: dict[str, str]) -> Element:
    """Prepare an SVG picture for a page with other pictures.

    Ids get the prefix ``uid``. Definitions (glyphs, markers, clipping) move to ``shared``, once for
    all figures of an explorer, since matplotlib names each by a hash of its content. The style
    element would apply to the whole page, and becomes two attributes.
    """
    root = ET.fromstring(svg[svg.index("<svg") :])
    definitions = []
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{SVG}defs":
                definitions += [element for element in child if element.tag != f"{SVG}style"]
            if child.tag in (f"{SVG}defs", f"{SVG}metadata"):
                parent.remove(child)
    for element in chain(root.iter(), *(definition.iter() for definition in definitions)):
        element.tag = element.tag.removeprefix(SVG)
        element.text = element.tail = None
        element.attrib = {
            key.removeprefix(XLINK): _adapt(key.removeprefix(XLINK), value, uid)
            for key, value in element.attrib.items()
            if key != "id"
        } | ({"id": f"{uid}-{element.attrib['id']}"} if element in definitions else {})
    for definition in definitions:
        shared.setdefault(definition.attrib["id"], _text(definition))
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "width": root.attrib["width"],
        "stroke-linejoin": "round",
        "stroke-linecap": "butt",
        "aria-hidden": "true",
    }
    return root


def _share_repeated(svgs: list[Element], uid: str, shared: dict[str, str]) -> None:
    """Move groups that several pictures repeat (axes, labels, fixed curves) to ``shared``."""
    seen = Counter(chain.from_iterable({_text(e) for e in svg.iter("g")} for svg in svgs))

    def visit(parent: Element) -> None:
        for i, child in enumerate(parent):
            text = _text(child)
            if child.tag == "g" and seen[text] > 1 and len(text) > MIN_SHARED:
                name = f"{uid}-{sha256(text.encode()).hexdigest()[:8]}"
                shared.setdefault(name, text.replace("<g", f'<g id="{name}"', 1))
                parent[i] = ET.Element("use", href=f"#{name}")
            else:
                visit(child)

    for svg in svgs:
        visit(svg)


def _adapt(key: str, value: str, uid: str) -> str:
    """Prefix references to ids, and round coordinates to hundredths of a point."""
    if key == "href" and value.startswith("#"):
        return f"#{uid}-{value[1:]}"
    if key in ("d", "x", "y"):
        return DECIMALS.sub(lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), value)
    return value.replace("url(#", f"url(#{uid}-")


def _text(element: Element) -> str:
    return ET.tostring(element, "unicode")


def _attribute(values: list[str]) -> str:
    return html.escape(json.dumps(values, ensure_ascii=False, separators=(",", ":")))


def _format(value: Any) -> str:
    """Format a tick: numbers with a true minus sign and no rounding noise."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")
