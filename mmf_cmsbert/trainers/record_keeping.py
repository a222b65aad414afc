"""Write the record of a run, ``run.json``."""

import math
from collections.abc import Mapping
from typing import Any

from mmf.common.registry import registry
from mmf.utils.distributed import is_master

from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.config.trained import datasets as names_in
from mmf_cmsbert.console import signals
from mmf_cmsbert.records import run_record
from mmf_cmsbert.records.run_record import RunRecord
from mmf_cmsbert.utils.threads import Threads


class KeepsRecord(TrainerSteps):
    """Records a run inside :func:`mmf_cmsbert.records.run_record.recorded`.

    Outside, for example in a program that builds a trainer itself, nothing is recorded.
    """

    run_record: RunRecord | None = None
    extractors: Mapping[str, Mapping[str, Any]] = {}  # see ChecksExtractors
    threads: Threads | None = None  # see ChoosesThreads

    def train(self) -> None:
        plan = run_record.planned()
        # A run that only evaluates or predicts does not change the record of the training.
        if plan is None or "train" not in self.run_type or not is_master():
            super().train()
            return
        # Data, model and optimizer have been built, so errors in them have already ended the run.
        record = self.run_record = plan.begin(self.config.training.seed, self.extractors)
        if self.threads is not None:
            record.content["machine"]["threads_chosen_by"] = self.threads.why
        if any(getattr(each, "synthetic", False) for each in self.train_loader.datasets):
            record.content["synthetic"] = True
        if weights := _class_weights(self.config):
            record.content["class_weights"] = weights
        signals.on_sudden_end(lambda interrupted: record.fail(interrupted, self.num_updates))
        try:
            super().train()
        except BaseException as error:
            record.fail(error, self.num_updates)
            raise
        record.end(_best(self.early_stopping))

    def make_updates(self, continues_epoch: bool, stop: bool) -> None:
        super().make_updates(continues_epoch, stop)
        if self.run_record is not None:
            self.run_record.trained(self.num_updates)

    def evaluate(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        report, meter = super().evaluate(*args, **kwargs)
        if self.run_record is not None:
            prefix = f"{report.dataset_type}/"
            scores = {
                name.removeprefix(prefix): float(meter.meters[name].global_avg)
                for name in report.metrics
            }
            self.run_record.scored(report.dataset_type, self.num_updates, scores)
        return report, meter


def _class_weights(config: Any) -> dict[str, dict[str, list[float]]]:
    """Return the weights of classes from the training splits: dataset -> target -> weights."""
    found = {name: registry.get(f"{name}_balanced", no_warning=True) for name in names_in(config)}
    return {
        dataset: {target: weights.tolist() for target, weights in each.items()}
        for dataset, each in found.items()
        if each
    }


def _best(early_stopping: Any) -> tuple[int, float] | None:
    value = float(early_stopping.best_monitored_value)
    return (int(early_stopping.best_monitored_update), value) if math.isfinite(value) else None
