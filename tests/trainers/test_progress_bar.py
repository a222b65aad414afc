"""Progress bars are only shown on a terminal."""

import io
import logging
import sys

import pytest
import torch

from mmf_cmsbert.errors import ConfigError

pytest.importorskip("mmf")

from mmf_cmsbert.trainers.progress_bar import ProgressBars, configured  # noqa: E402

OPTIMIZER = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1e-5)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def console(monkeypatch):
    """A fake of stdout and stderr that also receives the lines of a logger."""

    def make(stream):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(sys, "stdout", stream)
        logger = logging.Logger("run")
        logger.addHandler(logging.StreamHandler(stream))
        monkeypatch.setitem(logging.root.manager.loggerDict, "run", logger)
        monkeypatch.setattr("shutil.get_terminal_size", lambda fallback=(80, 24): (150, 40))
        return logger

    return make


def watched(console, stream, shown):
    logger = console(stream)
    bars = ProgressBars(shown)
    with bars.training(10, 4):
        bars._updates.mininterval = 0
        for update in range(3):
            bars.update({"a": torch.tensor([0.2, 0.4]), "b": torch.tensor(0.2)}, OPTIMIZER)
            logger.warning(f"line {update}")
        assert list(bars.batches("abc", "val")) == ["a", "b", "c"]
        bars.validated("val/mae", 0.75, 0.5, 6)
    return stream.getvalue()


def test_a_terminal_sees_updates_rate_loss_and_learning_rate_below_the_log(console):
    printed = watched(console, Terminal(), "auto")
    shown = [part for part in printed.split("\r") if "7/10" in part][-1]
    assert "update/s" in shown and "loss=0.5000, lr=1e-05" in shown
    lines = printed.replace("\r", "\n").split("\n")
    assert {"line 0", "line 1", "line 2"} <= set(lines), "a line of the log has a line to itself"
    assert printed.index("line 0") < printed.rindex("7/10")


def test_a_validation_is_counted_below_the_updates_and_says_the_best(console):
    printed = watched(console, Terminal(), "auto")
    last = [part for part in printed.split("\r") if "validation" in part][-1]
    assert "3/3, mae 0.7500, best 0.5000 at update 6" in last


@pytest.mark.parametrize(("stream", "shown"), [(io.StringIO, "auto"), (Terminal, False)])
def test_others_see_plain_lines(console, stream, shown):
    assert watched(console, stream(), shown) == "line 0\nline 1\nline 2\n"


def test_whoever_asks_for_it_gets_it(console):
    assert "7/10" in watched(console, io.StringIO(), True)


@pytest.mark.parametrize("value", ["yes", None, 1])
def test_a_wrong_value_is_named_with_what_was_expected(value):
    with pytest.raises(ConfigError, match=r"training.progress_bar is .*; expected auto, true or"):
        configured({"progress_bar": value})


# An epoch has 6 batches, the validation 3, the test 2; evaluations at 6, 12 and 14, the end.
@pytest.mark.parametrize(
    ("options", "updates"),
    [
        ([], "14/14"),
        (["training.max_epochs=2"], "12/12"),
        (["training.trainer=lightning_cmsbert"], "14/14"),
        (["training.trainer=lightning_cmsbert", "training.max_epochs=2"], "12/12"),
    ],
)
def test_every_trainer_counts_updates_validations_and_the_test(
    toy, tmp_path, console, options, updates
):
    terminal = Terminal()
    console(terminal)
    toy.run(tmp_path, "training.progress_bar=true", *options)
    training, validation, test = (
        [part for part in terminal.getvalue().split("\r") if f"{title}:" in part][-1]
        for title in ("training", "validation", "test")
    )
    assert updates in training and "loss=" in training and "lr=" in training
    assert "3/3" in validation and ", toy_a/toy_error 1." in validation
    assert "2/2" in test


def test_a_resumed_run_counts_from_where_it_goes_on(toy, tmp_path, console):
    terminal = Terminal()
    console(terminal)
    toy.run(tmp_path, interrupt=("train", 11))
    toy.run(tmp_path, "checkpoint.resume=True", "training.progress_bar=true")
    assert "| 8/14 [" in terminal.getvalue() and "14/14" in terminal.getvalue()


def test_predictions_are_counted_for_people_alone(toy, tmp_path, console, capsys):
    predict = ["run_type=predict", "evaluation.predict=True"]
    terminal = Terminal()
    console(terminal)
    toy.run(tmp_path, *predict)
    assert "test:" in terminal.getvalue() and "2/2" in terminal.getvalue()
    file = io.StringIO()
    console(file)
    toy.run(tmp_path, *predict)
    assert "batch/s" not in file.getvalue()
