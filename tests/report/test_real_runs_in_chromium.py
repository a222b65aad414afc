"""The pages of real runs in a real browser: the synthetic demo, and real MOSI segments."""

import pytest
from headless_browser import CHROMIUM, Browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
ROWS = "[...document.querySelectorAll('tr.row')]"
ERRORS = f"{ROWS}.map(row => Math.abs(Number(row.cells[3].textContent.replace('\u2212', '-'))))"
BACKBONE = {"name": "projects/cmsbert/demo", "from_config": "projects/cmsbert/demo"}


def words_of(kind, request):
    if kind == "demo":
        return ["config=projects/cmsbert/demo.yaml", "training.max_updates=60"]
    data = request.getfixturevalue("shared") / "mosi" / "misa_folds"
    return [
        "config=projects/cmsbert/mosi.yaml",
        *(f"model_config.cmsbert.backbone.{key}={value}" for key, value in BACKBONE.items()),
        "model_config.cmsbert.backbone.pooling=mean",
        f"dataset_config.mosi.source={data}",
        "training.max_updates=60",
        "training.evaluation_interval=6",
    ]


@pytest.mark.parametrize("kind, segments", [("demo", 200), ("folds", 45)])
def test_the_page_of_a_run_sorts_filters_and_opens_a_segment(
    kind, segments, request, typed_commands, tmp_path
):
    words = [*words_of(kind, request), "training.report=true", "env.save_dir=run"]
    done = typed_commands.run("mmf_run", words, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    page = tmp_path / "run" / "report.html"
    assert page.stat().st_size < 5_000_000
    with Browser(tmp_path / "profile") as browser:
        for width, dark in ((1280, False), (1280, True), (390, False), (390, True)):
            browser.open(page, width, dark=dark, mobile=width < 600)
            assert browser.run("document.documentElement.scrollWidth") == width
        assert f" of {segments} segments" in browser.run(
            "document.querySelector('[data-count]').textContent"
        )
        found = browser.run(ERRORS)
        assert found == sorted(found, reverse=True)
        browser.run("document.querySelector('button[data-sort=largest]').click()")
        found = browser.run(ERRORS)
        assert found == sorted(found)
        browser.run(
            "(() => { const control = document.querySelector('[data-filter=text]');"
            f"control.value = {ROWS}[3].cells[0].textContent;"
            "control.dispatchEvent(new Event('input')); })()"
        )
        assert browser.run(f"{ROWS}.length") >= 1
        browser.run("document.querySelector('button.open').click()")
        assert browser.run("document.querySelectorAll('.spoken span').length") > 0
        assert browser.run("document.querySelectorAll('svg.heat').length") == 2
        assert browser.errors == []
