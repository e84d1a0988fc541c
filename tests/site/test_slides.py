"""Slides: their blocks, and one deck that a browser opens from a file without a network."""

import re

import nbformat
import pytest

from tests.site.toc import CHAPTERS, ROOT
from tools.book.slides import FOR_THE_NOTEBOOK, convert, on_site, slides
from tools.facts import published


@pytest.fixture(scope="module", params=CHAPTERS)
def chapter(request):
    return nbformat.read(ROOT / f"{request.param}.ipynb", as_version=4)


def sources(notebook):
    return [cell.source for slide in slides(notebook) for cell in slide.cells]


def test_each_section_begins_a_group_of_slides(chapter):
    text = "\n".join(cell.source for cell in chapter.cells if cell.cell_type == "markdown")
    begun = [slide.cells[0].source for slide in slides(chapter) if slide.begins_section]
    assert begun == re.findall(r"(?m)^##? .*", text)


def test_a_prediction_is_asked_before_anything_is_shown(chapter):
    asked = [slide for slide in slides(chapter) if slide.look == "predict"]
    text = "\n".join(cell.source for cell in chapter.cells)
    assert len(asked) == text.count("> **Predict.**")
    for slide in asked:
        *before, question = slide.cells
        assert question.source.startswith("> **Predict.**")
        assert all(cell.source.startswith("#") for cell in before)


def test_every_figure_is_shown_once_and_without_its_code(chapter):
    def figures(cells):
        shown = [o.get("data", {}) for c in cells if c.cell_type == "code" for o in c.outputs]
        return [str(d) for d in shown if {"image/svg+xml", "text/html"} & set(d)]

    cells = [cell for slide in slides(chapter) for cell in slide.cells]
    assert figures(cells) == figures(chapter.cells)
    for cell in cells:
        if cell.metadata.kind == "figure":
            assert cell.metadata.transient.remove_source


def test_no_answer_and_no_installation_is_shown(chapter):
    text = "\n".join(sources(chapter))
    for hidden in ("<details>", "<summary>", "%pip", "check_answer(", FOR_THE_NOTEBOOK):
        assert hidden in "\n".join(cell.source for cell in chapter.cells)
        assert hidden not in text


def test_links_lead_to_the_site():
    assert on_site("mle.ipynb#eq-BCE", "bce.html") == f"{published()}chapters/mle.html#eq-BCE"
    assert on_site("../appendix/claims.md", "bce.html") == f"{published()}appendix/claims.html"
    assert on_site("#summary", "bce.html") == f"{published()}chapters/bce.html#summary"
    assert on_site("https://example.org/a.md", "bce.html") == "https://example.org/a.md"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return convert(ROOT / "chapters" / "bce.ipynb", tmp_path_factory.mktemp("slides"))


@pytest.fixture
def tab(browser, file):
    """Return a tab with the slides in which errors, and requests for other files, fail the test."""
    context, complaints = browser.new_context(viewport={"width": 1280, "height": 720}), []
    tab = context.new_page()
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on(
        "console",
        lambda message: message.type in ("error", "warning") and complaints.append(message.text),
    )
    tab.on(
        "request",
        lambda request: (
            request.url.startswith((file.as_uri(), "data:")) or complaints.append(request.url)
        ),
    )
    tab.goto(file.as_uri())
    tab.wait_for_function("Reveal.isReady()")
    yield tab
    context.close()
    assert not complaints


def test_the_arrow_leads_through_all_slides_and_nothing_overflows(tab):
    seen = []
    while True:
        seen.append(tab.evaluate("JSON.stringify(Reveal.getIndices())"))
        over = tab.evaluate("""() => {
            const slide = Reveal.getCurrentSlide();
            const body = slide.getBoundingClientRect();
            const out = [...slide.querySelectorAll(".block")].filter(block => {
                const box = block.getBoundingClientRect();
                return box.right > body.right + 1 || box.bottom > body.bottom + 1 || !box.height;
            });
            return [slide.scrollHeight - slide.clientHeight, out.length];
        }""")
        assert over == [0, 0], f"slide {seen[-1]}: {tab.evaluate('location.hash')}"
        if tab.evaluate("Reveal.isLastSlide()"):
            break
        tab.keyboard.press("ArrowRight")
    assert len(set(seen)) == len(seen) == tab.evaluate("Reveal.getTotalSlides()") > 30


def test_explorers_work(tab):
    explorers = tab.locator(".explorer")
    assert explorers.count() == 2
    for explorer in explorers.all():
        explorer.evaluate("""explorer => {
            const {h, v} = Reveal.getIndices(explorer.closest("section"));
            Reveal.slide(h, v);
        }""")
        slider, sentence = explorer.locator("input"), explorer.locator("figcaption")
        before, where = sentence.inner_text(), tab.evaluate("Reveal.getIndices()")
        slider.focus()
        tab.keyboard.press("ArrowRight")
        assert sentence.inner_text() != before
        assert tab.evaluate("Reveal.getIndices()") == where, "the arrow must move the slider only"
        assert explorer.locator(".explorer-frame:visible").count() == 1
        box = slider.bounding_box()
        tab.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
        tab.keyboard.press("ArrowRight")
        assert tab.evaluate("Reveal.getIndices()") != where, "the arrow must move the slides again"


def test_formulas_are_typeset(tab):
    """KaTeX has typeset every formula, and no source is visible."""
    assert tab.locator(".katex").count() > 100
    raw = tab.evaluate(r"""() => {
        const words = document.createTreeWalker(document.querySelector(".slides"), 4);
        const found = [];
        while (words.nextNode()) {
            const {data, parentElement} = words.currentNode;
            if (parentElement.closest("pre, code, annotation, script")) continue;
            if (/[$]|\\[a-z]+/.test(data)) found.push(data);
        }
        return found;
    }""")
    assert raw == []
    assert tab.evaluate("document.fonts.check('20px KaTeX_Main')")
