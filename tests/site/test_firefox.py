"""Python in the page of another browser: Firefox, where it is installed and new enough."""

import pytest

from tests.site.conftest import needs_python
from tools.run_here.compare import exceptions, unequal
from tools.site.firefox import FIREFOX, firefox, version

OLDEST = 131
SECONDS = 600  # on a busy machine
CHAPTER = "mle"

pytestmark = [
    needs_python,
    pytest.mark.skipif(
        FIREFOX is None or version() < OLDEST,
        reason=f"no Firefox {OLDEST} or newer is installed; the pages are tested in Chromium alone",
    ),
]


def test_a_chapter_gives_what_is_printed(address):
    with firefox(SECONDS) as tab:
        tab.open(f"{address}/chapters/{CHAPTER}.html")
        tab.run(
            """
            document.querySelector(".run-here-button").click();
            while (!document.body.classList.contains("runs-here"))
              await new Promise((resolve) => setTimeout(resolve, 100));
            await runHere.runAll();
            """
        )
        cells = tab.run("return runHere.verdicts()")
    assert len(cells) > 40
    assert unequal(cells) == exceptions(CHAPTER)
