"""Main's trainer `lightning`, which was written for pytorch-lightning 1.6."""

from mmf.trainers import lightning_trainer
from mmf.trainers.lightning_core.loop_callback import LightningLoopCallback
from mmf.trainers.lightning_core.loop_callback_with_torchmetrics import (
    LightningTorchMetricsCallback,
)

from mmf_cmsbert.compat.libraries.lightning_trainer import Trainer


def apply() -> None:
    """Give it the Trainer and the calls that it knows."""
    lightning_trainer.Trainer = Trainer
    for callback in (LightningLoopCallback, LightningTorchMetricsCallback):
        # Today's Lightning does not say which loader the batch is from where there is but one.
        callback.on_train_batch_end.__defaults__ = (0,)
        callback.on_validation_batch_end.__defaults__ = (0,)
