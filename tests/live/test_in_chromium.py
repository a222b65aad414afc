"""The live page in a real Chromium with a microphone that plays a file (slow)."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from headless_browser import CHROMIUM, Browser
from media_files import sine, wav
from small_predictor import made

from mmf_cmsbert.paths import PACKAGE

PACKAGE_OF_USER = """
import numpy as np

from mmf_cmsbert.media.extractor import Face, Recogniser, Voice
from mmf_cmsbert.media.registry import register_extractor
from mmf_cmsbert.media.signals import Word, finite_frames


@register_extractor("says")
class Says(Recogniser):
    def words(self, sound):
        return [Word("so", 0.0, 0.4), Word("good", 0.5, 0.9)]


@register_extractor("four")
class Four(Voice):
    rate, columns = 10.0, tuple("abcd")

    def frames(self, sound):
        count = len(sound.samples) // 1600
        parts = sound.samples[: count * 1600].reshape(count, 1600)
        values = np.stack([parts.max(1), parts.min(1), parts.std(1), parts.mean(1)], axis=1)
        return finite_frames(values, (np.arange(count) + 0.5) / 10, self.columns)


@register_extractor("five")
class Five(Face):
    columns = tuple("abcde")

    def faces(self, picture):
        return []
"""
CARD = {
    "acoustic": {"name": "four", "rate": 10.0, "columns": list("abcd")},
    "visual": {"name": "five", "rate": 30.0, "columns": list("abcde")},
}
BUTTON = "[...document.querySelectorAll('button')].find(b => b.innerText == 'Score it')"
START = 'import sys; sys.argv[0] = "cmsbert"; from mmf_cmsbert.commands import main; main()'


@pytest.fixture
def address(tmp_path):
    """The address of a page that is served by the command."""
    for library in ("av", "gradio"):
        pytest.importorskip(library, reason=f"serves a page with {library}")
    if CHROMIUM is None:
        pytest.skip("opens the page in Chromium, which is not installed")
    (tmp_path / "my_extractors").mkdir()
    (tmp_path / "my_extractors/__init__.py").write_text(PACKAGE_OF_USER)
    predictor = made()
    predictor.config.training["extractors"] = {"mosi": CARD}
    predictor.save_pretrained(tmp_path / "model")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["live", "model", "--recogniser", "says", "--user-dir", "my_extractors"]
    process = subprocess.Popen(
        [sys.executable, "-c", START, *words, "--port", str(port), "--max-seconds", "20"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
    )
    try:
        yield _ready(f"http://127.0.0.1:{port}/", process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _ready(address, process):
    for _ in range(120):
        assert process.poll() is None, "the command has ended"
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return address
        except OSError:
            time.sleep(1)
    raise AssertionError("the page is not served")


@pytest.mark.slow
def test_what_is_said_into_the_microphone_gets_a_score(address, tmp_path):
    (tmp_path / "microphone.wav").write_bytes(wav(sine(3)))
    options = (
        "--use-fake-device-for-media-stream --use-fake-ui-for-media-stream "
        f'--use-file-for-fake-audio-capture="{tmp_path}/microphone.wav"'
    )
    with Browser(tmp_path / "profile", options) as browser:
        browser.open(address, height=1400)
        _click(browser, "document.querySelector('.record-button')")
        time.sleep(3)
        _click(browser, "document.querySelector('.stop-button')")
        _until(browser, "document.querySelector('audio, [data-testid*=waveform]')")
        time.sleep(2)
        _click(browser, BUTTON)
        _until(browser, "document.querySelector('iframe, [role=alert]')")
        table = browser.run("(document.querySelector('table') || document.body).innerText")
        assert "so good" in table and "voice added" in table
        timeline = browser.run("document.querySelector('iframe').srcdoc")
        assert "<polygon" in timeline  # the loudness of what was recorded
        browser.picture(tmp_path / "page.png", whole=False)


def _click(browser, element):
    _until(browser, element)
    browser.run(f"{element}.click()")


def _until(browser, found):
    for _ in range(240):
        if browser.run(f"!!({found})"):
            return
        time.sleep(0.25)
    raise AssertionError(f"never there: {found}")
