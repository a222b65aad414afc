"""Main's trainer `lightning`, which was written for pytorch-lightning 1.6."""

from mmf.trainers import lightning_trainer
from mmf.trainers.lightning_core.loop_callback import LightningLoopCallback
from mmf.trainers.lightning_core.loop_callback_with_torchmetrics import (
    LightningTorchMetricsCallback,
)

from mmf_cmsbert.compat.libraries.older_lightning import Trainer
from mmf_cmsbert.compat.patch import patch


@patch(
    "mmf.trainers.lightning_trainer.Trainer",
    "main",
    why="Main's trainer `lightning` passes arguments that Lightning 2 removed, and its callbacks "
    "require the index of the loader, which Lightning no longer passes for a single loader.",
    remove_when="MMF supports pytorch-lightning 2.",
)
def accept_removed_arguments() -> None:
    lightning_trainer.Trainer = Trainer
    for callback in (LightningLoopCallback, LightningTorchMetricsCallback):
        callback.on_train_batch_end.__defaults__ = (0,)
        callback.on_validation_batch_end.__defaults__ = (0,)
