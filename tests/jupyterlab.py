"""Start JupyterLab on a folder, and use it in a browser."""

import json
import os
import subprocess
import time
from contextlib import contextmanager
from typing import NamedTuple

from playwright.sync_api import expect

STARTS_WITHIN = 90  # seconds; the first start on a slow machine compiles the whole program
RUNS_WITHIN = 180  # seconds, until a notebook's explorer is there


@contextmanager
def serving_lab(python, root, state, **environment):
    """Run the JupyterLab of a Python on a folder; yield its address.

    It writes into the folder `state` only, and ignores the settings of this machine's user.
    """
    kinds = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    own = {f"JUPYTER_{kind}": str(state / f".{kind}") for kind in kinds}
    command = [python, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += ["--port=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={root}"]
    # contact no other machine for news, updates or extensions
    command += ["--LabApp.news_url=None", "--LabApp.extension_manager=readonly"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    log = state / ".log.txt"
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            env=os.environ | own | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until = time.monotonic() + STARTS_WITHIN
        while not (started := list(state.glob(".RUNTIME_DIR/jpserver-*.json"))):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield json.loads(started[0].read_text())["url"]
    finally:
        server.terminate()
        server.wait(30)


def run_all_cells(browser, address, file):
    """Open a notebook, let every cell run, and return the tab."""
    tab = browser.new_page(viewport={"width": 1280, "height": 1600})
    tab.goto(f"{address}lab/tree/{file}")
    tab.get_by_text("| Idle").wait_for(timeout=1000 * STARTS_WITHIN)  # the kernel is there
    tab.get_by_role("menuitem", name="Run", exact=True).click()
    tab.get_by_text("Run All Cells", exact=True).click()
    return tab


class Shown(NamedTuple):
    """The parts of an explorer that change with its slider."""

    sentence: str
    figure: str


def move_the_first_slider(tab):
    """Move a live explorer's slider one step by keyboard; return its parts before and after."""
    slider = tab.get_by_role("slider").first
    slider.wait_for(timeout=1000 * RUNS_WITHIN)
    output = tab.locator(".jp-OutputArea-output", has=tab.get_by_role("slider")).first
    figure, sentence = output.locator("svg"), output.locator("p")
    expect(output.locator("input[type=range]")).to_have_count(0)  # not the version without a kernel
    slider.scroll_into_view_if_needed()
    before = Shown(sentence.text_content(), figure.inner_html())
    slider.focus()
    tab.keyboard.press("ArrowRight")
    expect(sentence).not_to_have_text(before.sentence)
    return before, Shown(sentence.text_content(), figure.inner_html())
