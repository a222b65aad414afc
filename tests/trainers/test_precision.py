"""The precisions of training and of evaluation have separate keys."""

import json
from functools import partial

import pytest
import torch

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules import precision

BF16, FP32 = torch.bfloat16, torch.float32


@pytest.fixture
def seen(toy, monkeypatch):
    """Record split, type of scores, float32 precision and inference mode of each forward pass."""
    forward, found = toy.ToyModel.forward, set()

    def watched(self, sample_list):
        output = forward(self, sample_list)
        state = torch.get_float32_matmul_precision(), torch.is_inference_mode_enabled()
        found.add((sample_list.dataset_type, output["scores"].dtype, *state))
        return output

    monkeypatch.setattr(toy.ToyModel, "forward", watched)
    # The library for products depends on the processor.
    monkeypatch.setattr(precision, "_onednn_is_better", lambda: False)
    return found


@pytest.mark.parametrize(
    ("options", "train", "evaluation"),
    [
        ([], FP32, FP32),
        (["training.precision=bf16"], BF16, FP32),
        (["training.precision=bf16", "evaluation.precision=bf16"], BF16, BF16),
        (["evaluation.precision=bf16"], FP32, BF16),
    ],
)
def test_training_and_evaluation_have_each_their_own(
    toy, tmp_path, seen, options, train, evaluation
):
    run = toy.run(tmp_path, *options)
    assert seen == {
        ("train", train, "highest", False),
        ("val", evaluation, "highest", True),
        ("test", evaluation, "highest", True),
    }
    assert {value.dtype for value in run.weights.values()} == {FP32}


def test_predictions_are_computed_as_evaluations_are(toy, tmp_path, seen):
    made = toy.run(tmp_path, "training.precision=bf16")
    seen.clear()
    options = ["run_type=predict", "evaluation.predict=True", f"env.report_dir={tmp_path}/out"]
    best = f"checkpoint.resume_file={made.folder}/save/best.ckpt"
    toy.run(tmp_path, *options, best, "training.precision=bf16")
    assert seen == {("test", FP32, "highest", True)}
    (file,) = (tmp_path / "out").glob("*.json")
    assert len(json.loads(file.read_text())) == 7


def test_tf32_is_switched_on_for_the_training_alone(toy, tmp_path, seen, monkeypatch):
    monkeypatch.setattr(precision, "_GPU_ONLY", ())  # a CPU accepts the setting without effect
    toy.run(tmp_path, "training.precision=tf32")
    assert seen == {
        ("train", FP32, "high", False),
        ("val", FP32, "highest", True),
        ("test", FP32, "highest", True),
    }
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.parametrize("clip", [True, False])
def test_the_loss_of_fp16_is_scaled_and_the_updates_are_not(toy, tmp_path, monkeypatch, clip):
    monkeypatch.setattr(precision, "_GPU_ONLY", ())
    clipped = ["training.clip_gradients=True", "training.max_grad_l2_norm=0.1"] if clip else []
    # torch's initial scale is too large for the toy's loss; the first updates would be skipped.
    monkeypatch.setattr(torch.amp, "GradScaler", partial(torch.amp.GradScaler, init_scale=64.0))
    run = toy.run(tmp_path / "fp16", "training.precision=fp16", *clipped)
    assert run.trainer.scaler.get_scale() == 64.0
    expected = toy.run(tmp_path / "fp32", *clipped)
    for name, value in expected.weights.items():
        torch.testing.assert_close(run.weights[name], value, rtol=0, atol=0.02)
    kept = torch.load(tmp_path / "fp16" / "save" / "current.ckpt", weights_only=True)
    assert kept["fp16_scaler"]["scale"] == 64.0


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("training.precision=16", "training.precision is 16; expected fp32, tf32, bf16, fp16"),
        ("training.precision=fp16", "training.precision is fp16, which needs a GPU"),
        ("evaluation.precision=tf32", "evaluation.precision is tf32, which needs a GPU"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_loaded(toy, tmp_path, option, message):
    with pytest.raises(ConfigError, match=message):
        toy.trainer(tmp_path, option)


@pytest.mark.main("rc10 has no training.fp16")
def test_mains_own_key_must_not_contradict(toy, tmp_path):
    with pytest.raises(ConfigError, match="training.precision is bf16 and training.fp16 is true"):
        toy.trainer(tmp_path, "training.fp16=True", "training.precision=bf16")


def test_a_trainer_that_loads_by_other_means_computes_in_fp32(toy, tmp_path, seen):
    trainer = toy.trainer(tmp_path)
    del trainer.precision, trainer.evaluation_precision
    trainer.evaluate(trainer.val_loader)
    assert seen == {("val", FP32, "highest", True)}
