"""The training loop of `base_trainer`."""

import math
import warnings
from contextlib import nullcontext
from typing import Any

import torch
from mmf.common.registry import registry
from mmf.trainers import base_trainer
from mmf.trainers.base_trainer import BaseTrainer
from mmf.utils.general import clip_gradients, print_model_parameters
from mmf.utils.timer import Timer

from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.trainers import progress_bar
from mmf_cmsbert.trainers.accumulation import groups, joined, of_metrics
from mmf_cmsbert.trainers.run_checks import LossIsNanError, check_splits, loss_is_nan


@patch(
    "mmf.trainers.base_trainer.BaseTrainer.train",
    "rc10",
    why="rc10 makes each update from one batch. It always trains under autograd's anomaly "
    "detection, which is slow, and leaves it on. It trains one update more than "
    "training.max_updates unless an epoch ends there. Several processes count an epoch once "
    "each. It loops for ever over an empty training split. With training.max_epochs its "
    "estimate of the time left raises at the first log line. It prints small learning rates as "
    '"0.", and trains on after the loss is NaN.',
    remove_when="support for rc10 ends.",
)
def serve_loop() -> None:
    original_load_datasets = BaseTrainer.load_datasets
    original_try_full_validation = BaseTrainer._try_full_validation
    original_logistics = BaseTrainer._logistics
    original_predict = BaseTrainer.predict
    original_update_meter = BaseTrainer._update_meter
    original_calculate_time_left = BaseTrainer._calculate_time_left
    original_summarize_report = BaseTrainer._summarize_report

    def load_datasets(self):
        self.progress = progress_bar.configured(self.config.training)
        original_load_datasets(self)
        check_splits(self)

    def _try_full_validation(self, force=False):
        # a resumed run may have been evaluated here before it was interrupted
        if force and self.early_stopping.last_evaluated_update == self.num_updates:
            return False
        return original_try_full_validation(self, force)

    def _logistics(self, report):
        self.update_made(report)
        return original_logistics(self, report)

    def update_made(self, report):
        self.progress.update(report.losses, self.optimizer)

    def predict(self, dataset_type):
        base_trainer.tqdm = lambda batches: self.progress.batches(batches, dataset_type)
        original_predict(self, dataset_type)

    def _update_meter(self, report, meter=None, eval_mode=False):
        original_update_meter(self, report, meter, eval_mode)
        # Only where MMF has read the loss already, each training.log_interval: asking for it in
        # each update would make the processor wait for the device.
        training = meter is None or meter is self.meter
        if training and math.isnan(registry.get(f"{report.dataset_type}/total_loss")):
            raise LossIsNanError(loss_is_nan(self, self.num_updates))

    def _calculate_time_left(self):
        until = self.max_updates
        self.max_updates = _all_updates(self)
        try:
            return original_calculate_time_left(self)
        finally:
            self.max_updates = until

    def _summarize_report(self, meter, should_print=True, extra=None):
        if extra and "lr" in extra:
            extra["lr"] = f"{self.optimizer.param_groups[0]['lr']:.4g}"
        original_summarize_report(self, meter, should_print, extra)

    # MMF tells the scheduler which update it is on purpose: it is what `resume` relies on, too.
    message = r"The epoch parameter in `scheduler\.step"
    warnings.filterwarnings("ignore", message, module=r"mmf\.trainers\.base_trainer")

    # MMF steps the schedule before it counts the update: the first two have the same rate.
    BaseTrainer.schedule_lag = 1
    BaseTrainer.scaler = None  # of fp16
    BaseTrainer.accumulated = 1
    BaseTrainer.shares = lambda self, group: [1.0]
    BaseTrainer.progress = progress_bar.ProgressBars(False)  # until the run is configured
    BaseTrainer.load_datasets = load_datasets
    BaseTrainer._try_full_validation = _try_full_validation
    BaseTrainer._logistics = _logistics
    BaseTrainer.update_made = update_made
    BaseTrainer.predict = predict
    BaseTrainer._update_meter = _update_meter
    BaseTrainer._calculate_time_left = _calculate_time_left
    BaseTrainer._summarize_report = _summarize_report
    BaseTrainer.train = train
    BaseTrainer.training_loop = training_loop


