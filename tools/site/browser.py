"""The Chromium or Chrome that this machine has, for the tests of the site and for Lighthouse."""

from __future__ import annotations

import shutil

CANDIDATES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
BROWSER = next(filter(None, map(shutil.which, CANDIDATES)), None)
"""Its path, or None."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Run without a display, and speak to no other machine."""
