"""The trainer ``lightning_cmsbert``: MMF's runs, with updates made by pytorch-lightning.

Lightning is imported when a run asks for it: that takes seconds, and it need not be installed.
"""

import math
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import torch
from mmf.common.registry import registry
from mmf.utils.env import set_seed

from mmf_cmsbert.compat.libraries import lightning
from mmf_cmsbert.compat.progress_bar import ProgressBars
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.trainers.lightning_settings import DEFAULTS, LightningSettings
from mmf_cmsbert.trainers.several_processes import SeveralProcesses
from mmf_cmsbert.trainers.shared_batches import data_loaders

NAME = "lightning_cmsbert"


@registry.register_trainer(NAME)
class LightningTrainer(SeveralProcesses, lightning.open_trainer_class()):
    """Does what MMF's trainer does, by the same keys, and what ``training.lightning`` adds.

    Datasets, model, optimizer, schedule, logs, evaluations, early stopping and checkpoints are
    MMF's own; precision, accumulation of gradients and the processes are Lightning's.
    """

    def load(self) -> None:
        self.lightning, self.ranks = _build(self.config)
        self.accumulated = self.lightning.accumulate_grad_batches
        super().load()

    def set_device(self) -> None:
        """Compute where Lightning does."""
        self.device, self.local_rank = self.ranks.device, self.lightning.local_rank

    def loss_scaler(self) -> torch.amp.GradScaler | None:
        """What scales the loss in fp16; a checkpoint keeps its state."""
        return getattr(self.lightning.precision_plugin, "scaler", None)

    def clip(self) -> None:
        """Clip the gradients, if the configuration says so."""
        # Lightning leaves the scale in them where the optimizer's own step can take it out.
        scaler = self.loss_scaler()
        if scaler is not None and getattr(self.optimizer, "_step_supports_amp_scaling", False):
            scaler.unscale_(self.optimizer)
        super().clip()

    def load_datasets(self) -> None:
        super().load_datasets()
        shown = LightningSettings.read(self.config.training.lightning).progress_bar
        self.progress = ProgressBars(shown if self.ranks.rank == 0 else False)

    def make_updates(self, goes_on: bool, stop: bool) -> None:
        """Make the updates of a run that are left.

        Args:
            goes_on: whether a resumed run's epoch goes on.
            stop: whether there are none, because it was stopped early.
        """
        self._goes_on = goes_on
        if stop or self.num_updates >= self.max_updates or not self.batches_left():
            return
        from mmf_cmsbert.trainers.updates import fit

        left = math.ceil(self.batches_left() / self.accumulated)
        shown = self.progress.training(self.num_updates + left, self.num_updates)
        with shown, self.precision.products(self.device, self.model):
            fit(self.lightning, self)
        self.model.to(self.device)  # Lightning leaves it on the CPU

    def batches(self) -> Iterator[Any]:
        """The training batches of all epochs that are left."""
        while self._goes_on or self.current_epoch < self.max_epochs:
            if not self._goes_on:
                self.current_epoch += 1
            self._goes_on = False
            registry.register("current_epoch", self.current_epoch)
            yield from self.train_loader

    def batches_left(self) -> int:
        """How many training batches the limits of the run leave, the epoch's rest included."""
        if math.isinf(self.max_epochs):
            return (self.max_updates - self.num_updates) * self.accumulated
        an_epoch = sum(map(len, data_loaders(self.train_loader)))
        batches = max(0, self.max_epochs - self.current_epoch) * an_epoch
        if self._goes_on:
            streams = self.train_loader.resume_position["streams"]
            batches += an_epoch - sum(stream["drawn"] for stream in streams)
        return batches

    def updated(self) -> bool:
        """Log, validate and save what is due after an update; whether training shall stop."""
        return super().updated() or self.num_updates >= self.max_updates


def _build(config: Any) -> tuple[Any, Any]:
    if find_spec("pytorch_lightning") is None:
        raise ConfigError(
            f"training.trainer={NAME} needs pytorch-lightning, which is not installed; type "
            "pip install 'pytorch-lightning>=2.6'"
        )
    from mmf_cmsbert.trainers import processes

    return processes.build(config.training)


def _start(config: Any) -> None:
    """Start the processes of a run before MMF seeds, logs or reads anything."""
    _, ranks = _build(config)
    if ranks.count > 1 and config.training.seed == -1:
        config.training.seed = ranks.broadcast(set_seed(-1))


lightning.hand_over(NAME, _start, DEFAULTS)
