"""Keeps the course of a recorded run: ``history.jsonl``."""

from typing import Any

from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.records.history import Entry, History, Training, Validation
from mmf_cmsbert.records.run_record import RunRecord
from mmf_cmsbert.trainers.ranks import Ranks


class KeepsHistory(TrainerSteps):
    """Writes losses, learning rate and validations of a run that keeps a record.

    Losses are means over the updates since the line before. They are read from the device only in
    updates that are logged, validated or saved. Requires ``ranks``, and ``run_record`` on the first
    process of a run that keeps one.
    """

    ranks: Ranks
    run_record: RunRecord | None
    _history: History | None = None

    def load_datasets(self) -> None:
        self._sums: dict[str, tuple[Any, int]] = {}
        self._updates = 0
        self._validation: dict[str, float] = {}
        super().load_datasets()

    def train(self) -> None:
        if self.run_record is not None:
            self._history = History(
                self.run_record.file.parent,
                self.num_updates,
                self.early_stopping.last_evaluated_update,
            )
        super().train()

    def make_updates(self, continues_epoch: bool, stop: bool) -> None:
        super().make_updates(continues_epoch, stop)
        self._write_losses()

    def update_made(self, report: Any) -> None:
        super().update_made(report)
        self._updates += 1
        for name, loss in report.losses.items():
            mean = loss.detach().mean()
            # With several datasets a loss is not part of each update.
            total, count = self._sums.get(name, (0, 0))
            self._sums[name] = (total + mean, count + 1)

    def after_update(self) -> None:
        training = self.config.training
        intervals = (training.log_interval, training.checkpoint_interval, self.evaluation_interval)
        # Where a checkpoint is written, too, so that a resumed run writes the same lines.
        if any(self.num_updates % interval == 0 for interval in intervals):
            self._write_losses()
        super().after_update()  # which may end the run

    def _write_losses(self) -> None:
        """Write the means since the last line, unless there was no update."""
        if not self._updates:
            return
        losses: dict[str, list[float]] = {}
        means = {name: float(total) / count for name, (total, count) in self._sums.items()}
        for each in self.ranks.gather(means):  # each process has a part of the batches
            for name, value in each.items():
                losses.setdefault(name.removeprefix("train/"), []).append(value)
        entry = Training(
            self.num_updates,
            self.current_epoch,
            self._updates,
            float(self.optimizer.param_groups[0]["lr"]),
            {name: sum(values) / len(values) for name, values in losses.items()},
        )
        self._sums, self._updates = {}, 0
        self.measured(entry)

    def evaluate(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        report, meter = super().evaluate(*args, **kwargs)
        if report.dataset_type == "val":
            self._validation = {
                name.removeprefix("val/"): float(meter.meters[name].global_avg)
                for name in meter.meters
            }
        return report, meter

    def validated(self, criterion: str, value: float, best: float, update: int) -> None:
        super().validated(criterion, value, best, update)
        self.measured(Validation(self.num_updates, self.current_epoch, self._validation))

    def measured(self, entry: Entry) -> None:
        super().measured(entry)
        if self._history is not None:
            self._history.append(entry)
