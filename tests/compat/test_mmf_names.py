"""An unknown name is named before anything is built, with those that are meant or known."""

import pytest

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
    ],
)
def test_unknown_names(toy, tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        toy.trainer(tmp_path, *options)


def test_the_commands_and_the_trainer_use_the_checked_functions(mmf):
    import mmf_cli.run
    from mmf.trainers import base_trainer
    from mmf.utils import build

    assert mmf_cli.run.build_trainer is build.build_trainer
    assert base_trainer.build_model is build.build_model
    assert base_trainer.build_optimizer is build.build_optimizer
