"""A finished run writes its report, and errors of the report do not change its status."""

from types import SimpleNamespace

import pytest
from reported_runs import write_run


@pytest.fixture
def finished(mmf, tmp_path, monkeypatch):
    """Return a function that ends a run in a folder, and returns the log."""
    from mmf_cmsbert.compat.mmf import log
    from mmf_cmsbert.trainers.reporting import WritesReport

    lines = []
    monkeypatch.setattr(log, "write", lambda line, level="info": lines.append((level, line)))

    class Trainer:
        def train(self):
            self.run_record = self.record

    class Reporting(WritesReport, Trainer):
        pass

    def end(folder, training, record=True):
        trainer = Reporting()
        trainer.record = SimpleNamespace(file=folder / "run.json") if record else None
        trainer.config = SimpleNamespace(training=training)
        trainer.train()
        return lines

    return end


def test_the_report_is_written_without_pictures(finished, tmp_path):
    run = write_run(tmp_path / "run")
    assert finished(run, {"report": True}) == []
    assert (run / "report.html").is_file() and not list(run.glob("report/*.png"))


@pytest.mark.parametrize(
    ("training", "record"), [({"report": False}, True), ({}, True), ({"report": True}, False)]
)
def test_it_is_not_written_unasked_or_without_a_record(finished, tmp_path, training, record):
    assert finished(tmp_path, training, record) == [] and not list(tmp_path.iterdir())


def test_what_goes_wrong_is_one_warning_that_says_what_to_type(finished, tmp_path):
    ((level, line),) = finished(tmp_path, {"report": True})
    assert level == "warning" and "The run is finished, and its report was not written" in line
    assert f"cmsbert report {tmp_path}" in line
