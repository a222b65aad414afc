"""CMSBERT-CLR gives the same losses, gradients, metrics and predictions in two processes as in one.

With everything that could differ between processes: a learned temperature, smoothed targets,
averaged weights as targets, segments that lack a modality, split sizes that are not multiples of
the number of processes, and a last batch with a single segment.
"""

import argparse
import json

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from several_processes import start_as_mmf_does, together

from mmf_cmsbert.paths import PACKAGE

LIGHTNING = "training.trainer=lightning_cmsbert"
OWN = "training.trainer=base_trainer"
SIZES = {"train": 25, "val": 19, "test": 13}
# Three batches of 8 segments, and one of a single segment
LAST = "training.max_updates=4"
NO_PAIRS = "model_config.cmsbert.contrastive.pairs=[]"
TRAINED = [
    f"train/{name}"
    for name in ("total_loss", "mosi/sentiment_regression", "mosi/multimodal_contrastive")
]
WORDS = ("the", "film", "was", "good", "bad", "a", "story")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Write segments as a folder; every fifth has no face, every seventh no voice."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    rows = []
    for split, count in SIZES.items():
        for i in range(count):
            name, words = f"{split}{i}", rng.choice(WORDS, rng.integers(2, 6))
            label = float(rng.uniform(-3, 3))
            rows.append({"id": name, "text": " ".join(words), "label": label, "split": split})
            for modality, width, each in (("visual", 47, 5), ("acoustic", 74, 7)):
                (folder / modality).mkdir(exist_ok=True)
                if i % each:
                    frames = rng.normal(0, 1, (rng.integers(2, 6), width))
                    np.save(folder / modality / name, frames)
    (folder / "segments.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def run(toy, corpus, folder, *options):
    """Train a small model without dropout, and score it.

    Returns:
        The logged losses, those of the last update, its gradients, and the metrics.
    """
    from mmf.common.registry import registry
    from mmf.utils.build import build_config, build_trainer
    from mmf.utils.configuration import Configuration
    from mmf.utils.env import set_seed

    bert = OmegaConf.to_container(OmegaConf.load(PACKAGE / "projects/cmsbert/demo/config.json"))
    bert |= dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob"), 0.0)
    model = {
        "backbone.name": "projects/cmsbert/demo", "backbone.from_config": bert,
        "shift.dropout": 0.0, "frames.dropout": 0.0, "head.dropout": 0.0,
        "contrastive.ema_targets": True,
    }  # fmt: skip
    words = [
        f"config={PACKAGE}/projects/cmsbert/mosi.yaml", "model=cmsbert", "dataset=mosi",
        *(f"model_config.cmsbert.{key}={value}" for key, value in model.items()),
        *(f"dataset_config.mosi.annotations.{split}=['{corpus}']" for split in SIZES),
        "optimizer.params.lr=1e-4", f"dataset_config.mosi.data_dir={corpus.parent}",
        "training.batch_size=8", "training.evaluation_interval=2",
        "training.log_interval=1", "training.early_stop.patience=100",
        f"env.save_dir={folder}", *options,
    ]  # fmt: skip
    folder.mkdir(exist_ok=True, parents=True)
    configuration = Configuration(argparse.Namespace(config_override=None, opts=words))
    config = configuration.get_config()
    config.device_id, config.distributed.init_method = 0, None
    config.training.seed = set_seed(config.training.seed)
    config = build_config(configuration)
    writer = toy.Writer(folder)
    registry.register("writer", writer)
    trainer = build_trainer(config)
    trainer.writer = writer
    trainer.load()
    trainer.train()
    metrics, losses = {}, []
    for line in writer.progress:
        metrics.update({k: v for k, v in line.items() if k.startswith(("val/", "test/"))})
        # sorted, because the order differs with several processes
        losses += [float(v) for k, v in sorted(line.items()) if k in TRAINED]
    gradients = {
        name.removeprefix("module."): None if p.grad is None else p.grad.tolist()
        for name, p in trainer.model.named_parameters()
    }
    found = trainer.meter.meters
    last = [float(found[name].get_latest()) for name in TRAINED if name in found]
    return losses, last, gradients, metrics


_one = {}


def run_alone(toy, corpus, *options):
    """The results of one process with MMF's trainer, computed once."""
    if options not in _one:
        folder = corpus.parent / f"one {len(_one)}"
        _one[options] = *run(toy, corpus, folder, *options), folder
    return _one[options]


def run_together(toy, corpus, folder, trainer, *options):
    def job(rank):
        if trainer == OWN:
            start_as_mmf_does(rank, 2)
        return run(toy, corpus, folder, trainer, "training.lightning.devices=2", *options)

    return together(job)


def assert_same_gradients(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if value is None:
            assert found[name] is None, name
        else:
            pair = torch.tensor(found[name]), torch.tensor(value)
            torch.testing.assert_close(*pair, rtol=1e-5, atol=1e-5, msg=name)


# MMF's trainer with a smaller model: test_several_processes.py
both = pytest.mark.parametrize(
    "trainer",
    [
        pytest.param(LIGHTNING, id="lightning"),
        pytest.param(OWN, id="own", marks=pytest.mark.slow),
    ],
)


@both
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["training.max_updates=3"], id="a full batch"),
        pytest.param([LAST], id="a batch of one segment", marks=pytest.mark.slow),
        pytest.param([LAST, NO_PAIRS], id="without pairs", marks=pytest.mark.slow),
    ],
)
def test_losses_gradients_and_metrics(toy, corpus, tmp_path, trainer, options):
    losses, last, gradients, metrics, _ = run_alone(toy, corpus, *options)
    first, second = run_together(toy, corpus, tmp_path, trainer, *options)
    assert len(losses) >= 3 * 3 and first[0] == pytest.approx(losses, abs=1.01e-4)
    assert first[1] == pytest.approx(last, abs=1e-5)
    for found in (first, second):
        assert_same_gradients(found[2], gradients)
    assert first[3].keys() == metrics.keys() and len(metrics) > 16
    for name, value in metrics.items():
        assert float(first[3][name]) == pytest.approx(float(value), abs=1.01e-4), name


@both
def test_metrics_and_the_prediction_file_of_one_checkpoint_are_those_of_one_process(
    toy, corpus, tmp_path, trainer
):
    *_, trained = run_alone(toy, corpus, LAST)
    best = f"checkpoint.resume_file={trained}/best.ckpt"
    *_, metrics, _ = run_alone(toy, corpus, best, "run_type=val_test")
    first, _ = run_together(toy, corpus, tmp_path, trainer, best, "run_type=val_test")
    assert first[3].keys() == metrics.keys() and len(metrics) > 16
    for name, value in metrics.items():
        assert float(first[3][name]) == pytest.approx(float(value), abs=1.01e-4), name

    predicted = [best, "run_type=predict", "evaluation.predict=True"]
    reports = f"env.report_dir={corpus.parent}/report of one"
    run_alone(toy, corpus, *predicted, reports)
    (one,) = (corpus.parent / "report of one").glob("*.json")
    run_together(toy, corpus, tmp_path, trainer, *predicted, f"env.report_dir={tmp_path}/reports")
    (two,) = (tmp_path / "reports").glob("*.json")
    found, expected = json.loads(two.read_text()), json.loads(one.read_text())
    assert len(expected) == SIZES["test"]
    # The same rows in the same order. The last bit of MKL's products can vary.
    assert [row | {"prediction": None} for row in found] == [
        row | {"prediction": None} for row in expected
    ]
    predictions = [row["prediction"] for row in expected]
    assert [row["prediction"] for row in found] == pytest.approx(predictions, abs=1e-6)
