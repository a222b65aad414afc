"""pytorch-lightning's Trainer with the arguments of release 1.6, for main's trainer `lightning`."""

from typing import Any

import pytorch_lightning as library
from mmf.utils.checkpoint_updater import MMFToPLCheckpointUpdater, is_pl_trainer_checkpoint

_Trainer: Any = library.Trainer


class Trainer(_Trainer):
    """The library's Trainer with removed arguments.

    Args:
        *args: the library's arguments.
        resume_from_checkpoint: a checkpoint of Lightning or of MMF's trainer; `fit` resumes it.
        gpus: number of GPUs; with none it runs on the CPU, instead of searching for GPUs.
        progress_bar_refresh_rate: 0 for no progress bar.
        **kwargs: the library's arguments.
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
                # MMF converts it too late, after Lightning has read the version that wrote it.
                MMFToPLCheckpointUpdater().update_checkpoint(checkpoint, model)
                # For this version, Lightning derives the state of its loops from the counts.
                checkpoint["pytorch-lightning_version"] = "1.5.0"
            return checkpoint

        self.strategy.load_checkpoint = load_checkpoint
        super().fit(model, *args, ckpt_path=ckpt_path or self._resumes_from, **kwargs)
