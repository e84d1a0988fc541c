"""The appendix on the laws of losses says what `make laws` finds, as far as can be seen here."""

import re
from importlib import metadata

import pytest

from lossutils.laws import LAWS
from tools.laws import cases, on_numpy, on_torch, page

STORED = page.stored()[1]


def section(library):
    """Return what the page says of the broken laws of a library."""
    return STORED.partition(f"### {library}\n")[2].partition("\n#")[0].rstrip()


def pinned(package):
    pins = (page.ROOT / "tools" / "laws" / "requirements.txt").read_text("utf8")
    return re.search(rf"^{package}==(\S+)", pins, re.MULTILINE)[1]


def test_the_page_lists_all_laws():
    assert STORED.startswith(page.reasons())
    rows = [row.partition(",")[0] for row in cases.ROWS]
    assert list(dict.fromkeys(rows)) == [law.name for law in LAWS]


@pytest.mark.parametrize(
    ("library", "package", "losses"),
    [
        (cases.OURS, None, on_numpy.ours),
        (cases.PYTORCH, "torch", on_torch.pytorch),
        (cases.SKLEARN, "scikit-learn", on_numpy.sklearn),
    ],
)
def test_what_is_installed_here_breaks_what_the_page_says(library, package, losses):
    if package and metadata.version(package).partition("+")[0] != pinned(package):
        pytest.skip(f"the page is about {package} {pinned(package)}")
    shown = page.broken_of(library, page.findings_of(losses())).partition("\n")[2]
    assert section(library).strip() == shown.strip(), "run: make laws"


def test_every_library_has_a_column_and_a_section():
    assert "| Law | " + " | ".join(cases.LIBRARIES) + " |" in STORED
    assert all(section(library) for library in cases.LIBRARIES)


def test_every_thread_is_linked_by_its_number():
    links = re.findall(r"\[(\S+?)\]\((\S+?)\)", STORED)
    assert len(links) > 20
    for text, link in links:
        repository, _, number = text.partition("#")
        assert re.fullmatch(
            rf"https://github\.com/[\w-]+/{repository}/(issues|pull)/{number}", link
        )


def test_the_page_names_the_versions_of_the_pins():
    for package in ("torch", "optax", "keras", "monai", "fvcore"):
        assert f"{package} {pinned(package)}" in STORED


def test_a_report_lists_cells_failing_cases_and_what_is_mended():
    def fails_for_many(s, y, w):
        return float(len(s) > 1)

    tried = {
        "floor": (cases.of_numbers()["floor"]),
        "parts": (cases.of_numbers()["parts"]),
    }
    called = cases.Called(
        cases.KERAS,
        "f()",
        cases.laws.Subject(fails_for_many),
        tried,
        {"floor": "a/b/issues/1", "parts": "a/b/pull/2"},
        {"parts": "Said so."},
    )
    findings = page.findings_of([called])
    row = next(line for line in page.table(findings).splitlines() if line.startswith("| parts"))
    assert row == "| parts | — | — | — | ✗ 1/1 | — | — | — | — |"
    assert page.broken_of(cases.KERAS, findings).splitlines()[2:] == [
        "- `f()`",
        "  - **parts**: cut after 1 of 4 the loss is 0.75, and 1 as a whole. Said so. "
        "Discussed in [b#2](https://github.com/a/b/pull/2).",
    ]
    assert page.mended(findings) == "- **floor**, `f()`: [b#1](https://github.com/a/b/issues/1)."
    assert page.broken_of(cases.MLX, findings) == "### MLX\n\nNo law is broken."
