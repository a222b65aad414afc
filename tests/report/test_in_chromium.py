"""The page in a real browser: sorting, filtering and opening segments, without errors."""

import pytest
from headless_browser import CHROMIUM, Browser
from reported_runs import write_run

from mmf_cmsbert import report

if CHROMIUM is None:
    pytest.skip("Chromium is not installed", allow_module_level=True)

ROWS = "[...document.querySelectorAll('tr.row')]"
IDS = f"{ROWS}.map(row => row.cells[0].textContent)"
ERRORS = f"{ROWS}.map(row => Math.abs(Number(row.cells[3].textContent.replace('\u2212', '-'))))"
TEXTS = f"{ROWS}.map(row => row.cells[4].textContent)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def opened(browser, page):
    browser.errors.clear()
    browser.open(page)
    yield browser
    assert browser.errors == []


def click(browser, selector):
    browser.run(f"document.querySelector({selector!r}).click()")


def choose(browser, name, value):
    browser.run(
        f"(() => {{ const control = document.querySelector('[data-filter={name}]');"
        f"control.value = {value!r}; control.dispatchEvent(new Event('input')); }})()"
    )


def test_it_sorts_by_a_column_both_ways(opened):
    found = opened.run(ERRORS)
    assert len(found) == 50 and found == sorted(found, reverse=True)
    click(opened, "button[data-sort=largest]")
    assert opened.run(ERRORS) == sorted(opened.run(ERRORS))
    click(opened, "button[data-sort=text]")
    assert opened.run(TEXTS) == sorted(opened.run(TEXTS), key=str.lower)
    assert opened.run("document.querySelector('th[data-key=text]').ariaSort") == "ascending"


def test_it_filters_by_words_class_and_modality(opened):
    choose(opened, "text", "ALERT(3)")
    assert opened.run(IDS) == ["clip[1]"]
    choose(opened, "text", "")
    choose(opened, "modality", "=acoustic")
    found = opened.run(f"{ROWS}.map(row => row.cells[6].textContent)")
    assert found and set(found) == {"voice"}
    choose(opened, "modality", "")
    choose(opened, "true", "-2")
    labels = opened.run(
        f"{ROWS}.map(row => Number(row.cells[1].textContent.replace('\u2212', '-')))"
    )
    assert labels and all(-2.5 <= label <= -1.5 for label in labels)
    assert " matching (60 in all)" in opened.run(
        "document.querySelector('[data-count]').textContent"
    )


def test_pages_turn(opened):
    first = opened.run(IDS)
    click(opened, "[data-page=next]")
    second = opened.run(IDS)
    assert len(second) == 10 and not set(first) & set(second)


def test_a_segment_opens_by_the_keyboard_with_words_and_heat_maps(opened):
    choose(opened, "text", "clip[4]")
    opened.run("document.querySelector('button.open').focus()")
    opened.press("Enter", 13)
    words = opened.run("[...document.querySelectorAll('.spoken span')].map(e => e.textContent)")
    assert words == ["a", "very", "good", "film", "that", "i"]
    colours = opened.run(
        "[...document.querySelectorAll('.spoken span')].map(e => e.style.background || e.className)"
    )
    assert colours[0].startswith("rgba(") and colours[-1] == "cut"  # the model reads 12 pieces
    assert opened.run("document.querySelectorAll('svg.heat').length") == 2
    cells = opened.run("document.querySelectorAll('svg.heat.visual rect.cell').length")
    assert cells % 7 == 0 and 0 < cells < 6 * 7
    title = opened.run("document.querySelector('svg.heat rect.cell title').textContent")
    assert title.startswith("a, frame 1: 0.")
    opened.press("Enter", 13)
    assert opened.run("document.querySelectorAll('tr.detail').length") == 0


def test_a_dot_opens_its_segment(opened):
    opened.run("document.querySelector('circle[data-segment=\"7\"]').dispatchEvent("
               "new MouseEvent('click', {bubbles: true}))")  # fmt: skip
    assert opened.run("document.activeElement.textContent") == "clip[7]"
    assert opened.run("document.querySelectorAll('tr.detail').length") == 1


def test_texts_are_shown_as_they_are(opened, hostile):
    choose(opened, "text", "clip[0]")
    click(opened, "button.open")
    spoken = opened.run("document.querySelector('.spoken').textContent")
    assert spoken.split() == hostile[0].split()
    assert opened.run("document.images.length") == 0


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(browser, page, width, dark):
    browser.errors.clear()
    browser.open(page, width, dark=dark, mobile=width < 600)
    click(browser, "button.open")
    assert browser.run("document.documentElement.scrollWidth") == width
    ink, back = (
        browser.run(f"getComputedStyle(document.body).{name}")
        for name in ("color", "backgroundColor")
    )
    assert (sum(map(int, ink[4:-1].split(","))) > sum(map(int, back[4:-1].split(",")))) == dark
    assert browser.errors == []


def test_thousands_of_segments_are_sorted_and_found(browser, page_of_mosei):
    browser.errors.clear()
    browser.open(page_of_mosei)
    click(browser, "button[data-sort=id]")
    assert len(browser.run(IDS)) == 50 and browser.run(IDS)[0] == "some-video-of-mosei[0]"
    choose(browser, "text", "mosei[4658]")
    assert browser.run(IDS) == ["some-video-of-mosei[4658]"]
    click(browser, "button.open")
    assert "no heat map" in browser.run("document.querySelector('tr.detail').textContent")
    assert browser.errors == []


def test_several_runs_are_sorted_by_how_far_they_are_apart(browser, tmp_path):
    runs = [write_run(tmp_path / name, shift=shift) for name, shift in (("a", 0), ("b", 1))]
    browser.errors.clear()
    browser.open(report.write(runs, tmp_path / "all.html", pictures=False), 390, mobile=True)
    found = browser.run(f"{ROWS}.map(row => Number(row.cells[6].textContent))")
    assert len(found) == 12 and found == sorted(found, reverse=True) and found[0] > 0
    click(browser, "button[data-sort='error 1']")
    click(browser, "button.open")
    assert "Each run" in browser.run("document.querySelector('tr.detail').textContent")
    assert browser.run("document.documentElement.scrollWidth") == 390
    assert browser.errors == []
