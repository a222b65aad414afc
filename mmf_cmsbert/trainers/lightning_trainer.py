"""The trainer ``lightning_cmsbert``: MMF's runs, with updates made by pytorch-lightning.

Lightning is imported when a run asks for it: that takes seconds, and it need not be installed.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import torch
from mmf.common.registry import registry
from mmf.utils.env import set_seed
from torch import Tensor

from mmf_cmsbert.compat.mmf import line
from mmf_cmsbert.compat.mmf.both.process_start import hand_over
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.trainers.features import RunFeatures
from mmf_cmsbert.trainers.progress_bar import ProgressBars

NAME = "lightning_cmsbert"


_OpenTrainer: Any = line.part("open_trainer").OpenTrainer


class LightningUpdates(_OpenTrainer):
    """MMF's trainer with updates that pytorch-lightning makes.

    Precision and the processes are Lightning's.
    """

    def load(self) -> None:
        self.lightning, self.ranks = _build(self.config)
        super().load()

    def set_device(self) -> None:
        """Compute where Lightning does."""
        self.device, self.local_rank = self.ranks.device, self.lightning.local_rank

    def loss_scaler(self) -> torch.amp.GradScaler | None:
        """What scales the loss in fp16; a checkpoint keeps its state."""
        scaler: torch.amp.GradScaler | None = getattr(
            self.lightning.precision_plugin, "scaler", None
        )
        return scaler

    def clip(self) -> None:
        """Clip the gradients, if the configuration says so."""
        # Lightning leaves the scale in them where the optimizer's own step can take it out.
        scaler = LightningUpdates.loss_scaler(self)
        if scaler is not None and getattr(self.optimizer, "_step_supports_amp_scaling", False):
            scaler.unscale_(self.optimizer)
        super().clip()

    def load_datasets(self) -> None:
        super().load_datasets()
        from mmf_cmsbert.trainers.lightning_processes import lightning_config

        shown = lightning_config(self.config.training).progress_bar
        self.progress = ProgressBars(shown if self.ranks.rank == 0 else False)

    def make_updates(self, goes_on: bool, stop: bool) -> None:
        """Make the updates of a run that are left.

        Args:
            goes_on: whether a resumed run's epoch continues.
            stop: whether there are none, because it was stopped early.
        """
        self._goes_on = goes_on
        if stop or self.num_updates >= self.max_updates:
            return
        from mmf_cmsbert.trainers.updates import fit

        fit(self.lightning, self)
        self.model.to(self.device)  # Lightning leaves it on the CPU

    def groups(self) -> Iterator[list[Any]]:
        """The batches of each update that is left; no update has batches of two epochs."""
        while True:
            if not self._goes_on:
                self.current_epoch += 1
            self._goes_on = False
            registry.register("current_epoch", self.current_epoch)
            yield from self.batch_groups()

    def updates_left(self) -> int:
        """How many updates the length of the run leaves."""
        return int(self.max_updates) - self.num_updates

    def begin_update(self, group: list[Any]) -> list[float]:
        """The share of each batch of an update, whose reports are kept until its end."""
        self._reports: list[Any] = []
        self._shares: list[float] = self.shares(group)
        return self._shares

    def loss(self, batch: Any) -> Tensor:
        """The loss of a batch; its mean over all processes is that of all their samples."""
        loss: Tensor = super().loss(batch)
        self._reports.append(self.report)
        return loss

    def updated(self) -> bool:
        """Log, validate and save what is due after an update; whether training shall stop."""
        self.report = self.joined(self._reports, self._shares)
        return bool(super().updated()) or self.num_updates >= self.max_updates


@registry.register_trainer(NAME)
class LightningTrainer(RunFeatures, LightningUpdates):
    """Does what MMF's trainer does, by the same keys, and what ``training.lightning`` adds.

    Datasets, model, optimizer, schedule, logs, evaluations, early stopping and checkpoints are
    MMF's; precision and the processes are Lightning's.
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
    """Start the processes of a run before MMF seeds, logs or reads anything."""
    _, ranks = _build(config)
    if ranks.count > 1 and config.training.seed == -1:
        config.training.seed = ranks.broadcast(set_seed(-1))


hand_over(NAME, _start)
