"""The trainer ``lightning_cmsbert``: MMF's runs, with updates made by pytorch-lightning.

Lightning is an optional dependency and slow to import; it is imported only for this trainer.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import torch
from mmf.common.registry import registry
from mmf.utils.env import set_seed
from torch import Tensor

from mmf_cmsbert.compat.mmf import line
from mmf_cmsbert.compat.mmf.both.process_start import set_process_starter
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.trainers.features import RunFeatures
from mmf_cmsbert.trainers.progress_bar import ProgressBars

NAME = "lightning_cmsbert"


_OpenTrainer: Any = line.part("open_trainer").OpenTrainer


class LightningUpdates(_OpenTrainer):
    """MMF's trainer with pytorch-lightning's training loop, precision and processes."""

    def load(self) -> None:
        self.lightning, self.ranks = _build(self.config)
        super().load()

    def set_device(self) -> None:
        """Use Lightning's device."""
        self.device, self.local_rank = self.ranks.device, self.lightning.local_rank

    def loss_scaler(self) -> torch.amp.GradScaler | None:
        """Return Lightning's loss scaler in fp16, else None; a checkpoint holds its state."""
        scaler: torch.amp.GradScaler | None = getattr(
            self.lightning.precision_plugin, "scaler", None
        )
        return scaler

    def clip(self) -> None:
        """Clip the gradients, if configured."""
        # Lightning does not unscale them if the optimizer's step does.
        scaler = LightningUpdates.loss_scaler(self)
        if scaler is not None and getattr(self.optimizer, "_step_supports_amp_scaling", False):
            scaler.unscale_(self.optimizer)
        super().clip()

    def load_datasets(self) -> None:
        super().load_datasets()
        from mmf_cmsbert.trainers.lightning_processes import lightning_config

        shown = lightning_config(self.config.training).progress_bar
        self.progress = ProgressBars(shown if self.ranks.rank == 0 else False)

    def make_updates(self, continues_epoch: bool, stop: bool) -> None:
        """Make the remaining updates of the run.

        Args:
            continues_epoch: whether a resumed run continues its epoch.
            stop: whether the run was stopped early, so that no updates remain.
        """
        self._continues_epoch = continues_epoch
        if stop or self.num_updates >= self.max_updates:
            return
        from mmf_cmsbert.trainers.updates import fit

        fit(self.lightning, self)
        self.model.to(self.device)  # Lightning moves it to the CPU

    def groups(self) -> Iterator[list[Any]]:
        """Yield the batches of each remaining update; an update stays within one epoch."""
        while True:
            if not self._continues_epoch:
                self.current_epoch += 1
            self._continues_epoch = False
            registry.register("current_epoch", self.current_epoch)
            yield from self.batch_groups()

    def updates_left(self) -> int:
        """Return the number of remaining updates."""
        return int(self.max_updates) - self.num_updates

    def begin_update(self, group: list[Any]) -> list[float]:
        """Start an update; return the fraction of its samples in each batch."""
        self._reports: list[Any] = []
        self._shares: list[float] = self.shares(group)
        return self._shares

    def loss(self, batch: Any) -> Tensor:
        """Return a batch's loss; the mean over the processes is the mean over all samples."""
        loss: Tensor = super().loss(batch)
        self._reports.append(self.report)
        return loss

    def updated(self) -> bool:
        """Log, validate and save if due after an update; return whether training stops."""
        self.report = self.merge_reports(self._reports, self._shares)
        return bool(super().updated()) or self.num_updates >= self.max_updates


@registry.register_trainer(NAME)
class LightningTrainer(RunFeatures, LightningUpdates):
    """MMF's trainer with Lightning's precision and processes, set by ``training.lightning``.

    Datasets, model, optimizer, schedule, logs, evaluations, early stopping and checkpoints are
    MMF's and are set by the same keys.
    """

    by_lightning = True


def _build(config: Any) -> tuple[Any, Any]:
    if find_spec("pytorch_lightning") is None:
        raise ConfigError(
            f"training.trainer={NAME} needs pytorch-lightning, which is not installed; type "
            "pip install 'pytorch-lightning>=2.6'"
        )
    from mmf_cmsbert.trainers import lightning_processes

    return lightning_processes.build(config.training)


def _start(config: Any) -> None:
    """Start the processes of a run, before MMF sets seeds, logs, or reads data."""
    _, ranks = _build(config)
    if ranks.count > 1 and config.training.seed == -1:
        config.training.seed = ranks.broadcast(set_seed(-1))


set_process_starter(NAME, _start)
