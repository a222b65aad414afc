import io
import json

import pytest
import yaml
from made_up_runs import CONFIG, write_record
from rich.console import Console

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.experiments import check
from mmf_cmsbert.experiments.check import compare, write_config
from mmf_cmsbert.experiments.process import error_of

MAE = "mosi/sentiment_mae"
WHOLE = CONFIG | {
    "checkpoint": {"resume": True},
    "model_config": {"cmsbert": {"shift": {"context": "word"}}},
    "env": {"save_dir": "/somewhere"},
    "dataset": "mosi",
}


@pytest.fixture
def recorded(tmp_path):
    write_record(tmp_path / "old", WHOLE, seed=7, machine={"threads": 3, "gpu": "x"})
    return tmp_path / "old" / "run.json"


def checked(recorded, monkeypatch, tolerance=1e-6, status=0, **now):
    """Check a record against a run with the same scores, except for ``now``."""
    console = Console(width=200, record=True, file=io.StringIO())
    folder = recorded.parent.parent / "again"
    given = {}
    monkeypatch.setattr(check, "resolve", lambda words: WHOLE)

    class Run:
        def __init__(self, words, log, threads):
            self.log = log
            given.update(words=words, threads=threads)
            folder.joinpath("run").mkdir(exist_ok=True)
            log.write_text("mmf_run: error: no data\n")

        def poll(self):
            if not status:
                write_record(folder / "run", WHOLE, **now)
            return status

        def progress(self):
            return None

        def stop(self):
            pass

        def error(self, status, recorded):
            return error_of(self.log, status, recorded)

    equal = check.check(recorded, ["a.b=c"], tolerance, folder, console, Run, overwrite=True)
    return equal, console.export_text(), given


def test_the_run_is_made_from_its_record_alone(recorded, monkeypatch):
    equal, printed, given = checked(recorded, monkeypatch)
    assert equal and "Reproduced" in printed
    assert given["threads"] == 3 and "a.b=c" in given["words"]
    file = recorded.parent.parent / "again" / "config.yaml"
    assert f"config={file.resolve()}" in given["words"]
    config = yaml.safe_load(file.read_text())
    assert (config["dataset"], config["model"], config["training"]["seed"]) == (
        "mosi",
        "cmsbert",
        7,
    )
    assert config["model_config"] == WHOLE["model_config"]
    assert config["checkpoint"]["resume"] is False and "env" not in config


def test_a_score_that_differs_is_shown(recorded, monkeypatch):
    equal, printed, _ = checked(recorded, monkeypatch, test={MAE: 0.61, "mosi/sentiment_corr": 0.8})
    assert not equal
    assert f"test.{MAE}" in printed and "0.61" in printed and "1 values differ" in printed


def test_a_score_within_the_tolerance_is_the_same(recorded, monkeypatch):
    scores = {MAE: 0.6 + 1e-4, "mosi/sentiment_corr": 0.8}
    assert not checked(recorded, monkeypatch, tolerance=1e-5, test=scores)[0]
    assert checked(recorded, monkeypatch, tolerance=1e-3, test=scores)[0]


def test_what_is_not_as_recorded_is_told_before(tmp_path, monkeypatch):
    file = tmp_path / "old" / "run.json"
    write_record(file.parent, WHOLE, commit={"hash": "0123456789ab", "dirty": True}, backbone="x")
    _, printed, _ = checked(file, monkeypatch)
    assert "commit was 0123456789 with changes" in printed
    assert "weights of the backbone have changed" in printed
    assert printed.index("Changed since") < printed.index("Reproduced")


def test_a_run_that_fails_is_an_error_with_its_message(recorded, monkeypatch):
    with pytest.raises(DataError, match="the run failed: no data"):
        checked(recorded, monkeypatch, status=1)


def test_a_run_that_never_finished_cannot_be_checked(tmp_path):
    write_record(tmp_path, WHOLE, status="failed")
    content = json.loads((tmp_path / "run.json").read_text())
    with pytest.raises(DataError, match="is failed, and has no scores"):
        write_config(content, tmp_path / "config.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not JSON"), ("[]", "format is None"), ('{"format": 2}', "format is 2")],
)
def test_what_is_no_record_is_named(tmp_path, text, message):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(DataError, match=f"run.json.*{message}"):
        check.check(tmp_path, [], 0, tmp_path, Console())


def test_nan_is_equal_to_nan_and_missing_scores_are_not_equal():
    record = {"best": None, "validation": None, "test": {MAE: float("nan")}}
    assert compare(record, dict(record, test={MAE: float("nan")}), 0) == []
    assert compare(record, dict(record, test={MAE: 0.5}), 0)
    assert compare(dict(record, test={MAE: 0.5}), dict(record, test=None), 0)
