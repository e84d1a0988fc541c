"""The other half of test_chapters_run.py."""

import pytest

from tests.site.conftest import needs_python
from tests.site.test_chapters_run import NAMES, gives_what_is_printed

pytestmark = needs_python


@pytest.mark.parametrize("name", NAMES[1::2])
def test_a_chapter_gives_what_is_printed(name, browser, address):
    gives_what_is_printed(name, browser, address)
