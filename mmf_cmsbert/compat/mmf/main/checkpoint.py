"""Main's checkpoint, with the steps that a feature overrides."""

from pathlib import Path
from typing import Any

from mmf.utils import checkpoint as mmf_checkpoint


class Checkpoint(mmf_checkpoint.Checkpoint):
    """Main's, which fails to resume with fp16 a run that was made without it."""

    has_schedule = False  # whether the checkpoint that was loaded has MMF's entry `lr_scheduler`

    def _load_counts_and_lr_scheduler(self, ckpt: dict[str, Any]) -> None:
        self.load_counts(ckpt)

    def load_counts(self, ckpt: dict[str, Any]) -> None:
        """Take over the counts of a checkpoint, and its schedule."""
        self.has_schedule = "lr_scheduler" in ckpt
        # Without it main takes the schedule for one that is at the number of batches.
        if not self.has_schedule and (schedule := self.trainer.lr_scheduler):
            ckpt = {**ckpt, "lr_scheduler": schedule.state_dict()}
        super()._load_counts_and_lr_scheduler(ckpt)

    def _load_fp16_scaler(self, ckpt: dict[str, Any]) -> None:
        # Without fp16 its state is empty, and a scaler that scales refuses that.
        if ckpt.get("fp16_scaler"):
            super()._load_fp16_scaler(ckpt)

    def saved(self, file: Path) -> None:
        """Called when a checkpoint is written."""
        if self.config.training.wandb.log_checkpoint:
            self.trainer.logistics_callback.wandb_logger.log_model_checkpoint(str(file))
