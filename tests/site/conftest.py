"""The built site, which `make book` makes before the tests run."""

import pytest

from tests.site.toc import ROOT, toc_pages

SITE = ROOT / "_build" / "html"


def pytest_generate_tests(metafunc):
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", toc_pages())


@pytest.fixture(scope="session")
def site():
    assert (SITE / "index.html").exists(), "the site is not built; run: make book"
    return SITE
