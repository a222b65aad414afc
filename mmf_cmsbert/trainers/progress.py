"""Progress bars of training, validation, test and predictions."""

from collections.abc import Iterable
from typing import Any

from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.trainers import progress_bar


class ShowsProgress(TrainerSteps):
    """Shows the progress bars that ``training.progress_bar`` asks for."""

    progress = progress_bar.ProgressBars(False)  # until the run is configured

    def load_datasets(self) -> None:
        self.progress = progress_bar.configured(self.config.training)
        super().load_datasets()

    def make_updates(self, goes_on: bool, stop: bool) -> None:
        if stop or self.num_updates >= self.max_updates:
            super().make_updates(goes_on, stop)
            return
        with self.progress.training(int(self.all_updates()), self.num_updates):
            super().make_updates(goes_on, stop)

    def update_made(self, report: Any) -> None:
        super().update_made(report)
        self.progress.update(report.losses, self.optimizer)

    def validated(self, criterion: str, value: float, best: float, update: int) -> None:
        super().validated(criterion, value, best, update)
        self.progress.validated(criterion, value, best, update)

    def shown(self, batches: Iterable[Any], split: str) -> Iterable[Any]:
        return self.progress.batches(super().shown(batches, split), split)
