"""Main's trainer with rc10's names, and rc10's trainer `base_trainer` on main.

Main's trainer uses callbacks for what rc10's trainer does itself. Here it gets rc10's names, so
that the patches for both lines apply to it.
"""

import warnings
from typing import Any

import torch
import tqdm
from mmf.common.meter import Meter
from mmf.common.registry import registry
from mmf.trainers.callbacks import logistics
from mmf.trainers.callbacks.lr_scheduler import LRSchedulerCallback
from mmf.trainers.core import evaluation_loop as evaluation
from mmf.trainers.mmf_trainer import MMFTrainer

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.mmf import line as mmf_line
from mmf_cmsbert.compat.mmf.main.loop import train_epochs
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.trainers import progress_bar
from mmf_cmsbert.trainers.run_checks import LossIsNanError, check_splits, loss_is_nan


class OlderTrainer(MMFTrainer):
    """What rc10 calls `base_trainer`: with the same seed, the same updates and evaluations.

    Unlike main's `mmf` it evaluates once more after the last update, whatever `run_type` says, may
    choose that as the best, and gives the first two updates the same learning rate.
    """

    schedule_lag = 1

    def after_training_loop(self) -> None:
        done = self.early_stopping.last_evaluated_update == self.num_updates
        if not done and self.num_updates % self.evaluation_interval != 0:
            self._try_full_validation(force=True)


@patch(
    "mmf.trainers.mmf_trainer.MMFTrainer",
    "main",
    why="Main begins a resumed run's epoch anew, shares one meter among all trainers of a process, "
    "leaves autograd's anomaly detection on, ends with a RuntimeError when the loss is NaN, prints "
    'small learning rates as "0.", and lacks `base_trainer`.',
    remove_when="MMF's trainer does none of this; `base_trainer` goes with the support for rc10.",
)
def serve_older_trainer() -> None:
    _give_names()
    original_load_datasets = MMFTrainer.load_datasets
    original_training_loop = MMFTrainer.training_loop
    original_training_epochs = MMFTrainer.run_training_epoch
    original_step = LRSchedulerCallback.on_update_end
    original_update_end = MMFTrainer.on_update_end

    def load_datasets(self):
        self.progress = progress_bar.configured(self.config.training)
        self.meter = Meter()
        original_load_datasets(self)
        check_splits(self)

    def training_loop(self):
        before = torch.is_anomaly_enabled()
        try:
            original_training_loop(self)
        finally:
            torch.autograd.set_detect_anomaly(before)

    def run_training_epoch(self):
        goes_on, stop = self.take_up()
        if goes_on:
            self.current_epoch -= 1  # it will be counted once more
        if not stop:
            with self.progress.training(self.max_updates, self.num_updates):
                if self.accumulated > 1:
                    train_epochs(self)
                else:
                    original_training_epochs(self)
        if self.train_loader.epoch is not None:
            self.train_loader.epoch.close()

    def check_nan_losses(self, report):
        if any(torch.isnan(loss).any() for loss in report.losses.values()):
            raise LossIsNanError(loss_is_nan(self, self.num_updates + 1))

    def count_update(self, **kwargs):
        self.update_made(kwargs["report"])
        original_update_end(self, **kwargs)

    def update_made(self, report):
        self.progress.update(report.losses, self.optimizer)

    def on_update_end(self, **kwargs):
        lag = getattr(self.trainer, "schedule_lag", 0)
        if not lag or self.trainer.num_updates > lag:
            original_step(self, **kwargs)

    MMFTrainer.accumulated = 1
    MMFTrainer.progress = progress_bar.ProgressBars(False)  # until the run is configured
    MMFTrainer.on_update_end = count_update
    MMFTrainer.update_made = update_made
    MMFTrainer.load_datasets = load_datasets
    MMFTrainer.training_loop = training_loop
    MMFTrainer.run_training_epoch = run_training_epoch
    MMFTrainer._check_nan_losses = check_nan_losses
    LRSchedulerCallback.on_update_end = on_update_end
    _evaluate_by_loader()
    _make_rates_legible()
    # It comes with every batch, and tells the user nothing.
    warnings.filterwarnings("ignore", r"`torch\.cuda\.amp", FutureWarning, r"mmf\.trainers")
    registry.register_trainer("base_trainer")(OlderTrainer)


def _evaluate_by_loader() -> None:
    original = MMFTrainer.evaluation_loop

    def evaluation_loop(self, dataset_type, use_tqdm=False, single_batch=False):
        # These two are main's own: metrics of formatted predictions, and on the processor.
        of_predictions = "__prediction_report__" in self.metrics.required_params
        if of_predictions or self.config.evaluation.get("use_cpu", False):
            return original(self, dataset_type, use_tqdm, single_batch)
        loader = self.dataset_loader.get_loader(dataset_type)
        return self.evaluate(loader, use_tqdm, single_batch)

    original_predictions = MMFTrainer.prediction_loop

    def prediction_loop(self, dataset_type):
        evaluation.tqdm = imports.facade(
            tqdm, tqdm=lambda batches: self.progress.batches(batches, dataset_type)
        )
        original_predictions(self, dataset_type)

    MMFTrainer.evaluation_loop = evaluation_loop
    MMFTrainer.prediction_loop = MMFTrainer.predict = prediction_loop


def _give_names() -> None:
    def try_full_validation(self, force: bool = False) -> bool:
        if not force and self.num_updates % self.evaluation_interval != 0:
            return False
        self.on_validation_start()
        report, meter = self.evaluation_loop("val")
        stop = self.early_stop_callback.on_validation_end(report=report, meter=meter)
        self.on_validation_end(report=report, meter=meter)
        return stop

    def update_meter(self, report: Any, meter: Meter, eval_mode: bool = False) -> None:
        meter.update_from_report(report, should_update_loss=not eval_mode)

    MMFTrainer.schedule_lag = 0
    MMFTrainer.checkpoint = property(lambda self: self.checkpoint_callback.checkpoint)
    MMFTrainer.early_stopping = property(mmf_line.early_stopping)
    MMFTrainer.lr_scheduler = property(mmf_line.lr_scheduler)
    MMFTrainer.evaluation_interval = property(lambda self: self.training_config.evaluation_interval)
    MMFTrainer._try_full_validation = try_full_validation
    if not hasattr(MMFTrainer, "_forward_pass"):  # twice, it would go round in circles
        MMFTrainer._forward_pass = MMFTrainer._forward
        MMFTrainer._forward = lambda self, batch: self._forward_pass(batch)
    MMFTrainer._update_meter = update_meter


def _make_rates_legible() -> None:
    original, summarize = logistics.LogisticsCallback.on_update_end, logistics.summarize_report
    rate = 0.0

    def on_update_end(self, **kwargs):
        nonlocal rate
        rate = self.trainer.optimizer.param_groups[0]["lr"]
        original(self, **kwargs)

    def summarize_report(*args, extra=None, **kwargs):
        if extra and "lr" in extra:
            extra["lr"] = f"{rate:.4g}"
        summarize(*args, extra=extra, **kwargs)

    logistics.LogisticsCallback.on_update_end = on_update_end
    logistics.summarize_report = summarize_report
