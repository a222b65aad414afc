"""Progress bars of training, validation, test and predictions."""

from collections.abc import Iterable
from typing import Any

from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.trainers import progress_bar


class ShowsProgress(TrainerSteps):
    """Shows progress bars according to ``training.progress_bar``."""

    progress = progress_bar.ProgressBars(False)  # until the configuration is read

    def load_datasets(self) -> None:
        self.progress = progress_bar.configured(self.config.training)
        super().load_datasets()

    def make_updates(self, continues_epoch: bool, stop: bool) -> None:
        if stop or self.num_updates >= self.max_updates:
            super().make_updates(continues_epoch, stop)
            return
        with self.progress.training(int(self.total_updates()), self.num_updates):
            super().make_updates(continues_epoch, stop)

    def update_made(self, report: Any) -> None:
        super().update_made(report)
        self.progress.update(report.losses, self.optimizer)

    def validated(self, criterion: str, value: float, best: float, update: int) -> None:
        super().validated(criterion, value, best, update)
        self.progress.validated(criterion, value, best, update)

    def with_progress(self, batches: Iterable[Any], split: str) -> Iterable[Any]:
        return self.progress.batches(super().with_progress(batches, split), split)
