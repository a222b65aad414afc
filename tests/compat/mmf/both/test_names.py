"""An unknown name is reported before anything is built, with the nearest and the known names."""

import sys

import pytest
import torch
from omegaconf import OmegaConf

from mmf_cmsbert.errors import ConfigError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["training.trainer=base_trainr"], r"trainer=base_trainr: .*Did you mean base_trainer\?"),
        (["model=toy_modle"], r"model=toy_modle: .*Did you mean toy_model\?"),
        (["dataset=toy_a,toy_d"], r"dataset=toy_d: .*Did you mean toy_.\?"),
        (["optimizer.type=AdamV"], r"optimizer=AdamV: .*Did you mean Adam"),
        (["scheduler.type=warmup_liner"], r"scheduler=warmup_liner: .*Did you mean warmup_linear"),
        (["optimizer.type=None"], r"optimizer\.type is missing"),
        (["evaluation.metrics=['acuracy']"], r"metric=acuracy: .*Did you mean accuracy\?"),
    ],
)
def test_unknown_names(toy, tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        toy.trainer(tmp_path, *options)


@pytest.mark.parametrize("losses", [["logit_bcee"], [{"type": "logit_bcee"}]])
def test_unknown_losses(mmf, losses):
    from mmf.utils import build

    with pytest.raises(ConfigError, match=r"loss=logit_bcee: .*Did you mean logit_bce\?"):
        build.build_model(OmegaConf.create({"model": "visual_bert", "losses": losses}))


def test_unknown_params_of_an_optimizer_and_a_scheduler(mmf):
    from mmf.common.registry import registry
    from mmf.utils import build

    model = torch.nn.Linear(1, 1)
    config = {"optimizer": {"type": "AdamW", "params": {"lr": 0.1, "weight_deacy": 0}}}
    with pytest.raises(ConfigError, match=r"Did you mean optimizer\.params\.weight_decay\?"):
        build.build_optimizer(model, OmegaConf.create(config))

    registry.register_scheduler("stepwise")(torch.optim.lr_scheduler.StepLR)
    config = {"scheduler": {"type": "stepwise", "params": {"step_sise": 3}}}
    with pytest.raises(ConfigError, match=r"Did you mean scheduler\.params\.step_size\?"):
        build.build_scheduler(torch.optim.SGD(model.parameters(), 0.1), OmegaConf.create(config))


def test_the_commands_and_the_trainer_use_the_checked_functions(mmf):
    import mmf_cli.run
    from mmf.utils import build

    from mmf_cmsbert.compat.mmf.line import is_main

    trainers = sys.modules[f"mmf.trainers.{'mmf' if is_main() else 'base'}_trainer"]
    assert mmf_cli.run.build_trainer is build.build_trainer
    assert trainers.build_model is build.build_model
    assert trainers.build_optimizer is build.build_optimizer
