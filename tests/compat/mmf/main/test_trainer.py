"""Main's trainer `mmf` is corrected like rc10's; differences from `base_trainer`."""

import pytest
import torch

pytestmark = pytest.mark.main("rc10 has one trainer, which is main's `base_trainer`")


def rates(run):
    return [values["lr"] for values in run.trainer.writer.progress if "lr" in values]


@pytest.mark.parametrize(
    ("trainer", "expected"),
    [
        ("mmf", ["0.005", "0.01", "0.015", "0.02"]),
        ("base_trainer", ["0", "0.005", "0.01", "0.015"]),
    ],
)
def test_the_schedule(toy, tmp_path, trainer, expected):
    options = [f"training.trainer={trainer}", "training.log_interval=1", "training.max_updates=4"]
    # the learning rate of the next update
    assert rates(toy.run(tmp_path, *options)) == expected


def test_only_base_trainer_evaluates_after_the_last_update_unasked(toy, tmp_path):
    evaluated = {}
    for name in ("mmf", "base_trainer"):
        run = toy.run(tmp_path / name, f"training.trainer={name}")
        evaluated[name] = run.trainer.early_stopping.last_evaluated_update
    assert evaluated == {"mmf": 12, "base_trainer": 14}


@pytest.mark.parametrize("interrupt", [("train", 6), ("train", 11), ("val", 2)])
def test_main_s_trainer_resumes_exactly(toy, tmp_path, interrupt):
    option = "training.trainer=mmf"
    whole = toy.run(tmp_path / "whole", option)
    toy.run(tmp_path / "broken", option, interrupt=interrupt)
    resumed = toy.run(tmp_path / "broken", option, "checkpoint.resume=True")
    assert resumed.metrics["test/toy_a/toy_error"] == whole.metrics["test/toy_a/toy_error"]
    for key, value in whole.weights.items():
        assert torch.equal(resumed.weights[key], value), key


def test_gradients_that_are_added_up_resume_exactly(toy, tmp_path):
    # An epoch has 6 batches: an update of 5, an interruption, and an update of 1.
    options = ["training.update_frequency=5", "training.checkpoint_interval=1"]
    whole = toy.run(tmp_path / "whole", *options)
    toy.run(tmp_path / "broken", *options, interrupt=("train", 24))
    resumed = toy.run(tmp_path / "broken", *options, "checkpoint.resume=True")
    for key, value in whole.weights.items():
        assert torch.equal(resumed.weights[key], value), key


def test_a_strategy_without_an_end_resumes_exactly(toy, tmp_path):
    setting = {"dataset": "toy_a,toy_b", "sizes": {"toy_a": (5, 5, 5), "toy_b": (23, 9, 5)}}
    # toy_a restarts; main divides the loss by 0 after as many batches as all datasets have
    options = ["multitasking.type=round_robin", "training.checkpoint_interval=1"]
    options.append("training.max_updates=8")
    whole = toy.run(tmp_path / "whole", *options, **setting)
    toy.run(tmp_path / "broken", *options, interrupt=("train", 7), **setting)
    resumed = toy.run(tmp_path / "broken", *options, "checkpoint.resume=True", **setting)
    for key, value in whole.weights.items():
        assert torch.equal(resumed.weights[key], value), key


def test_a_checkpoint_with_main_s_own_schedule_keeps_it(toy, tmp_path):
    toy.run(tmp_path, interrupt=("train", 11))
    file = tmp_path / "save" / "current.ckpt"
    checkpoint = torch.load(file, weights_only=True)
    checkpoint["lr_scheduler"] = {**checkpoint["resume"]["lr_scheduler"], "last_epoch": 30}
    del checkpoint["resume"]
    torch.save(checkpoint, file)
    trainer = toy.trainer(tmp_path, "checkpoint.resume=True")
    assert trainer.lr_scheduler.last_epoch == 30


def test_each_trainer_has_a_meter_of_its_own(toy, tmp_path):
    assert toy.trainer(tmp_path).meter is not toy.trainer(tmp_path).meter
