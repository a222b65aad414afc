"""The record of a training run."""

import json

from mmf_cmsbert.config.completion import complete
from mmf_cmsbert.records.run_record import RunRecord

CONFIG = {
    "datasets": "mosi",
    "model": "cmsbert",
    "training": {"early_stop": {"criteria": "mosi/sentiment_mae", "minimize": True}},
}


def read(folder):
    return json.loads((folder / "run.json").read_text())


def test_while_it_runs_a_record_says_so(tmp_path):
    RunRecord(tmp_path, ["mmf_run"], CONFIG, 1)
    assert read(tmp_path)["status"] == "running" and read(tmp_path)["data"] is None


def test_the_recorded_configuration_is_whole_and_resolved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MMF_SAVE_DIR", raising=False)
    typed = {
        "config": "projects/cmsbert/demo.yaml",
        "model_config.cmsbert.losses[1].params.weight": "0.3",
    }
    config = complete(typed).resolved()
    assert config["model_config"]["cmsbert"]["losses"][1]["params"]["weight"] == 0.3
    assert config["scheduler"]["params"]["num_training_steps"] == 600
    assert "${" not in json.dumps(config)


def test_a_finished_run_stays_finished(tmp_path):
    record = RunRecord(tmp_path, ["mmf_run"], CONFIG, 1)
    record.end((1, 0.5))
    record.fail(KeyboardInterrupt(), 3)  # while it exports its model or writes its report
    assert read(tmp_path)["status"] == "finished" and read(tmp_path)["error"] is None
