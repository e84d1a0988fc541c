"""An explorer with a live kernel: JupyterLab runs the notebook, and the slider redraws."""

import shutil
import sys

from tests.jupyterlab import move_the_first_slider, run_all_cells, serving_lab
from tests.site.toc import ROOT, toc_pages


def test_the_slider_recomputes_the_figure(browser, tmp_path):
    page = f"{toc_pages()[0]}.ipynb"
    shutil.copy(ROOT / page, tmp_path)
    with serving_lab(sys.executable, tmp_path, tmp_path) as address:
        tab = run_all_cells(browser, address, page)
        before, after = move_the_first_slider(tab)
        assert before.sentence.startswith("At score 1 ")
        assert after.sentence.startswith("At score 2 ")
        assert after.figure != before.figure
        tab.close()
