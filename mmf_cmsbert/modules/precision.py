"""The precision of a forward pass: float32, TF32, or 16 bits by autocast."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import nn

from mmf_cmsbert.errors import ConfigError

PRECISIONS = ("fp32", "tf32", "bf16", "fp16")
_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}
_GPU_ONLY = ("tf32", "fp16")
# Weights of the largest map of MiniLM (6 x 384), the smallest network with a measured gain.
_LARGE = 384 * 1536


@dataclass(frozen=True)
class Precision:
    """The precision of matrix products; weights and operations outside autocast stay in float32.

    ``fp32`` multiplies in float32, ``tf32`` in TensorFloat-32 (float32 with 10 bits of mantissa, on
    a GPU), ``bf16`` and ``fp16`` under :class:`torch.autocast`.

    Args:
        name: one of the four.
    """

    name: str = "fp32"

    @classmethod
    def read(cls, key: str, value: Any, device: torch.device) -> "Precision":
        """Create a Precision from the value of a configuration key.

        Args:
            key: the key, for messages.
            value: its value.
            device: the device of the computation.

        Raises:
            ConfigError: the value is unknown, or the device does not support it.
        """
        if value not in PRECISIONS:
            raise ConfigError(f"{key} is {value!r}; expected {', '.join(PRECISIONS)}")
        if value in _GPU_ONLY and torch.device(device).type == "cpu":
            raise ConfigError(
                f"{key} is {value}, which needs a GPU, and this run computes on the CPU; type "
                f"{key}=bf16, or {key}=fp32"
            )
        return cls(value)

    def autocast(self, device: torch.device) -> Any:
        """Return a context for a forward pass and its loss."""
        if self.name not in _AUTOCAST:
            return nullcontext()
        return torch.autocast(torch.device(device).type, _AUTOCAST[self.name])

    @contextmanager
    def products(self, device: torch.device, model: nn.Module) -> Iterator[None]:
        """Return a context that sets the precision of products in forward and backward passes.

        For a large model on a CPU, oneDNN is used instead of MKL if its precision is the same; it
        computes the same sums in another order.

        Args:
            device: the device of the computation.
            model: the model.
        """
        setting = "high" if self.name == "tf32" else "highest"
        on_cpu = torch.device(device).type == "cpu"
        if on_cpu and _is_large(model) and _onednn_is_better():
            # torch then allows oneDNN to use bfloat16; on this CPU oneDNN uses float32.
            setting = "medium"
        with _products(setting):
            yield


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Compute in float32 within the context; inputs must be float32 too.

    A later backward pass is outside of this context, and may multiply in TF32.
    """
    with torch.autocast(device.type, enabled=False), _products("highest"):
        yield


def _is_large(model: nn.Module) -> bool:
    """Return whether a model's products take longer than oneDNN's preparation.

    The preparation takes a millisecond for each new shape, and the number of word pieces in a batch
    rarely repeats: the small network of the demo took twice as long with oneDNN.
    """
    maps = (each for each in model.modules() if isinstance(each, nn.Linear))
    return any(each.weight.numel() >= _LARGE for each in maps)


@cache
def _onednn_is_better() -> bool:
    """Return whether oneDNN multiplies float32 as precisely as MKL on this processor, and faster.

    MKL uses half the vector width of AMD processors. On a processor with bfloat16 matrix
    instructions (AMX), oneDNN would use bfloat16 for float32.
    """
    found = torch.cpu.get_capabilities()
    wide = "AMD" in found.get("cpu_name", "") and found.get("avx512_f", False)
    return wide and _keeps_float32("medium")


def _keeps_float32(setting: str) -> bool:
    """Return whether products are as precise as float32 with a setting that allows less."""
    with torch.autocast("cpu", enabled=False), _products(setting):
        factor = torch.linspace(1, 2, 256 * 256, dtype=torch.float32).view(256, 256)
        exact = factor.double() @ factor.double()
        error = (factor @ factor - exact).abs() / exact
    return bool(error.max() < 1e-5)  # bfloat16: 4e-3


@contextmanager
def _products(precision: str) -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
