"""Main's checkpoint, with the steps that a feature overrides."""

from pathlib import Path
from typing import Any

from mmf.utils import checkpoint as mmf_checkpoint


class Checkpoint(mmf_checkpoint.Checkpoint):
    """Main's checkpoint, which fails to resume a run in fp16 that was made without it."""

    has_schedule = False  # whether the loaded checkpoint has MMF's entry `lr_scheduler`

    def _load_counts_and_lr_scheduler(self, ckpt: dict[str, Any]) -> None:
        self.load_counts(ckpt)

    def load_counts(self, ckpt: dict[str, Any]) -> None:
        """Restore the counts of a checkpoint, and its schedule."""
        self.has_schedule = "lr_scheduler" in ckpt
        # Without this entry main steps the schedule to the number of batches.
        if not self.has_schedule and (schedule := self.trainer.lr_scheduler):
            ckpt = {**ckpt, "lr_scheduler": schedule.state_dict()}
        super()._load_counts_and_lr_scheduler(ckpt)

    def _load_fp16_scaler(self, ckpt: dict[str, Any]) -> None:
        # Without fp16 the state is empty, which an enabled scaler refuses.
        if ckpt.get("fp16_scaler"):
            super()._load_fp16_scaler(ckpt)

    def saved(self, file: Path) -> None:
        """Run after a checkpoint is written."""
        if self.config.training.wandb.log_checkpoint:
            self.trainer.logistics_callback.wandb_logger.log_model_checkpoint(str(file))
