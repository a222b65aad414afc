"""What a person sees of a run, on a terminal of any width and in a file."""

import io
from dataclasses import replace

import pytest

from mmf_cmsbert.console.run_display import Ending, RunDisplay, ValidationLine, duration

FACTS = {"model": "cmsbert: " + "many words " * 12 + "end", "folder": "save/demo"}
LINE = ValidationLine(30, 2, 1.5023, 1.541, ("mosi/sentiment_mae", 1.2092), True, 55.4)
ENDING = Ending(
    "Finished in 0:55",
    {"validation": {"sentiment_mae": 0.5}, "test": {"sentiment_mae": 0.625, "extra": 1.0}},
    {"model": "save/" + "long/" * 40 + "model"},
    {"predict": "mmf_predict env.save_dir=save/demo"},
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(params=[80, 100])
def width(request, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(request.param))
    monkeypatch.setenv("TERM", "dumb")  # no colours
    return request.param


def shown(stream):
    display = RunDisplay(stream)
    display.begin(FACTS)
    display.validated(LINE)
    display.validated(replace(LINE, update=60, train_loss=None, is_best=False))
    display.end(ENDING)
    return stream.getvalue().splitlines()


def test_facts_are_wrapped_below_each_other(width):
    lines = shown(Terminal())
    last = next(i for i, line in enumerate(lines) if line.startswith("folder"))
    assert last > 1 and all(line.startswith("        ") for line in lines[1:last])
    assert max(map(len, lines[: last + 1])) <= width


def test_each_validation_is_a_line_below_the_headings(width):
    lines = shown(Terminal())
    number = next(i for i, line in enumerate(lines) if "train loss" in line)
    heading, best, other = (" ".join(line.split()) for line in lines[number : number + 3])
    assert heading == "update epoch train loss val loss mosi/sentiment_mae time"
    assert best == "30 2 1.5023 1.5410 1.2092 best 0:55"
    assert other == "60 2 - 1.5410 1.2092 0:55"
    assert len(set(map(len, lines[number : number + 3]))) == 1 and len(lines[number]) <= 80


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_paths_and_commands_are_one_line_each_however_long(width, stream):
    lines = shown(stream())
    assert f"model    {ENDING.paths['model']}" in lines
    assert lines[-1] == "predict  mmf_predict env.save_dir=save/demo"


def test_the_table_has_a_row_a_metric(width):
    rows = [line.split() for line in shown(Terminal())]
    assert ["validation", "test"] in rows
    assert ["sentiment_mae", "0.5000", "0.6250"] in rows
    assert ["extra", "-", "1.0000"] in rows


def test_a_file_gets_no_colours_and_no_line_breaks(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    lines = shown(io.StringIO())
    assert f"model   {FACTS['model']}" in lines
    assert not any("\x1b" in line or line != line.rstrip() for line in lines)


def test_what_is_shown_is_no_markup(monkeypatch):
    stream = io.StringIO()
    RunDisplay(stream).begin({"data": "a [red]folder[/red] :smile:"})
    assert "a [red]folder[/red] :smile:" in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (3599, "59:59"), (3723, "1:02:03")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text
