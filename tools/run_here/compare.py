"""Run chapters in Chromium, as a reader can, and compare each output with the printed one.

``make compare`` runs all and writes the table in ``appendix/running.md``. It needs the built site,
with ``_python``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tools.facts import ROOT, SITE
from tools.site.browser import BROWSER, FLAGS
from tools.site.server import serving

TABLE = ROOT / "appendix" / "running.md"
BEGIN, END = "<!-- make compare writes the table -->\n\n", "\n\n<!-- end of the table -->"
HEAD = "| Chapter | Cells | Same as printed | Need PyTorch | Differ |\n|:--|--:|--:|--:|:--|\n"
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
        Of each cell its ``id``, its ``verdict`` ("same", "skipped", "different" or "error"), and
        what was ``found`` and ``expected``, each as a list of form and text.
    """
    page.set_default_timeout(60_000 * MINUTES)
    page.goto(f"{address}/chapters/{chapter}.html")
    page.locator(".run-here-button").click()
    page.locator("body.runs-here").wait_for()
    page.evaluate("runHere.runAll()")
    return page.evaluate("runHere.verdicts()")


def row(chapter: str, cells: list[dict[str, Any]]) -> str:
    """Return the row of the table for a chapter."""
    of = {
        kind: [cell["id"] for cell in cells if cell["verdict"] == kind]
        for kind in ("same", "skipped", "different", "error")
    }
    differ = ", ".join(f"`{name}`" for name in of["different"] + of["error"]) or "none"
    return (
        f"| [{chapter}](../chapters/{chapter}.ipynb) | {len(cells)} | {len(of['same'])} "
        f"| {len(of['skipped'])} | {differ} |"
    )


def rows() -> dict[str, str]:
    """Return the rows of the stored table, by chapter."""
    table = TABLE.read_text("utf8").partition(BEGIN)[2].partition(END)[0]
    return {line[3:].partition("]")[0]: line for line in table.splitlines()[2:]}


def compare(browser: Browser, names: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each chapter and its row."""
    with serving(SITE) as address:
        for chapter in names:
            page = browser.new_page()
            yield chapter, row(chapter, run_chapter(page, address, chapter))
            page.close()


def chapters() -> list[str]:
    """Return the names of all chapters, in their order."""
    lines = (ROOT / "_toc.yml").read_text("utf8").splitlines()
    return [line.split("chapters/")[1] for line in lines if "file: chapters/" in line]


def main() -> None:
    """Run chapters, and store the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("chapters", nargs="*", help="names of chapters; all, if none is given")
    wanted = parser.parse_args().chapters
    toc = chapters()
    if unknown := set(wanted) - set(toc):
        parser.error(
            f"no chapter is called {', '.join(sorted(unknown))}; there are {', '.join(toc)}"
        )
    stored = rows()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        for chapter, found in compare(browser, wanted or toc):
            print(found, flush=True)
            stored[chapter] = found
    before, _, rest = TABLE.read_text("utf8").partition(BEGIN)
    after = rest.partition(END)[2]
    table = HEAD + "\n".join(stored[chapter] for chapter in toc if chapter in stored)
    TABLE.write_text(before + BEGIN + table + END + after, "utf8")


if __name__ == "__main__":
    main()
