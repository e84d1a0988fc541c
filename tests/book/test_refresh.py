"""Notebooks store the same bytes in every run, and with one thread.

`make test` lets every notebook run with one thread, and nbval compares each output with the one
stored; here one notebook goes through `make refresh` as a whole.
"""

import os
import subprocess
import sys

from tests.book.test_guard import lightest
from tools.facts import ROOT


def test_refresh_with_one_thread_changes_no_byte(request, tmp_path):
    chapter = lightest(request.config)
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    subprocess.run(
        [sys.executable, "-m", "tools.site.refresh", str(chapter), "--out", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | single,
        check=True,
        capture_output=True,
    )
    assert (tmp_path / chapter.name).read_bytes() == chapter.read_bytes(), "run: make refresh"
