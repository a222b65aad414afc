"""The length of a run in updates, and the number of batches per update."""

from collections.abc import Iterator, Sequence
from typing import Any

from omegaconf import OmegaConf

from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.config import run_length
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.trainers import accumulation
from mmf_cmsbert.trainers.ranks import Ranks

# Epochs without a better validation, if early_stop.patience is null.
_PATIENCE = 5


class CountedUpdates(TrainerSteps):
    """Makes each update from ``training.update_frequency`` batches; converts epochs to updates.

    rc10 makes each update from one batch. ``training.max_epochs`` is converted to
    ``training.max_updates`` as soon as the training data is loaded. Keys that refer to
    ``max_updates``, such as the length of the learning rate schedule, then have the true value. In
    the configuration saved with the run ``max_epochs`` is null. Requires ``ranks``.
    """

    by_lightning = False
    ranks: Ranks

    def load_datasets(self) -> None:
        training = self.config.training
        self.accumulated = accumulation.batches_per_update(training, self.by_lightning)
        super().load_datasets()
        self._set_intervals()
        if training.max_epochs is None:
            return
        if "train" not in self.run_type:
            # MMF builds a schedule in any case; it is not used.
            training.max_updates, training.max_epochs = training.max_updates or 1, None
            return
        epochs, batches = training.max_epochs, _length(self.train_loader)
        updates = run_length.updates(epochs, batches, self.accumulated)
        training.max_updates, training.max_epochs = updates, None
        # main resolves references to max_updates before the data is loaded.
        for key in ("scheduler.params.num_training_steps", "training.checkpoint_interval"):
            if OmegaConf.select(self.config, key.rpartition(".")[0]) is not None and (
                OmegaConf.select(self.config, key) is None
            ):
                OmegaConf.update(self.config, key, updates)
        mmf_log.write(
            f"training.max_epochs={epochs}: {updates} updates, {updates // epochs} in each epoch "
            f"of {batches} batches"
        )

    def _set_intervals(self) -> None:
        """Replace intervals that are null: validate and log once an epoch."""
        training = self.config.training
        names = [n for n in ("evaluation_interval", "log_interval") if training[n] is None]
        if not names and training.early_stop.patience is not None:
            return
        epoch = 1
        if "train" in self.run_type:
            epoch = run_length.updates(1, _length(self.train_loader), self.accumulated)
        for name in names:
            training[name] = epoch
        if training.early_stop.patience is None:
            training.early_stop.patience = _PATIENCE * epoch

    def batch_groups(self) -> Iterator[list[Any]]:
        return accumulation.groups(self.train_loader, self.accumulated)

    def shares(self, group: Sequence[Any]) -> list[float]:
        """Return the fraction of the update's samples in each batch, over all processes."""
        return accumulation.shares(group, self.ranks)

    def merge_reports(self, reports: Sequence[Any], shares: Sequence[float]) -> Any:
        return accumulation.merge_reports(reports, shares, accumulation.metric_fields(self))


def _length(loader: Any) -> int:
    try:
        return len(loader)
    except TypeError as error:
        raise ConfigError(
            "training.max_epochs is set, but a dataset in use is a stream of unknown length; type "
            "training.max_updates=NUMBER"
        ) from error
