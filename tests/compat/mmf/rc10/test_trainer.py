"""The training loop: number of updates, gradients, and logs."""

import pytest
import torch

from mmf_cmsbert.errors import UserError


@pytest.mark.parametrize(("option", "expected"), [([], False), (["True"], True)])
def test_anomaly_detection_only_where_asked_for(toy, tmp_path, monkeypatch, option, expected):
    seen = []
    forward = toy.ToyModel.forward

    def watched(self, sample_list):
        seen.append((sample_list.dataset_type, torch.is_anomaly_enabled()))
        return forward(self, sample_list)

    monkeypatch.setattr(toy.ToyModel, "forward", watched)
    toy.run(tmp_path, *(f"training.detect_anomaly={value}" for value in option))
    assert {state for split, state in seen if split == "train"} == {expected}
    assert not torch.is_anomaly_enabled()


def test_anomaly_detection_is_off_again_after_an_interruption(toy, tmp_path):
    toy.run(tmp_path, "training.detect_anomaly=True", interrupt=("train", 2))
    assert not torch.is_anomaly_enabled()


# An epoch has 6 batches.
@pytest.mark.parametrize(
    ("options", "updates"),
    [
        (["training.max_updates=1"], 1),
        (["training.max_updates=6"], 6),
        (["training.max_updates=8"], 8),
        (["training.max_updates=8", "training.max_epochs=2"], 12),
    ],
)
def test_number_of_updates(toy, tmp_path, options, updates):
    assert toy.run(tmp_path, *options).trainer.model.seen["train"] == updates


@pytest.mark.rc10("main divides by updates, which it knows, also where epochs are given")
def test_epochs_give_an_estimate_of_the_time_left(toy, tmp_path, monkeypatch):
    import time

    from mmf.utils.timer import Timer

    trainer = toy.trainer(tmp_path, "training.max_epochs=3", "training.evaluation_interval=1000000")
    trainer.max_epochs, trainer.max_updates, trainer.num_updates = 3, float("inf"), 6
    trainer.train_timer = Timer()
    monkeypatch.setattr(time, "time", lambda: trainer.train_timer.start / 1000 + 2)
    # 3 epochs of 6 updates, of which 6 are made: 12 updates, 3 of which took 2 seconds
    assert trainer._calculate_time_left().startswith("08s")


def test_small_learning_rates_are_legible(toy, tmp_path):
    run = toy.run(tmp_path, "optimizer.params.lr=1e-6", "training.max_updates=6")
    assert [v["lr"] for v in run.trainer.writer.progress if "lr" in v] == ["5e-07", "9.722e-07"]


def test_a_loss_that_is_nan_ends_the_run_with_a_message(toy, tmp_path):
    # main checks each update, rc10 those that it logs
    with pytest.raises(UserError, match=r"loss is nan at update [89] \(epoch 2\)"):
        toy.run(tmp_path, "training.checkpoint_interval=100", nan_at=8)


def test_an_evaluation_whose_loss_is_nan_does_not_end_the_run(toy, tmp_path, monkeypatch):
    trainer = toy.trainer(tmp_path)
    for dataset in trainer.val_loader.datasets:
        dataset.y.fill_(float("nan"))
    trainer.train()
    assert trainer.num_updates == 14


@pytest.mark.parametrize(
    ("run_type", "splits"),
    [("val", {"val"}), ("inference", {"test"}), ("val_test", {"val", "test"})],
)
def test_runs_without_training(toy, tmp_path, run_type, splits):
    run = toy.run(tmp_path, f"run_type={run_type}")
    assert {split for split, seen in run.trainer.model.seen.items() if seen} == splits
    assert set(run.metrics) == {f"{s}/{m}" for s in splits for m in METRICS}


METRICS = ("total_loss", "toy_a/square", "toy_a/toy_error")


def test_gradients_are_clipped_to_the_norm_of_the_command_line(toy, tmp_path):
    options = ["training.clip_gradients=True", "training.max_grad_l2_norm=1e-3"]
    trainer = toy.trainer(tmp_path, *options, "training.max_updates=1")
    norms = []

    def note(*_):
        grads = torch.stack([p.grad.norm() for p in trainer.model.parameters()])
        norms.append(grads.norm().item())

    trainer.optimizer.register_step_pre_hook(note)
    trainer.train()
    assert norms == [pytest.approx(1e-3, rel=1e-2)]
