"""The progress bar shows itself to people only."""

import io
import logging
import sys

import pytest
import torch

pytest.importorskip("mmf")

from mmf_cmsbert.trainers.progress_bar import ProgressBar  # noqa: E402


class Terminal(io.StringIO):
    def isatty(self):
        return True


def watched(monkeypatch, stream, shown):
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "stdout", stream)
    logger = logging.Logger("run")
    logger.addHandler(logging.StreamHandler(stream))
    monkeypatch.setitem(logging.root.manager.loggerDict, "run", logger)
    bar = ProgressBar(10, 4, shown)
    bar._bar.mininterval = 0
    with bar.shown():
        for update in range(3):
            bar.update(torch.tensor(0.5), 1e-5)
            logger.warning(f"line {update}")
    return stream.getvalue()


def test_a_terminal_sees_updates_rate_loss_and_learning_rate_below_the_log(monkeypatch):
    printed = watched(monkeypatch, Terminal(), None)
    last = printed.split("\r")[-1]
    assert "7/10" in last and "update/s" in last and "loss=0.5000, lr=1e-05" in last
    assert [line for line in printed.split("\n") if "line" in line]
    assert printed.index("line 0") < printed.rindex("7/10")


@pytest.mark.parametrize(("stream", "shown"), [(io.StringIO, None), (Terminal, False)])
def test_others_see_plain_lines(monkeypatch, stream, shown):
    assert watched(monkeypatch, stream(), shown) == "line 0\nline 1\nline 2\n"


def test_whoever_asks_for_it_gets_it(monkeypatch):
    assert "7/10" in watched(monkeypatch, io.StringIO(), True)
