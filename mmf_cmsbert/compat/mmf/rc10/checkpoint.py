"""rc10's checkpoint, with the steps that a feature overrides."""

from pathlib import Path
from typing import Any

from mmf.utils import checkpoint as mmf_checkpoint


class Checkpoint(mmf_checkpoint.Checkpoint):
    """rc10's checkpoint with main's methods, and with the loss scaler of fp16."""

    has_schedule = False  # whether the loaded checkpoint has MMF's entry `lr_scheduler`

    def _load_counts(self, ckpt: dict[str, Any]) -> None:
        self.load_counts(ckpt)

    def load_counts(self, ckpt: dict[str, Any]) -> None:
        """Restore the counts of a checkpoint."""
        super()._load_counts(ckpt)
        scaler, kept = self.trainer.scaler, ckpt.get("fp16_scaler")
        if scaler is not None and kept:
            scaler.load_state_dict(kept)

    def saved(self, file: Path) -> None:
        """Run after a checkpoint is written."""
