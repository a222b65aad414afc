"""Lightning's trainer gives the same results as MMF's trainer."""

import json

import pytest
import torch

from mmf_cmsbert.errors import ConfigError

LIGHTNING = "training.trainer=lightning_cmsbert"
THREE = {"toy_a": (10, 5, 6), "toy_b": (23, 9, 5), "toy_c": (6, 4, 3)}
TIMES = ("ups", "time", "time_since_start", "eta", "val_time")

_whole = []


@pytest.fixture
def whole(toy, tmp_path_factory):
    """The run of MMF's trainer with the toy's options, computed once."""
    if not _whole:
        _whole.append(toy.run(tmp_path_factory.mktemp("whole")))
    return _whole[0]


def assert_same(run, expected):
    # a run that is resumed at its end does not validate again
    assert run.metrics and all(expected.metrics[name] == run.metrics[name] for name in run.metrics)
    assert any(name.startswith("test") for name in run.metrics)
    assert run.weights.keys() == expected.weights.keys()
    for key, value in expected.weights.items():
        assert torch.equal(run.weights[key], value), key


def logged(run):
    progress = run.trainer.writer.progress
    return [{k: v for k, v in line.items() if k not in TIMES} for line in progress]


def test_a_run_is_that_of_mmfs_trainer(toy, tmp_path, whole):
    run = toy.run(tmp_path, LIGHTNING)
    assert_same(run, whole)
    assert logged(run) == logged(whole)
    for name in ("best.ckpt", "current.ckpt", "models/model_8.ckpt", "toy_model_final.pth"):
        ours, theirs = (
            torch.load(each.folder / "save" / name, weights_only=True) for each in (run, whole)
        )
        assert ours.keys() == theirs.keys()


@pytest.mark.parametrize(
    ("options", "setting"),
    [
        (
            [
                "training.max_epochs=2",
                "training.lr_scheduler=False",
                "training.clip_gradients=True",
                "training.max_grad_l2_norm=0.1",
            ],
            {},
        ),
        ([], {"dataset": "toy_a,toy_b,toy_c", "sizes": THREE}),
        (
            [
                "training.early_stop.enabled=True",
                "training.early_stop.patience=3",
                "training.early_stop.minimize=False",
                "training.evaluation_interval=2",
            ],
            {},
        ),
    ],
    ids=["epochs", "several datasets", "early stopping"],
)
def test_so_it_is_with_other_options(toy, tmp_path, options, setting):
    expected = toy.run(tmp_path / "mmf", *options, **setting)
    run = toy.run(tmp_path / "lightning", LIGHTNING, *options, **setting)
    assert_same(run, expected)
    assert run.trainer.num_updates == expected.trainer.num_updates


def test_a_run_without_training(toy, tmp_path):
    run = toy.run(tmp_path, LIGHTNING, "run_type=val_test")
    assert {split for split, seen in run.trainer.model.seen.items() if seen} == {"val", "test"}
    assert {name.split("/")[0] for name in run.metrics} == {"val", "test"}


def test_predictions_are_those_of_mmfs_trainer(toy, tmp_path, whole):
    written = []
    for trainer in ("base_trainer", "lightning_cmsbert"):
        reports = tmp_path / trainer
        options = [f"training.trainer={trainer}", f"env.report_dir={reports}"]
        options += ["evaluation.predict=True", "run_type=predict"]
        toy.run(tmp_path, *options, f"checkpoint.resume_file={whole.folder}/save/best.ckpt")
        (file,) = reports.glob("*.json")
        written.append(json.loads(file.read_text()))
    assert written[0] == written[1] and len(written[0]) == 7


