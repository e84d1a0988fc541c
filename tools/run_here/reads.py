"""Find out which modules of the library the chapters import, and add them to ``reads.txt``.

A page loads only those at first. Run this when the chapters, or the versions of the library, have
changed: ``python -m tools.run_here.reads`` runs every chapter in Chromium, for minutes. It needs
the built site with ``_python``; then make both again. With an old list everything runs, too, but a
page may have to load all other modules.
"""

from __future__ import annotations

import argparse
import textwrap
from collections import defaultdict

from playwright.sync_api import Page, sync_playwright

from tools.facts import SITE
from tools.run_here.compare import CHAPTERS, run_chapter, unequal
from tools.run_here.parts import READS, read_modules
from tools.site.browser import BROWSER, FLAGS
from tools.site.server import serving

HEAD = (
    "# Modules that chapters import, by folder: python -m tools.run_here.reads writes this list.\n"
)
WIDTH = 100
ASK = """
import sys
{usual}
for module in list(sys.modules.values()):
    print(getattr(getattr(module, "__spec__", None), "origin", ""))
print(*sys.meta_path[0].found, sep="\\n")
"""
USUAL = """
import collections, csv, datetime, decimal, fractions, itertools, json, pprint, random, statistics
import string, textwrap, time, timeit
from contextlib import suppress
import numpy as np
import matplotlib.pyplot as plt
with suppress(SyntaxError):
    exec("1 +")
f"{np.random.default_rng(0).normal(size=3)} {np.polyfit([1, 2], [1, 2], 1)}"
np.linalg.eigh(np.eye(2))
"""
"""What readers are likely to use, beside what chapters do."""
ARCHIVE = ".zip/"


def modules_of(page: Page) -> set[str]:
    """Return the members of the library that the Python of a page has imported."""
    cell = page.locator(".scratch .cell")
    cell.locator(".cm-content").focus()
    page.keyboard.insert_text(ASK.format(usual=USUAL))
    page.keyboard.press("Shift+Enter")
    cell.locator(".cell-note.different").wait_for()
    lines = cell.locator(".cell_output pre").inner_text().splitlines()
    members = [line.partition(ARCHIVE)[2] for line in lines if ARCHIVE in line]
    return {member for member in members if member.endswith(".pyc")}


def listing(members: set[str]) -> str:
    """Return the text of ``reads.txt``."""
    folders = defaultdict(list)
    for member in sorted(members):
        folder, _, name = member.removesuffix(".pyc").rpartition("/")
        folders[folder or "."].append(name)
    lines = []
    for folder, names in sorted(folders.items()):
        begin = f"{folder}: "
        lines += textwrap.wrap(
            " ".join(names), WIDTH, initial_indent=begin, subsequent_indent=begin
        )
    return HEAD + "\n".join(lines) + "\n"


def main() -> None:
    """Run chapters, and write what they import."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("chapters", nargs="*", help="names of chapters; all, if none is given")
    wanted = parser.parse_args().chapters
    members: set[str] = set()
    with sync_playwright() as playwright, serving(SITE) as address:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        for chapter in wanted or CHAPTERS:
            page = browser.new_page()
            print(chapter, unequal(run_chapter(page, address, chapter)), flush=True)
            members |= modules_of(page)
            page.close()
    # Nothing is dropped: what fails to be imported once it is at hand leaves no trace.
    READS.write_text(listing(members | read_modules()), "utf8")


if __name__ == "__main__":
    main()
