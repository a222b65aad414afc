"""The recipe that fine-tunes a trained model on another corpus."""

import json
import re

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mmf_cmsbert.records import record

DEFINITION = """\
dataset_config:
  talks:
    source: talks
    features: {visual: 3}
    targets: {mood: {kind: classes, names: [low, high]}}
"""
DEMO = [
    "model_config.cmsbert.backbone.name=projects/cmsbert/demo",
    "model_config.cmsbert.backbone.from_config=projects/cmsbert/demo",
    "training.report=false",
]


@pytest.fixture
def talks(tmp_path):
    """A model of another corpus, with classes and visual frames of another width."""
    rng = np.random.default_rng(0)
    (tmp_path / "talks" / "visual").mkdir(parents=True)
    rows = []
    for i in range(24):
        split = ("train", "train", "val", "test")[i % 4]
        label = ("low", "high")[i // 2 % 2]
        rows.append({"id": f"c{i}", "text": "good film", "label": label, "split": split})
        frames = rng.normal(size=(4, 3)).astype(np.float32)
        np.save(tmp_path / "talks" / "visual" / f"c{i}.npy", frames)
    (tmp_path / "talks" / "segments.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "talks.yaml").write_text(DEFINITION)
    return tmp_path


@pytest.mark.slow
def test_the_backbone_is_loaded_and_heads_and_widths_start_anew(typed_commands, talks):
    own = ["config=projects/cmsbert/own.yaml", "dataset=talks", "training.max_epochs=1"]
    ran = typed_commands.run("mmf_run", [*own, *DEMO, "env.save_dir=first"], talks)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    again = [
        "config=projects/cmsbert/transfer.yaml", "checkpoint.resume_file=first/model",
        "env.data_dir=data",
        "dataset_config.mosi.synthetic={seed: 1, train: 12, val: 12, test: 12}",
        "optimizer.params.lr=0", "training.max_updates=1", "training.evaluation_interval=1",
    ]  # fmt: skip
    ran = typed_commands.run("mmf_run", [*again, *DEMO, "env.save_dir=second"], talks)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (said,) = re.findall(r"Copying .*", (talks / "second" / "train.log").read_text())
    loaded, anew = said.split("Start anew: ")
    assert "network.backbone" in loaded and "network.head" in anew
    assert "mosi/sentiment_mae" in record.read(talks / "second")["test"]
    first, second = (
        load_file(talks / name / "model" / "model.safetensors") for name in ("first", "second")
    )
    shared = [name for name in first if "backbone." in name and name in second]
    assert len(shared) > 20 and all(torch.equal(first[name], second[name]) for name in shared)
    (head,) = [name for name in second if name == "head.weight"]
    assert first[head].shape[0] == 2 and second[head].shape[0] == 1
