"""Main's trainer `lightning` works with the current pytorch-lightning."""

import inspect

import pytest

pytestmark = pytest.mark.main("rc10 has no trainer on Lightning")


def test_the_trainer_takes_the_arguments_that_main_gives(mmf):
    from mmf.trainers.lightning_trainer import Trainer
    from pytorch_lightning.accelerators import CPUAccelerator

    made = Trainer(gpus=0, progress_bar_refresh_rate=0, resume_from_checkpoint=None, max_steps=3)
    assert isinstance(made.accelerator, CPUAccelerator) and made.max_steps == 3
    assert made.progress_bar_callback is None


def test_its_callbacks_take_the_calls_of_today(mmf):
    from mmf.trainers.lightning_core.loop_callback import LightningLoopCallback as Callback
    from pytorch_lightning import Callback as Library

    for name in ("on_train_batch_end", "on_validation_batch_end"):
        given = list(inspect.signature(getattr(Library, name)).parameters)
        inspect.signature(getattr(Callback, name)).bind(*given[:6])
