"""rc10's trainer `base_trainer` without its faults, in steps that features override."""

import math
import warnings
from contextlib import nullcontext
from typing import Any

import torch
from mmf.common.meter import Meter
from mmf.common.registry import registry
from mmf.common.report import Report
from mmf.trainers.base_trainer import BaseTrainer
from mmf.utils import build
from mmf.utils.general import clip_gradients, print_model_parameters
from mmf.utils.timer import Timer
from torch import Tensor

from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.compat.mmf.steps import TrainerSteps

# MMF passes the number of the update to the scheduler intentionally; resuming relies on it.
warnings.filterwarnings(
    "ignore", r"The epoch parameter in `scheduler\.step", module=r"mmf\.trainers\.base_trainer"
)


class Trainer(TrainerSteps, BaseTrainer):
    """rc10's trainer in steps that features override, without these faults:

    - It always uses autograd's anomaly detection, which is slow, and does not switch it off.
    - It makes one update more than ``training.max_updates`` unless an epoch ends there.
    - With several processes an epoch is counted once by each.
    - With ``training.max_epochs`` the estimate of the remaining time raises an error.
    - It prints small learning rates as "0.".
    """

    # MMF steps the schedule before it counts the update, so the first two have the same rate.
    schedule_lag = 1

    def load_extras(self) -> None:
        """Do the same as MMF, with the checkpoint and early stopping of this trainer."""
        self.scaler = self.loss_scaler()
        self.writer.write("Torch version is: " + torch.__version__)
        training = self.training_config = self.config.training
        self.checkpoint, self.meter = self.make_checkpoint(), Meter()
        self.log_interval = training.log_interval
        self.evaluation_interval = training.evaluation_interval
        self.checkpoint_interval = training.checkpoint_interval
        self.max_updates, self.max_epochs = training.max_updates, training.max_epochs
        self.should_clip_gradients = training.clip_gradients
        self.early_stopping = self.make_early_stopping(self.checkpoint)
        self.current_epoch = self.current_iteration = self.num_updates = 0
        self.checkpoint.load_state_dict()
        self.not_debug = training.logger_level != "debug"
        self.lr_scheduler = None
        if training.lr_scheduler is True:
            self.lr_scheduler = build.build_scheduler(self.optimizer, self.config)
        self.tb_writer = self.norm_writer()
        self.checkpoint_loaded()

    def train(self) -> None:
        """Train, or only evaluate, according to `run_type`."""
        with mmf_log.file_only():
            for text in ("===== Model =====", self.model):
                self.writer.write(text)
            print_model_parameters(self.model)
        if "train" in self.run_type:
            self._prepare()
            self.training_loop()
            self.finalize()
        else:
            self.inference()

    def _prepare(self) -> None:
        """Set the limits of the run, timers and the model's mode, which MMF's methods read."""
        # As in MMF, max_epochs replaces max_updates.
        limits = (
            (math.inf, self.max_updates) if self.max_epochs is None else (self.max_epochs, math.inf)
        )
        self.max_epochs, self.max_updates = limits
        self.train_timer, self.snapshot_timer = Timer(), Timer()
        self.model.train()
        self.profile("Setup Time")
        self.writer.write("Starting training...")

    def training_loop(self) -> None:
        """Make the remaining updates."""
        with torch.autograd.set_detect_anomaly(bool(self.training_config.get("detect_anomaly"))):
            self.make_updates(*self.resume_training())
        if self.train_loader.epoch is not None:
            self.train_loader.epoch.close()

    def make_updates(self, continues_epoch: bool, stop: bool) -> None:
        while not stop and self.num_updates < self.max_updates:
            if not continues_epoch:
                if self.current_epoch >= self.max_epochs:
                    break
                self.current_epoch += 1
            registry.register("current_epoch", self.current_epoch)
            # The sampler of a distributed run shuffles by this number.
            self.dataset_loader.seed_sampler("train", self.current_epoch)
            stop = self._train_epoch()
            continues_epoch = False

    def _train_epoch(self) -> bool:
        """Train on the remaining batches of the epoch; return whether training stops."""
        for group in self.batch_groups():
            if self._logistics(self._make_update(group)):
                return True
            if self.num_updates >= self.max_updates:
                return True
        return False

    def _make_update(self, group: list[Any]) -> Any:
        """Make one update from the gradients of a group of batches; return its report."""
        self.profile("Batch load time")
        self.writer.write(self.num_updates + 1, "debug")
        self.optimizer.zero_grad()
        reports, shares = [], self.shares(group)
        for number, (batch, share) in enumerate(zip(group, shares, strict=True), 1):
            self.current_iteration += 1
            # Gradients are reduced over processes only once, after the last batch.
            no_sync = getattr(self.model, "no_sync", None) if number < len(group) else None
            with no_sync() if no_sync else nullcontext():
                report = self._forward_pass(batch)
                loss = self._extract_loss(report)
                self._scaled(loss if share == 1 else loss * share).backward()
            reports.append(report)
        self._step()
        return self.merge_reports(reports, shares)

    def _scaled(self, loss: Tensor) -> Tensor:
        return loss if self.scaler is None else self.scaler.scale(loss)

    def _step(self) -> None:
        if self.should_clip_gradients:
            if self.scaler is not None:
                self.scaler.unscale_(self.optimizer)
            clip_gradients(self.model, self.num_updates, self.tb_writer, self.config)
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        self._run_scheduler()
        self.num_updates += 1
        self.profile("Backward time")

    def _logistics(self, report: Any) -> bool:
        self.update_made(report)
        return super()._logistics(report)

    def _try_snapshot(self) -> None:
        super()._try_snapshot()
        self.after_update()

    def _update_meter(self, report: Any, meter: Any = None, eval_mode: bool = False) -> None:
        super()._update_meter(report, meter, eval_mode)
        # Only when MMF has read the loss, at each training.log_interval. Reading it at each update
        # would make the CPU wait for the device.
        training = meter is None or meter is self.meter
        if training and math.isnan(registry.get(f"{report.dataset_type}/total_loss")):
            self.loss_is_nan(self.num_updates)

    def total_updates(self) -> float:
        """Return the number of updates at the end of the run, also if epochs are counted."""
        if not math.isinf(self.max_updates):
            return self.max_updates
        return self.max_epochs * math.ceil(len(self.train_loader) / self.accumulated)

    def _calculate_time_left(self) -> str:
        until = self.max_updates
        self.max_updates = self.total_updates()
        try:
            return super()._calculate_time_left()
        finally:
            self.max_updates = until

    def _summarize_report(self, meter: Any, should_print: Any = True, extra: Any = None) -> None:
        if extra and "lr" in extra:
            extra["lr"] = f"{self.optimizer.param_groups[0]['lr']:.4g}"
        super()._summarize_report(meter, should_print, extra)

    def predict(self, dataset_type: str) -> None:
        """Write the predictions of a split."""
        reporter = self.dataset_loader.get_test_reporter(dataset_type)
        with torch.no_grad():
            self.model.eval()
            self.writer.write(f"Starting {dataset_type} inference predictions")
            while reporter.next_dataset():
                for batch in self.with_progress(reporter.get_dataloader(), dataset_type):
                    prepared = reporter.prepare_batch(batch)
                    reporter.add_to_report(Report(prepared, self.model(prepared)), self.model)
            self.writer.write("Finished predicting")
            self.model.train()


TRAINERS = {"base_trainer": Trainer}
