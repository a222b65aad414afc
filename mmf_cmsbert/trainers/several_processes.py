"""A run of several processes computes the same as a run of one process."""

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from mmf.common.registry import registry
from mmf.common.report import Report
from torch.nn.parallel import DistributedDataParallel

from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.losses.gathering import STAND_IN
from mmf_cmsbert.trainers.gathered_reports import GatheredReports, compute_reports, interleave
from mmf_cmsbert.trainers.ranks import Ranks
from mmf_cmsbert.trainers.shared_batches import share, shared_loader
from mmf_cmsbert.utils import folder_lock


class SeveralProcesses(TrainerSteps):
    """Divides batches among the processes of a run.

    In MMF each process draws its own batches, pads its share with samples that other processes
    also have, and metrics are averages over the processes. Here the processes divide each training
    batch, and the batches of an evaluation. Metrics and predictions are those of a single process.
    """

    resume_position: dict[str, Any] | None
    # Lightning wraps the model itself.
    by_lightning = False

    @cached_property
    def ranks(self) -> Ranks:
        """The processes of the run."""
        return Ranks.present(self.device)

    def load_datasets(self) -> None:
        if self.ranks.rank > 0:
            folder_lock.join(Path(self.config.env.save_dir))
        super().load_datasets()
        if self.ranks.count > 1:
            batch_size = self.config.training.batch_size
            share(self.train_loader, batch_size, self.ranks, whole=False)
            share(self.val_loader, batch_size, self.ranks, whole=True)
            share(self.test_loader, batch_size, self.ranks, whole=True)

    def parallelize_model(self) -> None:
        if self.ranks.count > 1:
            # Which parameters have gradients depends on the losses, the dataset and the segments.
            self.config.training.find_unused_parameters = True
        super().parallelize_model()
        if self.ranks.count > 1 and self.device.type == "cpu" and not self.by_lightning:
            registry.register("distributed", True)
            self.model = DistributedDataParallel(self.model, find_unused_parameters=True)

    def resume_training(self) -> tuple[bool, bool]:
        kept = self.resume_position or {}
        states = kept.get("generators_of_ranks") or ()
        if len(states) != self.ranks.count:
            result = super().resume_training()
            self.ranks.separate_generators()
            return result
        self.resume_position = {**kept, "generators": states[self.ranks.rank]}
        return super().resume_training()

    def update_made(self, report: Report) -> None:
        super().update_made(report)
        if self.num_updates % self.config.training.checkpoint_interval == 0:
            self.ranks.separate_generators()

    def evaluate(self, loader: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Compute losses and metrics over each sample of a split once, by all processes."""
        if self.ranks.count > 1:
            loader = GatheredReports(self, loader)
        result = super().evaluate(loader, *args, **kwargs)
        self.ranks.separate_generators()
        return result

    def _forward_pass(self, batch: Any) -> Report:
        if isinstance(batch, Report):
            return batch
        report = super()._forward_pass(batch)
        if self.ranks.count > 1 and self.model.training:
            # The mean over the processes, also of the gradients, is then that of the whole batch.
            weight = self.ranks.weight(0 if STAND_IN in report else report.batch_size)
            report.losses = {name: loss * weight for name, loss in report.losses.items()}
        return report

    def predict(self, dataset_type: str) -> None:
        """Write one prediction for each sample of a split, computed by all processes."""
        if self.ranks.count == 1:
            super().predict(dataset_type)
            return
        reporter = self.dataset_loader.get_test_reporter(dataset_type)
        model = getattr(self.model, "module", self.model)
        model.eval()
        with torch.no_grad():
            while reporter.next_dataset():
                loader = reporter.get_dataloader()
                batch_size = self.config.training.batch_size
                loader = shared_loader(loader, batch_size, self.ranks, whole=True)
                rows = [
                    model.format_for_prediction(loader.dataset.format_for_prediction(each), each)
                    for each in compute_reports(model, loader.dataset, loader)
                ]
                reporter.report = sum(interleave(self.ranks.gather(rows)), [])
        model.train()
