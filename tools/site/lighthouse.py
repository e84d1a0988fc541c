"""Measure how the pages load on a phone with a slow connection, with Lighthouse (needs Node).

Each page is loaded several times from a server that compresses and allows caching. The table shows
the median of each score, and the kilobytes transferred with all figures; "before figures" leaves
out the picture files and the frames of the explorers. The exit status is 1 if a page misses a goal.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from tools.facts import SITE
from tools.site.browser import BROWSER, FLAGS
from tools.site.server import serving, wire_size

LIGHTHOUSE = "lighthouse@12.8.2"
GOALS = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
KILOBYTES, KILOBYTES_BEFORE_FIGURES = 450, 155
FRAMES = re.compile(
    r'<svg width="0".*?</defs></svg>|<div class="explorer-frame".*?</svg></div>', re.S
)


def load(address: str, page: str) -> dict[str, Any]:
    """Return Lighthouse's report on one load of a page."""
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        flags = " ".join(["--headless", *FLAGS])
        command = ["npx", "--yes", LIGHTHOUSE, f"{address}/{page}.html", "--quiet"]
        command += ["--output=json", f"--output-path={report}", f"--chrome-flags={flags}"]
        done = subprocess.run(
            command, env={**os.environ, "CHROME_PATH": str(BROWSER)}, capture_output=True, text=True
        )
        if done.returncode or not report.exists():
            sys.exit(f"Lighthouse failed on {page}:\n{done.stderr.strip()}")
        return json.loads(report.read_text("utf8"))


def measure(address: str, page: str, runs: int) -> dict[str, float]:
    """Return the median scores of a page, and the kilobytes that are transferred."""
    reports = [load(address, page) for _ in range(runs)]
    row: dict[str, float] = {
        goal: median(round(100 * report["categories"][goal]["score"]) for report in reports)
        for goal in GOALS
    }
    requests = reports[-1]["audits"]["network-requests"]["details"]["items"]
    html = (SITE / f"{page}.html").read_text("utf8")
    frames = wire_size(html.encode()) - wire_size(FRAMES.sub("", html).encode())
    # a browser loads pictures far below only when they are scrolled to; count them all
    pictures = [path for path in SITE.glob("_images/*") if path.name in html]
    rest = sum(r["transferSize"] for r in requests if "/_images/" not in r["url"])
    row["requests"] = len(requests)
    row["KB"] = (rest + sum(wire_size(path.read_bytes()) for path in pictures)) / 1000
    row["KB before figures"] = (rest - frames) / 1000
    return row


def misses(row: dict[str, float]) -> bool:
    """Return whether a page misses a goal."""
    return (
        any(row[goal] < least for goal, least in GOALS.items())
        or row["KB"] > KILOBYTES
        or row["KB before figures"] > KILOBYTES_BEFORE_FIGURES
    )


def main() -> None:
    """Measure the pages, and print each row of the table as soon as it is known."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    chapters = sorted(path.stem for path in (SITE / "chapters").glob("*.html"))
    parser.add_argument(
        "pages",
        nargs="*",
        default=["intro", *(f"chapters/{name}" for name in chapters)],
        help="pages without .html (the landing page and all chapters)",
    )
    parser.add_argument("--runs", type=int, default=3, help="loads of each page (%(default)s)")
    arguments = parser.parse_args()
    if not chapters:
        parser.error("the site is not built; run: make book")
    if shutil.which("npx") is None:
        parser.error("Node's npx is not installed; install Node 18 or newer to run Lighthouse")
    if BROWSER is None:
        parser.error("no Chromium or Chrome is installed")
    missing = [page for page in arguments.pages if not (SITE / f"{page}.html").exists()]
    if missing:
        parser.error(f"no such page: {', '.join(missing)}; name a page like chapters/mse")

    width = max(map(len, arguments.pages))
    columns = [*GOALS, "requests", "KB", "KB before figures"]
    print(f"{'page':{width}}  " + "  ".join(columns))
    short = []
    with serving() as address:
        for page in arguments.pages:
            row = measure(address, page, arguments.runs)
            cells = "  ".join(f"{row[column]:{len(column)}.0f}" for column in columns)
            print(f"{page:{width}}  {cells}", flush=True)
            short += [page] * misses(row)
    if short:
        goals = ", ".join(f"{goal} {least}" for goal, least in GOALS.items())
        sizes = f"{KILOBYTES} KB, {KILOBYTES_BEFORE_FIGURES} before figures"
        sys.exit(f"These pages miss a goal ({goals}; {sizes}): {', '.join(short)}")


if __name__ == "__main__":
    main()
