"""What trackers get of a run, under every trainer, and that a run does not depend on them."""

import pytest
import torch

from mmf_cmsbert.errors import ConfigError

pytest.importorskip("mmf")

from mmf_cmsbert.trainers import tracking  # noqa: E402

TRAINERS = ["base_trainer", "lightning_cmsbert"]
OPTIONS = ["training.log_interval=5", "training.clip_gradients=true"]


class Recorder:
    """A tracker that keeps what it gets."""

    view = "somewhere"

    def __init__(self):
        self.values, self.closed = [], None

    def log(self, values, update):
        self.values.append((update, dict(values)))

    def close(self, finished):
        self.closed = finished

    def of(self, tag):
        return {update: values[tag] for update, values in self.values if tag in values}


@pytest.fixture
def recorder(monkeypatch):
    made = Recorder()
    monkeypatch.setattr(tracking, "open_all", lambda names, run: [made])
    monkeypatch.setattr(tracking, "check", lambda names: None)
    return made


# The toy makes 14 updates, saves at 4, 8 and 12, and validates at 6, 12 and 14.
@pytest.mark.parametrize("trainer", TRAINERS)
def test_losses_rates_norms_and_metrics_reach_a_tracker(toy, tmp_path, recorder, trainer):
    options = [*OPTIONS, f"training.trainer={trainer}", "training.max_grad_l2_norm=1.0"]
    made = toy.run(tmp_path, *options, "training.trackers=['wandb']")
    assert list(recorder.of("train/toy_a/square")) == [4, 5, 6, 8, 10, 12, 14]
    assert recorder.of("train/total_loss") == recorder.of("train/toy_a/square")
    assert recorder.of("train/learning_rate")[5] > recorder.of("train/learning_rate")[14] > 0
    assert all(value > 0 for value in recorder.of("train/grad_norm").values())
    errors = recorder.of("val/toy_a/toy_error")
    assert list(errors) == [6, 12, 14]
    assert errors[14] == pytest.approx(float(made.metrics["val/toy_a/toy_error"]), abs=1e-4)
    (test,) = recorder.of("test/toy_a/toy_error").values()
    assert test == pytest.approx(float(made.metrics["test/toy_a/toy_error"]), abs=1e-4)
    assert recorder.closed is True


@pytest.mark.parametrize("trainer", TRAINERS)
def test_diagnostics_are_asked_for_in_logged_updates_only(
    toy, tmp_path, recorder, monkeypatch, trainer
):
    asked = []

    def diagnostics(self, report):
        asked.append(report.dataset_type)
        return {"temperature": 0.07}

    monkeypatch.setattr(toy.ToyModel, "diagnostics", diagnostics, raising=False)
    options = [*OPTIONS, f"training.trainer={trainer}"]
    toy.run(tmp_path / "tracked", *options, "training.trackers=['mlflow']")
    assert recorder.of("model/temperature") == {5: 0.07, 10: 0.07} and asked == ["train"] * 2
    toy.run(tmp_path / "not", *options)
    assert len(asked) == 2


def test_a_run_has_the_same_numbers_with_trackers(toy, tmp_path):
    pytest.importorskip("tensorboard")
    without = toy.run(tmp_path / "without", *OPTIONS)
    tracked = toy.run(tmp_path / "with", *OPTIONS, "training.trackers=['tensorboard']")
    assert tracked.metrics == without.metrics
    assert all(torch.equal(tracked.weights[name], each) for name, each in without.weights.items())


@pytest.mark.parametrize("trainer", TRAINERS)
@pytest.mark.parametrize(
    "option", ["training.trackers=['tensorboard']", "training.tensorboard=true"]
)
def test_an_event_file_has_the_values_at_their_updates(toy, tmp_path, trainer, option):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    made = toy.run(tmp_path, *OPTIONS, f"training.trainer={trainer}", option)
    (file,) = tmp_path.rglob("events.out.tfevents.*")
    events = accumulator.EventAccumulator(str(file))
    events.Reload()
    assert set(events.Tags()["scalars"]) >= {
        "train/toy_a/square",
        "train/total_loss",
        "train/learning_rate",
        "val/toy_a/toy_error",
        "test/toy_a/toy_error",
    }
    found = {event.step: event.value for event in events.Scalars("val/toy_a/toy_error")}
    assert list(found) == [6, 12, 14]
    assert found[14] == pytest.approx(float(made.metrics["val/toy_a/toy_error"]), abs=1e-4)


def test_a_tracker_that_fails_does_not_end_the_run(toy, tmp_path, recorder, monkeypatch):
    def fail(values, update):
        raise OSError("no network")

    monkeypatch.setattr(recorder, "log", fail)
    made = toy.run(tmp_path, "training.trackers=['wandb']")
    assert "test/toy_a/toy_error" in made.metrics
    assert any("wandb has not recorded update 6: no network" in line for line in made.lines)


def test_an_interrupted_run_is_closed_as_not_finished(toy, tmp_path, recorder):
    toy.run(tmp_path, "training.trackers=['wandb']", interrupt=("train", 7))
    assert recorder.closed is False


def test_a_missing_package_is_reported_before_data_is_read(toy, tmp_path, monkeypatch):
    monkeypatch.setattr("mmf_cmsbert.trackers.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install wandb"):
        toy.trainer(tmp_path, "training.wandb.enabled=true")


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({}, ()),
        ({"trackers": ["wandb", "mlflow"], "wandb": {"enabled": True}}, ("wandb", "mlflow")),
        ({"tensorboard": True, "trackers": None}, ("tensorboard",)),
        ({"tensorboard": True, "trackers": ["tensorboard"]}, ("tensorboard",)),
    ],
)
def test_each_tracker_is_named_once_by_any_key(training, expected):
    assert tracking.names(training) == expected
