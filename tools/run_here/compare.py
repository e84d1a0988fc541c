"""Run chapters in Chromium, as a reader can, and compare each output with the printed one.

``make compare`` runs all, says which cells are not as ``exceptions.toml`` states, and writes the
table and the list in ``appendix/running.md``. It needs the built site, with ``_python``.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tools.facts import ROOT, SITE
from tools.site.browser import BROWSER, FLAGS
from tools.site.server import serving

CHAPTERS = [
    line.split("chapters/")[1]
    for line in (ROOT / "_toc.yml").read_text("utf8").splitlines()
    if "file: chapters/" in line
]
EXCEPTIONS = Path(__file__).with_name("exceptions.toml")
RUNNING = ROOT / "appendix" / "running.md"
BEGIN, END = "<!-- make compare writes this -->\n\n", "\n\n<!-- as far as here -->"
HEAD = "| Chapter | Cells | Same | PyTorch | Other |\n|:--|--:|--:|--:|--:|\n"
MINUTES = 10
"""Longest that a chapter may take on a busy machine."""


def run_chapter(page: Page, address: str, chapter: str) -> list[dict[str, Any]]:
    """Press the button on a chapter's page and run all of its cells.

    Parameters
    ----------
    page : Page
        A tab.
    address : str
        Where the site is.
    chapter : str
        Name of the chapter, such as ``"bce"``.

    Returns
    -------
    list of dict
        Of each cell its ``id``, its ``verdict`` ("same", "skipped", "different", "error", or None
        if it did not run), what it ``needs`` that no browser has, and what was ``found`` and
        ``expected``, each as a list of form and text.
    """
    page.set_default_timeout(60_000 * MINUTES)
    page.goto(f"{address}/chapters/{chapter}.html")
    page.locator(".run-here-button").click()
    page.locator("body.runs-here").wait_for()
    page.evaluate("runHere.runAll()")
    return page.evaluate("runHere.verdicts()")


def unequal(cells: list[dict[str, Any]]) -> dict[str, str]:
    """Return the cells that did not give what is printed, each with what it needs or how it ended.

    Parameters
    ----------
    cells : list of dict
        What `run_chapter` returned.
    """
    return {
        cell["id"]: " and ".join(cell["needs"] or []) or str(cell["verdict"])
        for cell in cells
        if cell["verdict"] != "same"
    }


@cache
def stated() -> dict[str, dict[str, Any]]:
    """Return what ``exceptions.toml`` states: by kind and chapter, cells, most with a reason."""
    return tomllib.loads(EXCEPTIONS.read_text("utf8"))


def exceptions(chapter: str) -> dict[str, str]:
    """Return what `unequal` has to return for a chapter."""
    return {cell: kind for kind, of in stated().items() for cell in of.get(chapter, ())}


def table() -> str:
    """Return how many cells of each chapter are the same, and the reasons of those that are not."""
    rows, reasons, total = [], [], [0] * 4
    for chapter in CHAPTERS:
        notebook = json.loads((ROOT / "chapters" / f"{chapter}.ipynb").read_text("utf8"))
        kinds = list(exceptions(chapter).values())
        torch = kinds.count("PyTorch")
        cells = sum(cell["cell_type"] == "code" for cell in notebook["cells"])
        numbers = [cells, cells - len(kinds), torch, len(kinds) - torch]
        total = [a + b for a, b in zip(total, numbers, strict=True)]
        link = f"[{chapter}](../chapters/{chapter}.ipynb)"
        rows.append(f"| {link} | " + " | ".join(map(str, numbers)) + " |")
        reasons += [
            f"- `{cell}` in {link} {reason}"
            for kind, of in stated().items()
            if kind != "PyTorch"
            for cell, reason in of.get(chapter, {}).items()
        ]
    rows.append("| **all** | " + " | ".join(f"**{number}**" for number in total) + " |")
    counts = ":::{container} counts\n" + HEAD + "\n".join(rows) + "\n:::\n\n"
    return counts + "The others, with the reason of each:\n\n" + "\n".join(reasons)


def main() -> None:
    """Run chapters, compare, and store the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("chapters", nargs="*", help="names of chapters; all, if none is given")
    wanted = parser.parse_args().chapters
    if unknown := set(wanted) - set(CHAPTERS):
        parser.error(
            f"no chapter is called {', '.join(sorted(unknown))}; there are {', '.join(CHAPTERS)}"
        )
    wrong = 0
    with serving(SITE) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        for chapter in wanted or CHAPTERS:
            page = browser.new_page()
            found = unequal(run_chapter(page, address, chapter))
            page.close()
            as_stated = exceptions(chapter)
            print(f"{chapter}: {len(found)} cells are not the same", flush=True)
            for cell in sorted(found.keys() | as_stated.keys()):
                was, should = found.get(cell, "same"), as_stated.get(cell, "same")
                if was != should:
                    wrong += 1
                    print(f"  {cell}: {was}, but {EXCEPTIONS.name} says {should}", flush=True)
    before, _, rest = RUNNING.read_text("utf8").partition(BEGIN)
    RUNNING.write_text(before + BEGIN + table() + END + rest.partition(END)[2], "utf8")
    if wrong:
        raise SystemExit(f"{wrong} cells are not as {EXCEPTIONS.name} states")


if __name__ == "__main__":
    main()
