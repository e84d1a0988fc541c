"""Every chapter gives in the browser what is printed: the even ones; another file has the odd ones.

Two workers take a file each.
"""

import pytest

from tests.site.conftest import needs_python
from tests.site.toc import CHAPTERS
from tools.run_here.compare import exceptions, run_chapter, unequal

pytestmark = needs_python
NAMES = [page.partition("/")[2] for page in CHAPTERS]


def gives_what_is_printed(name, browser, address):
    page, asked = browser.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    cells = run_chapter(page, address, name)
    page.close()
    assert unequal(cells) == exceptions(name)
    assert not [url for url in asked if not url.startswith((address, "blob:", "data:"))]
    # tools.run_here.reads writes down what a chapter imports, so that this part is not needed
    assert not [url for url in asked if "/rest-" in url]


@pytest.mark.parametrize("name", NAMES[::2])
def test_a_chapter_gives_what_is_printed(name, browser, address):
    gives_what_is_printed(name, browser, address)
