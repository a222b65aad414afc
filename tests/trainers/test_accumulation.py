"""Updates of several batches are the same as with one large batch."""

import pytest
import torch
from omegaconf import OmegaConf

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.trainers.accumulation import batches_per_update, groups

TRAINERS = ["base_trainer", "lightning_cmsbert"]
# 22 samples: in each epoch updates of 8, 8 and the remaining 6.
SIZES = {"sizes": {"toy_a": (22, 9, 7)}}
LARGE = ["training.batch_size=8"]
SMALL = ["training.batch_size=4"]
LENGTH = [
    "training.max_updates=9",
    "training.evaluation_interval=3",
    "training.checkpoint_interval=4",
    "training.log_interval=1",
    "training.evaluate_metrics=True",
    "training.clip_gradients=True",
    "training.max_grad_l2_norm=0.5",
]


@pytest.fixture
def still(toy, monkeypatch):
    """The toy without dropout and without noise in its samples."""
    build = toy.ToyModel.build

    def without_dropout(self):
        build(self)
        self.layers[2].p = 0.0

    monkeypatch.setattr(toy.ToyModel, "build", without_dropout)
    sample = toy.ToyDataset.__getitem__

    def without_noise(self, index):
        return sample(self, index) | {"x": self.x[index]}

    monkeypatch.setattr(toy.ToyDataset, "__getitem__", without_noise)
    return toy


def with_trainer(name):
    frequency = ["training.update_frequency=2"]
    if name == "lightning":
        name, frequency = "lightning_cmsbert", ["training.lightning.accumulate_grad_batches=2"]
    return [f"training.trainer={name}", *frequency]


def logged(run, *names):
    lines = [line for line in run.trainer.writer.progress if "lr" in line]
    return [{name: line[name] for name in names} for line in lines]


@pytest.mark.parametrize("trainer", [*TRAINERS, "lightning"])
def test_updates_are_those_of_one_large_batch(still, tmp_path, trainer):
    large = still.run(tmp_path / "large", *LENGTH, *LARGE, "training.trainer=base_trainer", **SIZES)
    small = still.run(tmp_path / "small", *LENGTH, *SMALL, *with_trainer(trainer), **SIZES)
    assert small.trainer.num_updates == large.trainer.num_updates == 9
    assert small.trainer.model.seen["train"] == 18 and large.trainer.model.seen["train"] == 9
    for key, value in large.weights.items():
        torch.testing.assert_close(small.weights[key], value, rtol=0, atol=1e-5)
    # Schedule, log, evaluations and checkpoints count updates.
    counted = ("lr", "num_updates", "epoch", "max_updates")
    assert logged(small, *counted) == logged(large, *counted)
    snapshots = [sorted((run.folder / "save/models").iterdir()) for run in (small, large)]
    assert [[each.name for each in names] for names in snapshots][0] == [
        each.name for each in snapshots[1]
    ]
    for ours, theirs in zip(
        small.trainer.writer.progress, large.trainer.writer.progress, strict=True
    ):
        for name in ours:
            if name.endswith("total_loss"):
                assert float(ours[name]) == pytest.approx(float(theirs[name]), abs=2e-4)


@pytest.mark.parametrize("trainer", TRAINERS)
# Batches within an update, and after the last of an epoch.
@pytest.mark.parametrize(("at", "updates"), [(7, 6), pytest.param(12, 9, marks=pytest.mark.slow)])
def test_a_run_interrupted_anywhere_ends_as_if_it_had_not_been(toy, tmp_path, trainer, at, updates):
    options = [*LENGTH, f"training.max_updates={updates}", *SMALL, *with_trainer(trainer)]
    whole = toy.run(tmp_path / "whole", *options, **SIZES)
    toy.run(tmp_path / "broken", *options, interrupt=("train", at), **SIZES)
    resumed = toy.run(tmp_path / "broken", *options, "checkpoint.resume=True", **SIZES)
    for key, value in whole.weights.items():
        assert torch.equal(resumed.weights[key], value), key


@pytest.mark.parametrize("trainer", TRAINERS)
def test_epochs_give_as_many_updates_as_there_are_groups(toy, tmp_path, trainer):
    run = toy.run(tmp_path, *SMALL, *with_trainer(trainer), "training.max_epochs=2", **SIZES)
    assert run.trainer.num_updates == run.trainer.max_updates == 6
    assert run.trainer.model.seen["train"] == 12


def test_groups_hold_every_batch_once():
    assert list(groups(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(groups(range(2), 1)) == [[0], [1]] and list(groups([], 2)) == []


@pytest.mark.parametrize(
    "frequency, accumulated, by_lightning, expected",
    [(1, 1, True, 1), (3, 1, True, 3), (1, 3, True, 3), (3, 3, True, 3), (3, 1, False, 3)],
)
def test_either_key_sets_the_batches_of_an_update(frequency, accumulated, by_lightning, expected):
    training = section(frequency, accumulated)
    assert batches_per_update(training, by_lightning) == expected


@pytest.mark.parametrize(
    "frequency, accumulated, by_lightning, message",
    [
        (2, 3, True, "set one of them"),
        (1, 3, False, "type training.update_frequency=3"),
        (0, 1, True, "training.update_frequency is 0"),
        (2.5, 1, False, "at least 1"),
        (1, -1, True, "accumulate_grad_batches is -1"),
    ],
)
def test_contradictions_are_one_message(frequency, accumulated, by_lightning, message):
    with pytest.raises(ConfigError, match=message):
        batches_per_update(section(frequency, accumulated), by_lightning)


def section(frequency, accumulated):
    lightning = {"accumulate_grad_batches": accumulated}
    content = {"trainer": "t", "update_frequency": frequency, "lightning": lightning}
    return OmegaConf.create(content)
