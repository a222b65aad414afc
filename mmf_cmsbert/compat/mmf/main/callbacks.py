"""Main's callbacks, with parts that the trainer creates."""

from typing import Any

from mmf.trainers.callbacks import logistics
from mmf.trainers.callbacks.base import Callback
from mmf.trainers.callbacks.checkpoint import CheckpointCallback as MMFCheckpointCallback
from mmf.trainers.callbacks.early_stopping import EarlyStoppingCallback as MMFEarlyStoppingCallback
from mmf.trainers.callbacks.lr_scheduler import LRSchedulerCallback as MMFLRSchedulerCallback
from omegaconf import OmegaConf

from mmf_cmsbert.compat.patch import patch


class CheckpointCallback(MMFCheckpointCallback):
    """Main's callback with the trainer's checkpoint."""

    def __init__(self, config: Any, trainer: Any):
        Callback.__init__(self, config, trainer)  # MMF's constructor creates MMF's checkpoint
        self._checkpoint = trainer.make_checkpoint()
        self.checkpoint_interval = config.training.checkpoint_interval


class EarlyStoppingCallback(MMFEarlyStoppingCallback):
    """Main's callback with the trainer's early stopping."""

    def __init__(self, config: Any, trainer: Any):
        Callback.__init__(self, config, trainer)
        self.early_stopping = trainer.make_early_stopping(trainer.checkpoint)


class LRSchedulerCallback(MMFLRSchedulerCallback):
    """Main's callback with a schedule that can lag, as in rc10."""

    def on_update_end(self, **kwargs: Any) -> None:
        lag = self.trainer.schedule_lag
        if not lag or self.trainer.num_updates > lag:
            super().on_update_end(**kwargs)


class LogisticsCallback(logistics.LogisticsCallback):
    """Main's callback with the trainer's writer, and the exact learning rate for the log."""

    def __init__(self, config: Any, trainer: Any):
        # MMF's constructor creates writers of its own where the configuration names them.
        without = {"training": {"tensorboard": False, "wandb": {"enabled": False}}}
        super().__init__(OmegaConf.merge(config, without), trainer)
        self.config, self.training_config = config, config.training
        self.tb_writer = self.wandb_logger = trainer.norm_writer()

    def on_update_end(self, **kwargs: Any) -> None:
        _rate.append(self.trainer.optimizer.param_groups[0]["lr"])
        try:
            super().on_update_end(**kwargs)
        finally:
            _rate.pop()


_rate: list[float] = []


@patch(
    "mmf.trainers.callbacks.logistics.summarize_report",
    "main",
    why='Small learning rates are printed as "0.".',
    remove_when="MMF prints significant digits.",
)
def legible_rates() -> None:
    original = logistics.summarize_report

    def summarize_report(*args: Any, extra: Any = None, **kwargs: Any) -> None:
        if extra and "lr" in extra and _rate:
            extra["lr"] = f"{_rate[-1]:.4g}"
        original(*args, extra=extra, **kwargs)

    logistics.summarize_report = summarize_report
