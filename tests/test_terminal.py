"""Text that a terminal cannot show is escaped instead of raising an error."""

import io
import json
import sys

import pytest

from mmf_cmsbert import terminal
from mmf_cmsbert.commands.inspection_report import write_json

TEXT = "我喜欢 é 😀 \udcff"


def printed(encoding, write, monkeypatch):
    """Return the output of ``write()`` on a terminal with this encoding."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        terminal.show_any_text()
        write()
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_characters_that_a_terminal_lacks_are_escaped(encoding, monkeypatch):
    shown = printed(encoding, lambda: print(TEXT), monkeypatch)
    assert "\\udcff" in shown
    assert ("我喜欢" in shown) == (encoding == "utf-8")
    assert ("é" in shown) == (encoding != "ascii")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_json_is_json_whatever_the_terminal_shows(encoding, monkeypatch):
    content = {"words": TEXT[:-1]}
    shown = printed(encoding, lambda: write_json(content, "-"), monkeypatch)
    assert json.loads(shown) == content


def test_output_that_cannot_be_changed_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    terminal.show_any_text()
    assert terminal.is_utf8()
