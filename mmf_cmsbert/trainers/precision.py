"""``training.precision`` and ``evaluation.precision``.

Main's ``training.fp16`` works as in MMF: training and evaluation both use 16 bits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.precision import Precision


class ComputesInPrecision(TrainerSteps):
    """Computes forward passes in the precision of the configuration.

    rc10 computes in float32 only. Neither line of MMF supports bfloat16 or TF32.
    """

    # For a trainer that does not call `load_datasets`, as in MMF's tests
    precision = evaluation_precision = Precision()

    def load_datasets(self) -> None:  # the first step after the device is set
        training, evaluation = self.config.training, self.config.evaluation
        self.precision = Precision.read("training.precision", training.precision, self.device)
        self.evaluation_precision = Precision.read(
            "evaluation.precision", evaluation.precision, self.device
        )
        if training.get("fp16") and self.precision.name not in ("fp32", "fp16"):
            raise ConfigError(
                f"training.precision is {self.precision.name} and training.fp16 is true; set only "
                "one of them"
            )
        super().load_datasets()

    def loss_scaler(self) -> Any:
        scaler = super().loss_scaler()
        if scaler is None and self.precision.name == "fp16":
            return torch.amp.GradScaler(self.device.type)
        return scaler

    def _forward_pass(self, batch: Any) -> Any:
        if not self.model.training:
            return super()._forward_pass(batch)
        with self.precision.autocast(self.device):
            return super()._forward_pass(batch)

    def make_updates(self, continues_epoch: bool, stop: bool) -> None:
        with self.precision.products(self.device, self.model):
            super().make_updates(continues_epoch, stop)

    def inference(self) -> None:
        with self.evaluating():
            super().inference()

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Return a context for computing without gradients, in ``evaluation.precision``."""
        precision = self.evaluation_precision
        products = precision.products(self.device, self.model)
        with torch.inference_mode(), products, precision.autocast(self.device):
            yield
