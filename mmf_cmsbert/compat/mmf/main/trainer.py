"""Main's trainer `mmf` in steps that features override, and rc10's `base_trainer` on main.

Main's trainer uses callbacks for steps that are methods in rc10. Here it gets the same methods as
rc10's, so that features work on both lines.
"""

import logging
import warnings
from contextlib import nullcontext
from typing import Any

import torch
from mmf.common.meter import Meter
from mmf.common.registry import registry
from mmf.common.report import Report
from mmf.common.sample import to_device
from mmf.trainers.mmf_trainer import MMFTrainer
from mmf.utils.general import print_model_parameters

from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.compat.mmf.main import callbacks
from mmf_cmsbert.compat.mmf.steps import TrainerSteps

# This warning is repeated for each batch, and is of no use to users.
warnings.filterwarnings("ignore", r"`torch\.cuda\.amp", FutureWarning, r"mmf\.trainers")
_logger = logging.getLogger("mmf.trainers.mmf_trainer")


class Trainer(TrainerSteps, MMFTrainer):
    """Main's trainer with rc10's methods, without these faults:

    - All trainers of a process share one meter.
    - It does not switch off autograd's anomaly detection.
    - An evaluation of several datasets reports only the last one.
    - With several batches per update, the last update of an epoch ends one batch early.
    """

    checkpoint = property(lambda self: self.checkpoint_callback.checkpoint)
    early_stopping = property(lambda self: self.early_stop_callback.early_stopping)
    lr_scheduler = property(lambda self: self.lr_scheduler_callback._scheduler)
    evaluation_interval = property(lambda self: self.training_config.evaluation_interval)

    def load_datasets(self) -> None:
        self.meter = Meter()
        super().load_datasets()

    def load_fp16_scaler(self) -> None:
        super().load_fp16_scaler()
        self.scaler = self.loss_scaler() or self.scaler

    def configure_callbacks(self) -> None:
        """Do the same as MMF, with callbacks whose parts this trainer creates."""
        self.checkpoint_callback = callbacks.CheckpointCallback(self.config, self)
        self.early_stop_callback = callbacks.EarlyStoppingCallback(self.config, self)
        self.logistics_callback = callbacks.LogisticsCallback(self.config, self)
        self.lr_scheduler_callback = callbacks.LRSchedulerCallback(self.config, self)
        # The schedule comes first, so that a checkpoint contains its state after the update.
        self.callbacks = [
            self.lr_scheduler_callback,
            self.checkpoint_callback,
            self.logistics_callback,
        ]
        for each in self.config.training.get("callbacks", []):
            self.callbacks.append(
                registry.get_callback_class(each.type)(self.config, self, **each.params)
            )

    def on_init_start(self, **kwargs: Any) -> None:
        super().on_init_start(**kwargs)
        self.checkpoint_loaded()

    def on_update_end(self, **kwargs: Any) -> None:
        self.update_made(kwargs["report"])
        super().on_update_end(**kwargs)
        self.after_update()

    def train(self) -> None:
        """As MMF's, with the model's layers in the log file only."""
        with mmf_log.file_only():
            _logger.info("===== Model =====")
            _logger.info(self.model)
            print_model_parameters(self.model)
        if "train" in self.run_type:
            self.on_train_start()
            self.training_loop()
            self.on_train_end()
        self.inference()
        self.finalize()

    def training_loop(self) -> None:
        before = torch.is_anomaly_enabled()
        try:
            super().training_loop()
        finally:
            torch.autograd.set_detect_anomaly(before)

    def run_training_epoch(self) -> None:
        self.make_updates(*self.resume_training())
        if self.train_loader.epoch is not None:
            self.train_loader.epoch.close()

    def make_updates(self, continues_epoch: bool, stop: bool) -> None:
        if continues_epoch:
            self.current_epoch -= 1  # it is counted again
        if stop:
            return
        if self.accumulated == 1:
            super().run_training_epoch()
        else:
            self._train_epochs()

    def _train_epochs(self) -> None:
        """Make the remaining updates, each from the gradients of a group of batches."""
        stop = False
        while not stop and self.num_updates < self.max_updates:
            self.current_epoch += 1
            registry.register("current_epoch", self.current_epoch)
            self.dataset_loader.seed_sampler("train", self.current_epoch)
            for group in self.batch_groups():
                self.log_update(self._make_update(group))
                stop = self._try_full_validation() or self.num_updates >= self.max_updates
                if stop:
                    break

    def _make_update(self, group: list[Any]) -> Any:
        self._start_update()
        reports, shares = [], self.shares(group)
        for number, (batch, share) in enumerate(zip(group, shares, strict=True), 1):
            self.current_iteration += 1
            self.on_batch_start()
            self.profile("Batch load time")
            # Gradients are reduced over processes only once, after the last batch.
            no_sync = getattr(self.model, "no_sync", None) if number < len(group) else None
            with no_sync() if no_sync else nullcontext():
                report = self._forward(batch)
                if self.training_config.exit_on_nan_losses:
                    self._check_nan_losses(report)
                loss = sum(each.mean() for each in report.losses.values())
                self._backward(loss * share)
            reports.append(report.detach())
            self.on_batch_end(report=reports[-1], meter=self.meter)
        self._finish_update()
        return self.merge_reports(reports, shares)

    def log_update(self, report: Any) -> None:
        """Call the callbacks after an update, with metrics if it is logged."""
        due = self.num_updates % self.logistics_callback.log_interval == 0
        if due:
            if self.training_config.evaluate_metrics:
                report.metrics = self.metrics(report, report)
            self.meter.update_from_report(report)
        self.on_update_end(report=report, meter=self.meter, should_log=due)

    def _forward(self, batch: Any) -> Any:
        return self._forward_pass(batch)

    def _forward_pass(self, batch: Any) -> Any:
        prepared = to_device(batch, self.device)
        self.profile("Batch prepare time")
        with self._fp16():
            report = Report(prepared, self.model(prepared))
        self.profile("Forward time")
        return report

    def _fp16(self) -> Any:
        """Return autocast for main's `training.fp16`; otherwise a context without effect."""
        on = self.training_config.fp16
        return torch.autocast(self.device.type, torch.float16) if on else nullcontext()

    def _check_nan_losses(self, report: Any) -> None:
        if any(torch.isnan(loss).any() for loss in report.losses.values()):
            self.loss_is_nan(self.num_updates + 1)
            super()._check_nan_losses(report)

    def _try_full_validation(self, force: bool = False) -> bool:
        if not force and self.num_updates % self.evaluation_interval != 0:
            return False
        self.on_validation_start()
        report, meter = self.evaluation_loop("val")
        stop = self.early_stop_callback.on_validation_end(report=report, meter=meter)
        self.on_validation_end(report=report, meter=meter)
        return stop

    def _update_meter(self, report: Any, meter: Meter, eval_mode: bool = False) -> None:
        meter.update_from_report(report, should_update_loss=not eval_mode)

    def evaluation_loop(
        self, dataset_type: str, use_tqdm: bool = False, single_batch: bool = False
    ) -> Any:
        # Two features of main: metrics of formatted predictions, and metrics on the CPU.
        of_predictions = "__prediction_report__" in self.metrics.required_params
        if of_predictions or self.config.evaluation.get("use_cpu", False):
            return super().evaluation_loop(dataset_type, use_tqdm, single_batch)
        loader = self.dataset_loader.get_loader(dataset_type)
        return self.evaluate(loader, use_tqdm, single_batch)

    def add_losses(self, whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
        """Return the sums of the losses, as main reports them."""
        return {name: value + part.get(name, 0) for name, value in whole.items()}

    def prediction_loop(self, dataset_type: str) -> None:
        self.predict(dataset_type)

    def predict(self, dataset_type: str) -> None:
        """Write the predictions of a split."""
        reporter = self.dataset_loader.get_test_reporter(dataset_type)
        with torch.no_grad():
            self.model.eval()
            _logger.info(f"Starting {dataset_type} inference predictions")
            while reporter.next_dataset():
                for batch in self.with_progress(reporter.get_dataloader(), dataset_type):
                    prepared = to_device(reporter.prepare_batch(batch), self.device)
                    with self._fp16():
                        output = self.model(prepared)
                    reporter.add_to_report(Report(prepared, output), self.model)
                reporter.postprocess_dataset_report()
            _logger.info("Finished predicting")
            self.model.train()


class OlderTrainer(Trainer):
    """rc10's `base_trainer`: the same updates and evaluations as on rc10 with the same seed.

    Unlike main's `mmf` it always validates after the last update, also to select the best
    checkpoint, and the first two updates have the same learning rate.
    """

    schedule_lag = 1

    def after_training_loop(self) -> None:
        done = self.early_stopping.last_evaluated_update == self.num_updates
        if not done and self.num_updates % self.evaluation_interval != 0:
            self._try_full_validation(force=True)


TRAINERS = {"mmf": Trainer, "base_trainer": OlderTrainer}
