"""Several processes (gloo, CPU) do together what one does."""

import random
import sys
from pathlib import Path

import pytest
import torch

from mmf_cmsbert.errors import ConfigError

sys.path.insert(0, str(Path(__file__).parents[1]))
from several_processes import together  # noqa: E402

LIGHTNING = "training.trainer=lightning_cmsbert"
THREE = {"toy_a": (10, 5, 6), "toy_b": (23, 9, 5), "toy_c": (6, 4, 3)}


@pytest.fixture
def exact(toy, monkeypatch):
    """A model and data without random numbers."""
    build = toy.ToyModel.build

    def without_dropout(self):
        build(self)
        self.layers[2].p = 0.0

    monkeypatch.setattr(toy.ToyModel, "build", without_dropout)
    monkeypatch.setattr(
        toy.ToyDataset,
        "__getitem__",
        lambda self, i: toy.Sample({"x": self.x[i], "targets": self.y[i], "id": torch.tensor(i)}),
    )


def run_together(toy, folder, *options, count=2, **setting):
    """Metrics, weights and number of updates of a run that several processes made."""
    folder.mkdir(exist_ok=True)

    def job(rank):
        random.seed(rank)
        options_ = [LIGHTNING, f"training.lightning.devices={count}", *options]
        run = toy.run(folder, *options_, **setting)
        weights = {k: v.tolist() for k, v in run.weights.items()}
        return run.metrics, weights, run.trainer.num_updates

    return together(job, count)


def assert_close(run, expected):
    metrics, weights, _ = run
    assert metrics.keys() == expected.metrics.keys()
    for name, value in expected.metrics.items():
        assert float(metrics[name]) == pytest.approx(float(value), abs=1.01e-4), name
    for name, value in expected.weights.items():
        torch.testing.assert_close(torch.tensor(weights[name]), value, rtol=0, atol=1e-5)


def test_they_train_as_one_process_does(toy, tmp_path, exact):
    # Batches of 4, 4 and 1: the last has fewer samples than there are processes.
    options = ["training.clip_gradients=True", "training.max_grad_l2_norm=1"]
    setting = {"sizes": {"toy_a": (9, 9, 7)}}
    expected = toy.run(tmp_path / "one", *options, **setting)
    run, other = run_together(toy, tmp_path / "several", *options, **setting)
    assert_close(run, expected)
    assert other[1] == run[1]


def test_several_datasets_are_scored_as_by_one_process(toy, tmp_path):
    setting = {"dataset": "toy_a,toy_b,toy_c", "sizes": THREE}
    run, other = run_together(toy, tmp_path, "run_type=train_val_test", **setting)
    assert other[1] == run[1]
    options = ["run_type=val_test", f"checkpoint.resume_file={tmp_path}/save/best.ckpt"]
    assert_close(run, toy.run(tmp_path, *options, **setting))


def test_patience_and_the_best_checkpoint_are_those_of_one_process(toy, tmp_path, exact):
    options = ["training.early_stop.enabled=True", "training.early_stop.patience=3"]
    options += ["training.early_stop.minimize=False", "training.evaluation_interval=2"]
    expected = toy.run(tmp_path / "one", *options)
    run, other = run_together(toy, tmp_path / "several", *options)
    assert_close(run, expected)
    assert run[2] == expected.trainer.num_updates < 14
    assert other[1] == run[1]


def test_predictions_are_those_of_one_process(toy, tmp_path):
    toy.run(tmp_path, "training.max_updates=2")
    options = ["run_type=predict", "evaluation.predict=True"]
    options += [
        "evaluation.predict_file_format=csv",
        f"checkpoint.resume_file={tmp_path}/save/best.ckpt",
    ]
    setting = {"dataset": "toy_a,toy_b", "sizes": THREE}
    toy.run(tmp_path, *options, f"env.report_dir={tmp_path}/one", **setting)
    run_together(toy, tmp_path, *options, f"env.report_dir={tmp_path}/several", **setting)
    for name in ("toy_a", "toy_b"):
        (one,), (several,) = (
            list((tmp_path / folder).glob(f"{name}*.csv")) for folder in ("one", "several")
        )
        assert several.read_text() == one.read_text()


def test_interrupted_and_resumed_they_end_as_if_they_had_not_been(toy, tmp_path):
    # With random numbers, of which each process has its own.
    (whole, other) = run_together(toy, tmp_path / "whole")
    assert other[1] == whole[1]
    run_together(toy, tmp_path / "broken", interrupt=("train", 11))
    resumed, _ = run_together(toy, tmp_path / "broken", "checkpoint.resume=True")
    assert resumed[1] == whole[1]
    assert all(whole[0][name] == value for name, value in resumed[0].items())


def test_parameters_without_a_part_in_the_loss_are_named_with_what_to_type(
    toy, tmp_path, monkeypatch
):
    build = toy.ToyModel.build

    def with_more(self):
        build(self)
        self.more = torch.nn.Linear(2, 2)

    def job(rank):
        with pytest.raises(ConfigError, match="training.find_unused_parameters=true"):
            toy.run(tmp_path / "refused", LIGHTNING, "training.lightning.devices=2")

    monkeypatch.setattr(toy.ToyModel, "build", with_more)
    together(job)
    run_together(toy, tmp_path, "training.find_unused_parameters=True", "training.max_updates=3")
