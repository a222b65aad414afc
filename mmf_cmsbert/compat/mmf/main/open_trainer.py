"""MMF main's trainer for another training loop."""

import logging
from typing import Any

import torch
from mmf.common.registry import registry
from mmf.utils.general import clip_gradients
from torch import Tensor

from mmf_cmsbert.compat.mmf.main.trainer import OlderTrainer
from mmf_cmsbert.errors import ConfigError


class OpenTrainer(OlderTrainer):
    """A trainer whose training loop is replaced.

    A subclass defines `make_updates`, which calls `loss`, `clip` and `updated`; `set_device`, which
    sets `device` and `local_rank`; and `loss_scaler`, which returns the GradScaler for fp16 or
    None.
    """

    def configure_device(self) -> None:
        self.set_device()
        self.distributed = False  # MMF must not wrap the model
        registry.register("global_device", self.device)
        registry.register("current_device", self.device)
        registry.register("data_parallel", False)
        registry.register("distributed", False)

    def load_fp16_scaler(self) -> None:
        if self.training_config.fp16:
            raise ConfigError(
                "training.fp16 applies to training.trainer=mmf only; type training.precision=fp16"
            )
        self.scaler = self.loss_scaler() or torch.amp.GradScaler(enabled=False)

    def parallelize_model(self) -> None:
        pass

    def training_loop(self) -> None:
        """Train, and evaluate after the last update."""
        self.max_updates = self._calculate_max_updates()
        logging.getLogger("mmf").info("Starting training...")
        self.model.train()
        self.make_updates(*self.resume_training())
        if self.train_loader.epoch is not None:
            self.train_loader.epoch.close()
        self.after_training_loop()

    def loss(self, batch: Any) -> Tensor:
        """Return a batch's loss; the mean over the processes is the mean over all samples."""
        self.current_iteration += 1
        self.report = self._forward_pass(batch)
        if self.training_config.exit_on_nan_losses:
            self._check_nan_losses(self.report)
        return sum(loss.mean() for loss in self.report.losses.values())

    def clip(self) -> None:
        """Clip the gradients, if configured."""
        if self.training_config.clip_gradients:
            writer = self.logistics_callback.tb_writer
            clip_gradients(self.model, self.optimizer, self.num_updates, writer, self.config)

    def updated(self) -> bool:
        """Log, validate and save if due after an update; return whether training stops."""
        self.num_updates += 1
        self.log_update(self.report.detach())
        return self._try_full_validation()
