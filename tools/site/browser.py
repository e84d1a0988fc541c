"""Find Chromium or Chrome on this machine, for the tests of the site, Lighthouse and the PDF."""

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
"""The path of the first one found, or None."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Options to run without a display and to contact no other machine."""
