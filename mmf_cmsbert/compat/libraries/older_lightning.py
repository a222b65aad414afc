"""pytorch-lightning's Trainer as in release 1.6, for main's own trainer `lightning`."""

from typing import Any

import pytorch_lightning as library
from mmf.utils.checkpoint_updater import MMFToPLCheckpointUpdater, is_pl_trainer_checkpoint


class Trainer(library.Trainer):
    """The library's Trainer with arguments that it had.

    Args:
        resume_from_checkpoint: a checkpoint of Lightning or of MMF's trainer, which `fit` resumes.
        gpus: number of GPUs; without any it runs on the CPU, instead of searching for GPUs.
        progress_bar_refresh_rate: 0 for no progress bar.
    """

    def __init__(
        self,
        *args: Any,
        resume_from_checkpoint: str | None = None,
        gpus: int | None = None,
        progress_bar_refresh_rate: int | None = None,
        **kwargs: Any,
    ) -> None:
        if gpus:
            kwargs |= {"accelerator": "gpu", "devices": gpus}
        else:
            kwargs = {"accelerator": "cpu", "devices": 1} | kwargs
        if progress_bar_refresh_rate == 0:
            kwargs["enable_progress_bar"] = False
        super().__init__(*args, **kwargs)
        self._resumes_from = resume_from_checkpoint

    def fit(self, model: Any, *args: Any, ckpt_path: str | None = None, **kwargs: Any) -> None:
        load = self.strategy.load_checkpoint

        def load_checkpoint(*args: Any, **kwargs: Any) -> dict[str, Any]:
            checkpoint = load(*args, **kwargs)
            if not is_pl_trainer_checkpoint(checkpoint):
                # MMF would do so later, after Lightning has asked which release wrote it.
                MMFToPLCheckpointUpdater().update_checkpoint(checkpoint, model)
                # From before progress was kept by loop: Lightning makes the loops of the counts.
                checkpoint["pytorch-lightning_version"] = "1.5.0"
            return checkpoint

        self.strategy.load_checkpoint = load_checkpoint
        super().fit(model, *args, ckpt_path=ckpt_path or self._resumes_from, **kwargs)
