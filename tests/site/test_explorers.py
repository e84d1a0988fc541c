"""Explorers in a real browser: by keyboard, by touch, without scripts, and on paper."""

import pytest

from tests.site.toc import WITH_EXPLORERS

pytestmark = pytest.mark.parametrize("page", WITH_EXPLORERS, scope="module")

FOCUS_BEFORE = """slider => {
    const stops = [...document.querySelectorAll("a[href], button, input, summary, [tabindex='0']")]
        .filter(stop => stop.tabIndex >= 0 && stop.checkVisibility({ visibilityProperty: true }));
    stops[stops.indexOf(slider) - 1].focus();
}"""


def visible_frames(explorer):
    return explorer.evaluate("""explorer => [...explorer.querySelectorAll(".explorer-frame")]
        .flatMap((frame, i) => getComputedStyle(frame).display === "none" ? [] : [i])""")


def caption(explorer):
    return explorer.locator("figcaption").text_content()


def test_explorers_are_reached_by_tab_and_moved_by_keys(shared_page):
    tab = shared_page()
    for explorer in tab.locator(".explorer").all():
        explorer.scroll_into_view_if_needed()
        slider = explorer.locator("input[type=range]").first
        frames = explorer.locator(".explorer-frame").count()
        start = int(slider.input_value())
        assert visible_frames(explorer) == [start]
        slider.evaluate(FOCUS_BEFORE)
        tab.keyboard.press("Tab")
        assert slider.evaluate("slider => slider === document.activeElement")
        next_key, next_frame = (
            ("ArrowRight", start + 1) if start + 1 < frames else ("ArrowLeft", start - 1)
        )
        moves = [(next_key, next_frame), ("End", frames - 1), ("Home", 0)]
        if next_frame == frames - 1:
            moves[1:] = [("Home", 0), ("End", frames - 1)]
        for key, index in moves:
            sentence, tick = caption(explorer), slider.get_attribute("aria-valuetext")
            tab.keyboard.press(key)
            assert visible_frames(explorer) == [index]
            assert caption(explorer) != sentence
            assert slider.get_attribute("aria-valuetext") != tick
            assert explorer.locator("output").inner_text() == slider.get_attribute("aria-valuetext")


def test_explorers_move_by_touch(open_page, page):
    tab = open_page(page, "phone", has_touch=True, is_mobile=True)
    for explorer in tab.locator(".explorer").all():
        slider = explorer.locator("input[type=range]").first
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box["height"] >= 44, "the slider is too low for a thumb"
        shown, sentence = visible_frames(explorer), caption(explorer)
        share = 0.15 if int(slider.input_value()) > int(slider.get_attribute("max")) / 2 else 0.85
        slider.tap(position={"x": share * box["width"], "y": box["height"] / 2})
        assert visible_frames(explorer) != shown
        assert caption(explorer) != sentence


def test_without_scripts_the_page_is_complete(open_page, page):
    tab = open_page(page, java_script_enabled=False)
    for explorer in tab.locator(".explorer").all():
        assert len(visible_frames(explorer)) == 1
        assert caption(explorer)
        assert not explorer.locator(".explorer-controls").is_visible()
    for picture in tab.locator(".cell_output img").all():
        picture.scroll_into_view_if_needed()
        assert picture.bounding_box()["height"] > 50
    for button in tab.locator(".pst-js-only").all():
        assert not button.is_visible()


def test_print_shows_three_frames_each_with_its_sentence(shared_page):
    tab = shared_page()
    tab.emulate_media(media="print")
    for explorer in tab.locator(".explorer").all():
        shown = visible_frames(explorer)
        frames = explorer.locator(".explorer-frame")
        assert shown == [0, frames.count() // 2, frames.count() - 1] or frames.count() < 3
        sentences = [
            frames.nth(i).evaluate("frame => getComputedStyle(frame, '::after').content")
            for i in shown
        ]
        assert len(set(sentences)) == len(shown)
        assert all(len(sentence) > 20 for sentence in sentences)
        assert not explorer.locator("input").first.is_visible()
