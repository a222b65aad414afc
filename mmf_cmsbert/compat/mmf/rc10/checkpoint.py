"""rc10's checkpoint, with the steps that a feature overrides."""

from pathlib import Path
from typing import Any

from mmf.utils import checkpoint as mmf_checkpoint


class Checkpoint(mmf_checkpoint.Checkpoint):
    """rc10's, which has no fp16, and takes main's steps."""

    has_schedule = False  # whether the checkpoint that was loaded has MMF's entry `lr_scheduler`

    def _load_counts(self, ckpt: dict[str, Any]) -> None:
        self.load_counts(ckpt)

    def load_counts(self, ckpt: dict[str, Any]) -> None:
        """Take over the counts of a checkpoint."""
        super()._load_counts(ckpt)
        scaler, kept = self.trainer.scaler, ckpt.get("fp16_scaler")
        if scaler is not None and kept:
            scaler.load_state_dict(kept)

    def saved(self, file: Path) -> None:
        """Called when a checkpoint is written."""
