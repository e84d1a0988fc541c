"""Turn the checks of named equations into ticks at the equations.

A cell that prints only that equations hold says little, and interrupts the reading. The site folds
it away below the first of its equations, and gives each of them a tick: it says at how many points
the two sides agreed and how closely, and a click on it opens the cell (``_static/hints.js``).
Without scripts the fold is an ordinary one.

A cell tagged ``show-check`` stays where it is, as does one that prints anything else. There the
ticks lead to the cell.
"""

from __future__ import annotations

import html
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.writers.html5 import HTML5Translator

from .formulas import TAG

HOLDS = re.compile(r"(\S+) holds(?: at .+)? \(to \S+\)$", re.MULTILINE)
"""What `lossutils.verify.check_equal` prints."""
KEEP = "show-check"


class checked_equation(nodes.Element):
    """A formula and its tick."""


class tick(nodes.TextElement):
    """A link to the check of an equation. Its text is what the check printed."""


class folded_check(nodes.Element):
    """A cell that a tick opens."""


def names_checked(printed: str) -> list[str]:
    """Return the equations that a cell says hold, or none if it printed anything else."""
    lines = printed.splitlines()
    found = [match[1] for line in lines if (match := HOLDS.match(line))]
    return found if len(found) == len(lines) else []


class FoldChecks(SphinxTransform):
    """Give each checked equation its tick, and move its check there if nothing else is printed."""

    default_priority = 810  # after `formulas.NameEquations`, which expects formulas in their place

    def apply(self, **_: Any) -> None:
        """Change the document of this transform."""
        formulas = {
            name: formula
            for formula in self.document.findall(nodes.math_block)
            for name in TAG.findall(formula.astext())
        }
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") == "cell_code":
                printed = "\n".join(part.astext().strip() for part in outputs(cell))
                checks = HOLDS.finditer(printed)
                sentences = {check[1]: check[0] for check in checks if check[1] in formulas}
                if sentences:
                    tick_off(formulas, sentences, cell)
                    names = names_checked(printed)
                    if names and f"tag_{KEEP}" not in cell["classes"]:
                        fold(cell, formulas[names[0]], names)


def outputs(cell: nodes.container) -> list[nodes.Element]:
    """Return what a cell printed or drew."""
    shown = [part for part in cell.children if isinstance(part, nodes.Element)]
    return [part for part in shown if part.get("nb_element") == "cell_code_output"]


def tick_off(
    formulas: dict[str, nodes.math_block], sentences: dict[str, str], cell: nodes.container
) -> None:
    """Give a tick to each formula that a cell checked."""
    place = f"check-{next(iter(sentences))}"
    cell["ids"].append(place)
    for name, sentence in sentences.items():
        box, formula = checked_equation(), formulas[name]
        formula.parent.replace(formula, box)
        box += [formula, tick(sentence, sentence, refid=place)]


def fold(cell: nodes.container, formula: nodes.math_block, names: list[str]) -> None:
    """Move a cell below a formula, into a fold that takes over its anchor."""
    box = formula.parent
    folded = folded_check(ids=cell["ids"], equations=", ".join(names))
    cell["ids"] = []
    cell.parent.remove(cell)
    folded += cell
    box.parent.insert(box.parent.index(box) + 1, folded)


def visit_checked_equation(self: HTML5Translator, node: checked_equation) -> None:
    """Begin the row of a formula and its tick."""
    self.body.append(self.starttag(node, "div", CLASS="checked-equation"))


def leave_div(self: HTML5Translator, node: nodes.Element) -> None:
    """End a row."""
    self.body.append("</div>\n")


def visit_tick(self: HTML5Translator, node: tick) -> None:
    """Write a tick; its name is the sentence that the check printed."""
    sentence = html.escape(node.astext())
    self.body.append(
        f'<a class="tick" href="#{node["refid"]}" aria-label="{sentence}" title="{sentence}">✓</a>'
    )
    raise nodes.SkipNode


def visit_folded_check(self: HTML5Translator, node: folded_check) -> None:
    """Begin a fold."""
    self.body.append(self.starttag(node, "details", CLASS="check"))
    self.body.append(f"<summary>Check of {html.escape(node['equations'])}</summary>\n")


def leave_folded_check(self: HTML5Translator, node: folded_check) -> None:
    """End a fold."""
    self.body.append("</details>\n")


def setup(app: Sphinx) -> None:
    """Register the transform and how its nodes are written."""
    app.add_node(checked_equation, html=(visit_checked_equation, leave_div))
    app.add_node(tick, html=(visit_tick, None))
    app.add_node(folded_check, html=(visit_folded_check, leave_folded_check))
    app.add_transform(FoldChecks)
