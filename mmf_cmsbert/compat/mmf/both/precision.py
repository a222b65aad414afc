"""`training.precision` and `evaluation.precision` for MMF's trainers.

Main's `training.fp16` keeps its meaning: it evaluates in 16 bits, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from mmf_cmsbert.compat.mmf.line import is_main, trainer_class
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.precision import Precision


@patch(
    "mmf.trainers.base_trainer.BaseTrainer",
    why="rc10 computes in float32 only. Neither line supports bfloat16 or TF32.",
    remove_when="MMF's trainers read training.precision.",
)
def read_precision() -> None:
    trainer = trainer_class()
    original_load_datasets = trainer.load_datasets
    original_forward_pass = trainer._forward_pass
    original_training_loop = trainer.training_loop
    original_inference = trainer.inference

    def load_datasets(self):  # the first step that knows the device
        _read(self)
        original_load_datasets(self)

    def _forward_pass(self, batch):
        if not self.model.training:
            return original_forward_pass(self, batch)
        with self.precision.autocast(self.device):
            return original_forward_pass(self, batch)

    def training_loop(self):
        with self.precision.products(self.device, self.model):
            original_training_loop(self)

    def inference(self):
        with evaluating(self):
            original_inference(self)

    # Of one that loads nothing by this method, as in MMF's own tests.
    trainer.precision = trainer.evaluation_precision = Precision()
    trainer.load_datasets = load_datasets
    trainer._forward_pass = _forward_pass
    trainer.training_loop = training_loop
    trainer.inference = inference
    if is_main():
        _scale_on_main(trainer)
    else:
        _scale_on_rc10(trainer)


@contextmanager
def evaluating(trainer: Any) -> Iterator[None]:
    """A context for what a trainer computes without gradients, in `evaluation.precision`."""
    precision, device = trainer.evaluation_precision, trainer.device
    products = precision.products(device, trainer.model)
    with torch.inference_mode(), products, precision.autocast(device):
        yield


def _read(trainer: Any) -> None:
    training, evaluation = trainer.config.training, trainer.config.evaluation
    trainer.precision = Precision.read("training.precision", training.precision, trainer.device)
    trainer.evaluation_precision = Precision.read(
        "evaluation.precision", evaluation.precision, trainer.device
    )
    if training.get("fp16") and trainer.precision.name not in ("fp32", "fp16"):
        raise ConfigError(
            f"training.precision is {trainer.precision.name} and training.fp16 is true; leave one "
            "of them out"
        )


def _scale_on_main(trainer: type) -> None:
    original = trainer.load_fp16_scaler

    def load_fp16_scaler(self):
        original(self)
        if self.precision.name == "fp16":
            self.scaler = torch.amp.GradScaler(self.device.type)

    trainer.load_fp16_scaler = load_fp16_scaler


def _scale_on_rc10(trainer: type) -> None:
    original_load_extras = trainer.load_extras

    def load_extras(self):
        if self.precision.name == "fp16" and self.scaler is None:
            self.scaler = torch.amp.GradScaler(self.device.type)
        original_load_extras(self)

    trainer.load_extras = load_extras