# Batches of 4, 6 per epoch; snapshots at updates 4, 8, 12; evaluations at 6, 12 and 14, the end.
@pytest.mark.parametrize(
    ("interrupted", "interrupt", "resumed"),
    [
        ([LIGHTNING], ("train", 6), [LIGHTNING]),  # within an epoch, between two checkpoints
        ([LIGHTNING], ("train", 7), []),  # at the beginning of an epoch
        ([], ("train", 11), [LIGHTNING]),
        ([LIGHTNING], ("val", 4), [LIGHTNING]),  # in a validation after a snapshot
    ],
)
def test_interrupted_anywhere_a_run_is_taken_up_by_either_trainer(
    toy, tmp_path, whole, interrupted, interrupt, resumed
):
    toy.run(tmp_path, *interrupted, interrupt=interrupt)
    assert_same(toy.run(tmp_path, "checkpoint.resume=True", *resumed), whole)


@pytest.mark.parametrize("written", [0, 1])
def test_interrupted_while_a_checkpoint_is_written(toy, tmp_path, whole, monkeypatch, written):
    import os

    replace, calls = os.replace, []

    def interrupted(*args, **kwargs):
        calls.append(args)
        if len(calls) == 3 + written:  # of update 6: a snapshot, best.ckpt, current.ckpt
            raise KeyboardInterrupt
        replace(*args, **kwargs)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        toy.trainer(tmp_path, LIGHTNING).train()
    monkeypatch.setattr(os, "replace", replace)
    assert_same(toy.run(tmp_path, "checkpoint.resume=True", LIGHTNING), whole)


def test_an_interrupted_run_raises_what_interrupted_it_and_can_be_interrupted_again(toy, tmp_path):
    import signal

    before = signal.getsignal(signal.SIGINT)
    trainer = toy.trainer(tmp_path, LIGHTNING)
    trainer.model.interrupt = ("train", 2)
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert signal.getsignal(signal.SIGINT) is before


def test_epochs_are_taken_up_in_the_middle(toy, tmp_path):
    options = [LIGHTNING, "training.max_epochs=2"]
    expected = toy.run(tmp_path / "whole", *options)
    toy.run(tmp_path / "broken", *options, interrupt=("train", 10))
    resumed = toy.run(tmp_path / "broken", *options, "checkpoint.resume=True")
    assert_same(resumed, expected)
    assert resumed.trainer.current_epoch == expected.trainer.current_epoch == 2


def test_mixed_precision_trains_in_16_bits_and_evaluates_in_32(toy, tmp_path, monkeypatch):
    forward, seen = toy.ToyModel.forward, set()

    def watched(self, sample_list):
        output = forward(self, sample_list)
        seen.add((sample_list.dataset_type, output["scores"].dtype))
        return output

    monkeypatch.setattr(toy.ToyModel, "forward", watched)
    run = toy.run(tmp_path, LIGHTNING, "training.lightning.precision=bf16")
    assert seen == {
        ("train", torch.bfloat16), ("val", torch.float32), ("test", torch.float32)
    }  # fmt: skip
    assert {value.dtype for value in run.weights.values()} == {torch.float32}


def test_float32_products_of_training_are_what_the_precision_says(toy, tmp_path, monkeypatch):
    forward, seen = toy.ToyModel.forward, set()

    def watched(self, sample_list):
        seen.add((sample_list.dataset_type, torch.get_float32_matmul_precision()))
        return forward(self, sample_list)

    monkeypatch.setattr(toy.ToyModel, "forward", watched)
    for condition in ("_onednn_is_better", "_is_large"):
        monkeypatch.setattr(f"mmf_cmsbert.modules.precision.{condition}", lambda *_: True)
    toy.run(tmp_path, LIGHTNING)
    assert seen == {("train", "medium"), ("val", "medium"), ("test", "medium")}


@pytest.fixture
def half_precision(monkeypatch):
    """fp16 with a scale that grows every third update, which Lightning only supports on GPUs."""
    from pytorch_lightning.plugins.precision import MixedPrecision

    from mmf_cmsbert.modules import precision
    from mmf_cmsbert.trainers import lightning_processes

    trainer = lightning_processes.Trainer

    def make(**kwargs):
        if kwargs["precision"] != "16-mixed":
            return trainer(**kwargs)
        del kwargs["precision"]
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=3)
        return trainer(plugins=[MixedPrecision("16-mixed", "cpu", scaler)], **kwargs)

    monkeypatch.setattr(lightning_processes, "Trainer", make)
    monkeypatch.setattr(precision, "_GPU_ONLY", ())


