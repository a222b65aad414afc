"""MMF main's trainer, for another training loop than its own."""

import logging
from typing import Any

import torch
from mmf.common.registry import registry
from mmf.utils.general import clip_gradients
from torch import Tensor

from mmf_cmsbert.compat.mmf.main.trainer import OlderTrainer
from mmf_cmsbert.errors import ConfigError


class OpenTrainer(OlderTrainer):
    """What a training loop needs of the trainer, in one call each.

    A subclass defines `set_device`, which sets `device` and `local_rank`; `loss_scaler`, which
    returns the GradScaler of training in fp16 or None; and `make_updates`.
    """

    def configure_device(self) -> None:
        self.set_device()
        self.distributed = False  # MMF is not to wrap the model
        registry.register("global_device", self.device)
        registry.register("current_device", self.device)
        registry.register("data_parallel", False)
        registry.register("distributed", False)

    def load_fp16_scaler(self) -> None:
        if self.training_config.fp16:
            raise ConfigError(
                "training.fp16 is for MMF's own trainer; with this one type training.precision=fp16"
            )
        self.scaler = self.loss_scaler() or torch.amp.GradScaler(enabled=False)

    def parallelize_model(self) -> None:
        pass

    def training_loop(self) -> None:
        """Train, and evaluate once more."""
        self.max_updates = self._calculate_max_updates()
        logging.getLogger("mmf").info("Starting training...")
        self.model.train()
        self.make_updates(*self.resume_training())
        if self.train_loader.epoch is not None:
            self.train_loader.epoch.close()
        self.after_training_loop()

    def loss(self, batch: Any) -> Tensor:
        """The loss of a batch; its mean over all processes is that of all their samples."""
        self.current_iteration += 1
        self.report = self._forward_pass(batch)
        if self.training_config.exit_on_nan_losses:
            self._check_nan_losses(self.report)
        return sum(loss.mean() for loss in self.report.losses.values())

    def clip(self) -> None:
        """Clip the gradients, if the configuration says so."""
        if self.training_config.clip_gradients:
            writer = self.logistics_callback.tb_writer
            clip_gradients(self.model, self.optimizer, self.num_updates, writer, self.config)

    def updated(self) -> bool:
        """Log, validate and save what is due after an update; whether training shall stop."""
        self.num_updates += 1
        self.log_update(self.report.detach())
        return self._try_full_validation()
