"""A trainer writes the record requested by a command."""

import json

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.records.run_record import planned, recorded

CONFIG = {
    "datasets": "mosi",
    "model": "cmsbert",
    "training": {"early_stop": {"criteria": "mosi/sentiment_mae", "minimize": True}},
}


class Value:
    def __init__(self, value):
        self.global_avg = value


class Report:
    def __init__(self, split, mae):
        self.dataset_type = split
        self.metrics = {f"{split}/mosi/sentiment_mae": mae}
        self.meters = {name: Value(value) for name, value in self.metrics.items()}


class Trainer:
    """Makes three updates, validates each, and scores the best one on test."""

    run_type = "train_inference"
    values = {1: 0.7, 2: 0.5, 3: 0.6}
    error = None

    config = OmegaConf.create({"training": {"seed": 4}})

    class early_stopping:  # noqa: N801
        best_monitored_value, best_monitored_update = float("inf"), 0

    class train_loader:  # noqa: N801
        datasets = ()

    num_updates = 0

    def train(self):
        self.early_stopping = type(self).early_stopping()
        self.make_updates(False, False)
        self.num_updates = self.early_stopping.best_monitored_update or self.num_updates
        if "inference" in self.run_type:
            self.evaluate("test", 0.55)

    def make_updates(self, continues_epoch, stop):
        stop = self.early_stopping
        for update, value in self.values.items():
            self.num_updates = update
            self.evaluate("val", value)
            if value < stop.best_monitored_value:
                stop.best_monitored_value, stop.best_monitored_update = value, self.num_updates
            if self.error:
                raise self.error

    def evaluate(self, split, value):
        report = Report(split, value)
        return report, report


@pytest.fixture
def trainer(mmf, tmp_path):
    """A trainer whose run is recorded in tmp_path."""

    from mmf_cmsbert.trainers.record_keeping import KeepsRecord

    class Recorded(KeepsRecord, Trainer):
        pass

    config = CONFIG | {"env": {"save_dir": str(tmp_path)}}
    with recorded(["mmf_run", "config=a b.yaml"], config):
        yield Recorded()


def read(folder):
    return json.loads((folder / "run.json").read_text())


def test_a_record_holds_what_was_best_on_validation_and_its_test(trainer, tmp_path):
    trainer.train()
    found = read(tmp_path)
    assert (found["status"], found["seed"], found["updates"]) == ("finished", 4, 3)
    assert found["best"] == {"update": 2, "value": 0.5}
    assert found["validation"] == {"mosi/sentiment_mae": 0.5}
    assert found["test"] == {"mosi/sentiment_mae": 0.55}
    assert found["criterion"] == {"name": "mosi/sentiment_mae", "minimize": True}
    assert found["command"] == "mmf_run 'config=a b.yaml'"
    assert found["config"]["model"] == "cmsbert" and found["error"] is None
    assert set(found["versions"]) >= {
        "python",
        "torch",
        "transformers",
        "mmf",
        "numpy",
        "omegaconf",
    }
    assert len(found["code_sha256"]) == 64 and found["started"] <= found["ended"]


def test_a_run_that_does_not_look_at_test_has_no_test(trainer, tmp_path):
    trainer.run_type = "train_val"
    trainer.train()
    assert read(tmp_path)["test"] is None and read(tmp_path)["best"]["update"] == 2


def test_resumed_after_its_last_validation_it_still_made_all_updates(
    trainer, tmp_path, monkeypatch
):
    trainer.values, trainer.num_updates = {}, 3
    monkeypatch.setattr(Trainer.early_stopping, "best_monitored_update", 2)
    trainer.train()
    assert (read(tmp_path)["status"], read(tmp_path)["updates"]) == ("finished", 3)


def test_where_nothing_was_best_the_last_weights_are_scored(trainer, tmp_path):
    trainer.values = {1: float("nan"), 2: float("nan")}
    trainer.train()
    assert read(tmp_path)["best"] is None and read(tmp_path)["updates"] == 2


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ValueError("two\nlines"), "failed", "ValueError: two lines"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
    ],
)
def test_a_run_that_breaks_off_says_so(trainer, tmp_path, error, status, message):
    trainer.error = error
    with pytest.raises(type(error)):
        trainer.train()
    assert (read(tmp_path)["status"], read(tmp_path)["error"]) == (status, message)


def test_scoring_alone_leaves_the_record_of_the_training(trainer, tmp_path):
    trainer.train()
    before = read(tmp_path)
    trainer.run_type = "val_inference"
    trainer.train()
    assert read(tmp_path) == before


def test_without_a_plan_nothing_is_recorded(mmf, tmp_path, monkeypatch):
    from mmf_cmsbert.trainers.record_keeping import KeepsRecord

    class Unrecorded(KeepsRecord, Trainer):
        pass

    monkeypatch.chdir(tmp_path)
    assert planned() is None
    trainer = Unrecorded()
    trainer.train()
    assert trainer.run_record is None and not list(tmp_path.iterdir())


def test_a_plan_ends_with_its_block(tmp_path):
    with recorded(["mmf_run"], CONFIG):
        assert planned().command == ["mmf_run"]
    assert planned() is None