def test_a_resumed_run_in_fp16_goes_on_with_its_scale(toy, tmp_path, half_precision):
    fp16 = [LIGHTNING, "training.lightning.precision=16"]
    expected = toy.run(tmp_path / "whole", *fp16)
    toy.run(tmp_path / "broken", *fp16, interrupt=("train", 10))
    resumed = toy.run(tmp_path / "broken", *fp16, "checkpoint.resume=True")
    assert_same(resumed, expected)
    assert expected.trainer.num_updates == 14
    scales = [run.trainer.scaler.state_dict() for run in (resumed, expected)]
    # the scale of the best checkpoint, whose weights are scored at the end
    assert scales[0] == scales[1] and scales[1]["scale"] > 4
    kept = torch.load(tmp_path / "broken" / "save" / "current.ckpt", weights_only=True)
    assert kept["fp16_scaler"]["scale"] == 4 * 2 ** (14 // 3)


def test_a_run_without_fp16_can_go_on_with_it(toy, tmp_path, half_precision):
    toy.run(tmp_path, LIGHTNING, interrupt=("train", 10))
    fp16 = [LIGHTNING, "training.lightning.precision=16"]
    resumed = toy.run(tmp_path, *fp16, "checkpoint.resume=True")
    assert resumed.trainer.num_updates == 14
    assert resumed.trainer.scaler.get_scale() >= 4


@pytest.mark.parametrize("fused", [True, False])
def test_gradients_of_fp16_are_clipped_without_their_scale(toy, tmp_path, fused):
    from pytorch_lightning.plugins import MixedPrecision

    options = [LIGHTNING, "optimizer.type=SGD", "optimizer.params.lr=1.0"]
    options += ["training.clip_gradients=True", "training.max_grad_l2_norm=0.1"]
    expected = toy.run(tmp_path / "fp32", *options)
    trainer = toy.trainer(tmp_path / "fp16", *options)
    trainer.optimizer.param_groups[0]["fused"] = fused
    trainer.optimizer._step_supports_amp_scaling = fused
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
    # Set here, because Lightning would use bfloat16 on a CPU.
    trainer.lightning.strategy.precision_plugin = MixedPrecision("16-mixed", "cpu", scaler)
    start = trainer.model.layers[0].weight.clone()
    trainer.train()
    assert (trainer.model.layers[0].weight - start).abs().max() > 0.05
    for name, value in expected.weights.items():
        torch.testing.assert_close(trainer.model.state_dict()[name], value, rtol=0, atol=0.02)


def test_without_lightning_it_says_what_to_install(toy, tmp_path, monkeypatch):
    from mmf_cmsbert.trainers import lightning_trainer

    monkeypatch.setattr(lightning_trainer, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install 'pytorch-lightning"):
        toy.trainer(tmp_path, LIGHTNING)


@pytest.mark.main("rc10 has no such key")
def test_the_key_of_mmfs_own_trainer_is_not_passed_over(toy, tmp_path):
    with pytest.raises(ConfigError, match="training.fp16 .*training.precision=fp16"):
        toy.trainer(tmp_path, LIGHTNING, "training.fp16=True")


def test_the_record_of_a_run_is_that_of_mmfs_trainer(toy, tmp_path):
    from omegaconf import OmegaConf

    from mmf_cmsbert.records.run_record import recorded

    kept = {}
    for option in ("training.trainer=base_trainer", LIGHTNING):
        trainer = toy.trainer(tmp_path / option[17:], option)
        config = OmegaConf.to_container(trainer.config, resolve=True)
        with recorded(["mmf_run"], config):
            trainer.train()
        record = json.loads((tmp_path / option[17:] / "save" / "run.json").read_text())
        kept[option] = {key: record[key] for key in ("status", "best", "updates", "test")}
    assert kept[LIGHTNING] == kept["training.trainer=base_trainer"]
    assert kept[LIGHTNING]["status"] == "finished" and kept[LIGHTNING]["updates"] == 14
