"""An explorer with a live kernel: JupyterLab runs the notebook, and the slider computes anew."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from playwright.sync_api import expect

from tests.site.toc import ROOT, toc_pages

STARTS_WITHIN = 90  # seconds; the first start on a slow machine compiles the whole program


@pytest.fixture
def lab(tmp_path):
    """Run JupyterLab on a copy of the first notebook, with no settings of this machine's user."""
    shutil.copy(ROOT / f"{toc_pages()[0]}.ipynb", tmp_path)
    kinds = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    own = {f"JUPYTER_{kind}": str(tmp_path / f".{kind}") for kind in kinds}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += ["--port=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={tmp_path}"]
    # it may ask no other machine for news, updates or extensions
    command += ["--LabApp.news_url=None", "--LabApp.extension_manager=readonly"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    log = tmp_path / ".log.txt"
    with log.open("w") as output:
        server = subprocess.Popen(
            command, env={**os.environ, **own}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        until = time.monotonic() + STARTS_WITHIN
        while not (started := list(tmp_path.glob(".RUNTIME_DIR/jpserver-*.json"))):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield json.loads(started[0].read_text())["url"]
    finally:
        server.terminate()
        server.wait(30)


def test_the_slider_computes_the_figure_anew(browser, lab):
    tab = browser.new_page(viewport={"width": 1280, "height": 1600})
    tab.goto(f"{lab}lab/tree/{toc_pages()[0]}.ipynb")
    tab.get_by_text("| Idle").wait_for(timeout=1000 * STARTS_WITHIN)  # the kernel is there
    tab.get_by_role("menuitem", name="Run", exact=True).click()
    tab.get_by_text("Run All Cells", exact=True).click()
    slider = tab.get_by_role("slider").first
    slider.wait_for(timeout=1000 * STARTS_WITHIN)
    output = tab.locator(".jp-OutputArea-output", has=slider)
    figure, sentence = output.locator("svg"), output.locator("p")
    expect(output.locator("input[type=range]")).to_have_count(0)  # not the face without a kernel
    expect(sentence).to_contain_text("At score −4 ")
    before = figure.inner_html()
    slider.focus()
    tab.keyboard.press("ArrowRight")
    expect(sentence).to_contain_text("At score −3 ")
    assert figure.inner_html() != before
    tab.close()
