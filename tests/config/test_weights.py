"""The weights that a run can load."""

from pathlib import Path

import pytest

from mmf_cmsbert.config import weights
from mmf_cmsbert.errors import ConfigError

DEFAULTS = {"model_config": {"cmsbert": {"finetune_lr_multiplier": 1}}, "dataset_config": {}}


def config(multiplier, run_type="train", **reset):
    model = {} if multiplier is None else {"finetune_lr_multiplier": multiplier}
    return {
        "model": "cmsbert",
        "run_type": run_type,
        "model_config": {"cmsbert": model},
        "checkpoint": {"reset": {"all": False, "optimizer": False} | reset},
    }


def check(kept, found):
    return weights.check(found, kept, DEFAULTS, Path("run/best.ckpt"), "env.save_dir=run")


@pytest.mark.parametrize(
    ("kept", "found", "states"),
    [(1, 0, "frozen.*was trained"), (0, 0.1, "trained.*was frozen"), (None, 0.0, "frozen")],
)
def test_training_does_not_resume_across_a_frozen_and_a_trained_backbone(kept, found, states):
    key = "model_config.cmsbert.finetune_lr_multiplier"
    with pytest.raises(ConfigError, match=f"{key} is {found} .*{states}") as error:
        check(config(kept), config(found))
    assert f"Type {key}={1 if kept is None else kept} to resume" in str(error.value)
    assert "checkpoint.reset.all=true env.save_dir=FOLDER" in str(error.value)


@pytest.mark.parametrize(
    "found",
    [
        config(0.5),
        config(0, "val_test"),
        config(0, all=True),
        config(0, optimizer=True),
    ],
)
def test_another_rate_and_a_new_optimizer_and_evaluation_are_no_matter(found):
    assert check(config(1), found) == []
