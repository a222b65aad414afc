"""The section ``training.lightning``, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from mmf_cmsbert.config_check import check_keys
from mmf_cmsbert.errors import ConfigError

# What there is without the recipes: MMF refuses to override a key that no file holds.
DEFAULTS = """
training:
    # Read by training.trainer=lightning_cmsbert
    lightning:
        # null: that of training.precision. 32, bf16 or 16, for this trainer alone
        precision: null
        # Batches whose gradients are added up for one update
        accumulate_grad_batches: 1
        # Processes on this machine, one a GPU: a number, a list of GPUs, or auto for all GPUs
        devices: auto
        # Machines
        num_nodes: 1
        # auto, or ddp also with one process
        strategy: auto
        # Progress bars: auto where a terminal watches; true or false
        progress_bar: ${training.progress_bar}
"""
# In the words of training.precision.
_PRECISIONS = {"32": "fp32", "bf16": "bf16", "16": "fp16"}
_SWITCH = {"auto": None, "true": True, "false": False}


@dataclass(frozen=True)
class LightningSettings:
    """What :class:`pytorch_lightning.Trainer` is told.

    ``precision`` is in the words of ``training.precision``, None where that is what holds.

    Raises:
        ConfigError: a key or a value that it cannot follow.
    """

    precision: str | None
    accumulate_grad_batches: int
    devices: int | str | list[int]
    num_nodes: int
    strategy: str
    progress_bar: bool | None

    def __post_init__(self) -> None:
        for name in ("accumulate_grad_batches", "num_nodes"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise _wrong(name, value, "a whole number, at least 1")
        numbers = self.devices if isinstance(self.devices, list) else [self.devices]
        whole = bool(numbers) and all(type(number) is int for number in numbers)
        if self.devices != "auto" and not (whole and min(numbers) >= isinstance(self.devices, int)):
            raise _wrong("devices", self.devices, "a number, a list of GPUs as in [0, 1], or auto")

    @classmethod
    def read(cls, section: Mapping[str, Any]) -> "LightningSettings":
        """Take the section as configured."""
        given = dict(section)
        check_keys(given, dict.fromkeys(each.name for each in fields(cls)), "training.lightning")
        if given["precision"] is not None:
            given["precision"] = _choice("precision", given["precision"], _PRECISIONS)
        given["progress_bar"] = _choice("progress_bar", str(given["progress_bar"]).lower(), _SWITCH)
        given["strategy"] = _choice("strategy", given["strategy"], {"auto": "auto", "ddp": "ddp"})
        if not isinstance(given["devices"], (int, str)):
            given["devices"] = list(given["devices"])
        return cls(**given)


def _choice(name: str, value: Any, known: Mapping[str, Any]) -> Any:
    if str(value) not in known:
        raise _wrong(name, value, " or ".join(known).lower())
    return known[str(value)]


def _wrong(name: str, value: Any, expected: str) -> ConfigError:
    return ConfigError(f"training.lightning.{name} is {value!r}; expected {expected}")