def train(self) -> None:
    """Train, if `run_type` says so, from the beginning or from where a checkpoint was written."""
    for text in ("===== Model =====", self.model):
        self.writer.write(text)
    print_model_parameters(self.model)
    if "train" in self.run_type:
        _prepare(self)
        self.training_loop()
        self.finalize()
    else:
        self.inference()


def training_loop(self) -> None:
    """Make the updates that are left."""
    with (
        torch.autograd.set_detect_anomaly(bool(self.training_config.get("detect_anomaly"))),
        self.progress.training(_all_updates(self), self.num_updates),
    ):
        _train_epochs(self)


def _prepare(trainer: Any) -> None:
    """Set what MMF's own methods read: limits of the run, timers, the model's mode."""
    # As in MMF, epochs count alone where they are given.
    limits = (
        (math.inf, trainer.max_updates)
        if trainer.max_epochs is None
        else (trainer.max_epochs, math.inf)
    )
    trainer.max_epochs, trainer.max_updates = limits
    trainer.train_timer, trainer.snapshot_timer = Timer(), Timer()
    trainer.model.train()
    trainer.profile("Setup Time")
    trainer.writer.write("Starting training...")


def _all_updates(trainer: Any) -> int:
    """How many there are at the end, also where epochs are counted."""
    if not math.isinf(trainer.max_updates):
        return trainer.max_updates
    return trainer.max_epochs * math.ceil(len(trainer.train_loader) / trainer.accumulated)


def _train_epochs(trainer: Any) -> None:
    goes_on, stop = trainer.take_up()
    while not stop and trainer.num_updates < trainer.max_updates:
        if not goes_on:
            if trainer.current_epoch >= trainer.max_epochs:
                break
            trainer.current_epoch += 1
        registry.register("current_epoch", trainer.current_epoch)
        # The sampler of a distributed run shuffles by this number.
        trainer.dataset_loader.seed_sampler("train", trainer.current_epoch)
        stop = _train_epoch(trainer)
        goes_on = False
    if trainer.train_loader.epoch is not None:
        trainer.train_loader.epoch.close()


def _update(trainer: Any, group: list[Any]) -> Any:
    """Make one update from the gradients of a group of batches; return its report."""
    trainer.profile("Batch load time")
    trainer.writer.write(trainer.num_updates + 1, "debug")
    trainer.optimizer.zero_grad()
    reports, shares = [], trainer.shares(group)
    for number, (batch, share) in enumerate(zip(group, shares, strict=True), 1):
        trainer.current_iteration += 1
        # Processes share the sum of the gradients, once.
        unshared = getattr(trainer.model, "no_sync", None) if number < len(group) else None
        with unshared() if unshared else nullcontext():
            report = trainer._forward_pass(batch)
            loss = trainer._extract_loss(report)
            _scaled(trainer, loss if share == 1 else loss * share).backward()
        reports.append(report)
    _step(trainer)
    return joined(reports, shares, of_metrics(trainer))


def _scaled(trainer: Any, loss: torch.Tensor) -> torch.Tensor:
    return loss if trainer.scaler is None else trainer.scaler.scale(loss)


def _step(trainer: Any) -> None:
    scaler, optimizer = trainer.scaler, trainer.optimizer
    if trainer.should_clip_gradients:
        if scaler is not None:
            scaler.unscale_(optimizer)
        clip_gradients(trainer.model, trainer.num_updates, trainer.tb_writer, trainer.config)
    if scaler is None:
        optimizer.step()
    else:
        scaler.step(optimizer)
        scaler.update()
    trainer._run_scheduler()
    trainer.num_updates += 1
    trainer.profile("Backward time")


def _train_epoch(trainer: Any) -> bool:
    """Train on the batches that the epoch still has; return whether training shall stop."""
    for group in groups(trainer.train_loader, trainer.accumulated):
        if trainer._logistics(_update(trainer, group)):
            return True
        if trainer.num_updates >= trainer.max_updates:
            return True
    return False
