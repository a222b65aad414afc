"""A run is summed up for a person, under every trainer; programs that read MMF's lines get them."""

import io
import logging
import sys

import pytest

import mmf_cmsbert  # noqa: F401  makes MMF importable

pytest.importorskip("mmf")

from mmf_cmsbert.compat.mmf import log as mmf_log  # noqa: E402

TRAINERS = ["base_trainer", "lightning_cmsbert"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def output(monkeypatch):
    """Takes the place of standard output."""

    def make(stream):
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(mmf_log, "_verbose", False)
        monkeypatch.setenv("TERM", "dumb")
        monkeypatch.setenv("COLUMNS", "100")
        return stream

    return make


# The toy makes 14 updates and validates at 6, 12 and 14.
@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_terminal_sees_facts_validations_and_scores(toy, tmp_path, output, trainer):
    terminal = output(Terminal())
    made = toy.run(tmp_path, f"training.trainer={trainer}")
    rows = [line.split() for line in terminal.getvalue().splitlines()]
    facts = {row[0]: " ".join(row[1:]) for row in rows if len(row) > 1}
    assert facts["model"] == "toy_model"
    assert facts["data"] == "toy_a: 22 train, 9 val, 7 test"
    assert facts["training"].startswith("14 updates of 4; validated every 6 by toy_a/toy_error")
    assert facts["device"].startswith("cpu, ") and facts["folder"].endswith("save")
    assert [int(row[0]) for row in rows if row and row[0] in ("6", "12", "14")] == [6, 12, 14]
    error = [float(value) for row in rows if row[:1] == ["toy_error"] for value in row[1:]]
    best = float(made.trainer.early_stopping.best_monitored_value)
    test = float(made.metrics["test/toy_a/toy_error"])
    assert error == pytest.approx([best, test], abs=1e-4)
    headline = next(row for row in rows if row[:2] == ["Finished", "in"])
    best_update = made.trainer.early_stopping.best_monitored_update
    assert "14 updates, best at update" in " ".join(headline) and f"{best_update};" in headline
    assert rows[-1][:2] == ["predict", "mmf_predict"]


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_the_closing_table_is_for_files_too_and_validations_for_terminals(
    toy, tmp_path, output, stream
):
    printed = output(stream())
    toy.run(tmp_path)
    assert "Finished in" in printed.getvalue()
    assert ("train loss" in printed.getvalue()) == (stream is Terminal)


def test_a_run_that_breaks_off_has_no_closing_table(toy, tmp_path, output):
    terminal = output(Terminal())
    toy.run(tmp_path, interrupt=("train", 7))
    assert "14 updates" in terminal.getvalue() and "Finished in" not in terminal.getvalue()


def test_a_prediction_ends_with_its_file(toy, tmp_path, output):
    terminal = output(Terminal())
    toy.trainer(tmp_path, "run_type=predict", "evaluation.predict=True").inference()
    (file,) = tmp_path.rglob("*.json")
    last = terminal.getvalue().splitlines()[-1]
    assert last == f"predictions (7 rows)  {file}"


def test_a_run_that_is_resumed_says_where(toy, tmp_path, output):
    toy.run(tmp_path, interrupt=("train", 11))
    terminal = output(Terminal())
    toy.run(tmp_path, "checkpoint.resume=True")
    assert "14 updates of 4, resumed after 8" in terminal.getvalue()


@pytest.mark.parametrize(
    ("stream", "verbose", "shown"),
    [
        (io.StringIO, False, ["a line", "a warning"]),
        (io.StringIO, True, ["a line", "layers", "a warning"]),
        (Terminal, False, ["a warning"]),
        (Terminal, True, ["a line", "layers", "a warning"]),
    ],
)
def test_the_console_shows_of_mmfs_log(toy, monkeypatch, output, stream, verbose, shown):
    from mmf.utils import logger as mmf_logger

    stream = output(stream())
    mmf_log.be_verbose(verbose)
    logger = logging.Logger("run")
    logger.addHandler(mmf_logger.logging.StreamHandler(sys.stdout))
    file = io.StringIO()
    logger.addHandler(mmf_logger.logging.StreamHandler(file))
    logger.info("a line")
    with mmf_log.file_only():
        logger.info("layers")
        logger.warning("a warning")
    assert stream.getvalue().splitlines() == shown
    assert file.getvalue().splitlines() == ["a line", "layers", "a warning"]


def test_the_model_goes_to_the_log_file_only(toy, tmp_path, output, monkeypatch):
    hidden = []

    def write(self, text, *args, **kwargs):
        (hidden if mmf_log._is_for_the_file() else self.lines).append(str(text))

    monkeypatch.setattr(toy.Writer, "write", write)
    monkeypatch.setattr(logging.Logger, "info", lambda self, text, *a: write(toy.writer, text))
    output(io.StringIO())
    monkeypatch.setattr(toy, "writer", toy.Writer(tmp_path), raising=False)
    made = toy.run(tmp_path)
    assert any("ToyModel(" in line for line in hidden)
    assert not any("ToyModel(" in line for line in [*made.lines, *toy.writer.lines])


def test_scores_are_in_the_order_of_the_configuration():
    from mmf_cmsbert.trainers.summary import _in_order

    scores = {"a/loss": 0.0, "a/acc": 1.0, "b/mae": 2.0, "a/mae": 3.0}
    found = _in_order(scores, ["mae", {"type": "accuracy", "key": "acc"}])
    assert list(found.items()) == [("b/mae", 2.0), ("a/mae", 3.0), ("a/acc", 1.0), ("a/loss", 0.0)]
    assert _in_order(scores, None) == scores
