"""Trainers under MMF's names have the features of this package, also subclasses by users."""

import pytest
import torch


def imported(name):
    """Return the trainer that a plugin gets when it imports MMF's class."""
    from mmf_cmsbert.compat.mmf.line import is_main

    if is_main():
        from mmf.trainers.mmf_trainer import MMFTrainer as Trainer
    else:
        from mmf.trainers.base_trainer import BaseTrainer as Trainer
    return Trainer


def registered(name):
    from mmf.common.registry import registry

    return registry.get_trainer_class(name)


@pytest.fixture
def name(mmf):
    """A name under which MMF registers a trainer."""
    from mmf_cmsbert.compat.mmf.line import is_main

    return "mmf" if is_main() else "base_trainer"


@pytest.mark.parametrize("parent", [registered, imported])
def test_a_trainer_of_the_user_has_the_features(toy, tmp_path, monkeypatch, name, parent):
    from mmf.common.registry import registry

    seen = []

    class Mine(parent(name)):
        def _forward_pass(self, batch):
            seen.append(torch.is_autocast_enabled("cpu"))
            return super()._forward_pass(batch)

    monkeypatch.setitem(registry.mapping["trainer_name_mapping"], "mine", Mine)
    options = ["training.precision=bf16", "training.max_epochs=1"]
    run = toy.run(tmp_path / "mine", "training.trainer=mine", *options)
    expected = toy.run(tmp_path / "mmf", f"training.trainer={name}", *options)
    assert type(run.trainer) is Mine and run.trainer.num_updates == 6 and len(seen) > 6
    for key, value in expected.weights.items():
        assert torch.equal(run.weights[key], value), key


def test_the_registered_class_is_the_imported_one(name):
    assert registered(name) is imported(name)


def test_mmf_s_own_class_stays_as_it_is(toy, tmp_path, monkeypatch, name):
    from mmf.common.registry import registry

    (own, *_) = [each for each in registered(name).__mro__ if each.__module__.startswith("mmf.")]
    assert all(
        value.__module__.startswith("mmf.") for value in vars(own).values() if callable(value)
    )
    monkeypatch.setitem(registry.mapping["trainer_name_mapping"], "own", own)
    trainer = toy.trainer(tmp_path, "training.trainer=own")
    trainer.train()
    assert trainer.model.seen["train"] >= 14
