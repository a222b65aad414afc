"""Sizes and counts of a configuration, within what a machine can do."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from mmf_cmsbert.errors import ConfigError

_MODEL, _DATA, _MANY = "model_config.cmsbert", "dataset_config.*", 10**9
# Key -> least and most. Which kind of value a key takes is checked where it is read.
RANGES: dict[str, tuple[float, float]] = {
    "training.seed": (-1, 2**32 - 1),  # numpy's
    "training.batch_size": (1, 2**16),
    "training.update_frequency": (1, 2**16),
    "training.max_updates": (1, _MANY),
    "training.max_epochs": (1, _MANY),
    "training.log_interval": (1, _MANY),
    "training.evaluation_interval": (1, _MANY),
    "training.checkpoint_interval": (1, _MANY),
    "training.early_stop.patience": (0, _MANY),
    "training.num_workers": (0, 256),
    "training.max_grad_l2_norm": (0, _MANY),
    "training.lightning.accumulate_grad_batches": (1, 2**16),
    "training.lightning.devices": (1, 1024),
    "training.lightning.num_nodes": (1, 4096),
    "optimizer.params.lr": (0, 1e3),
    "checkpoint.max_to_keep": (-1, _MANY),
    f"{_MODEL}.finetune_lr_multiplier": (0, 1e6),
    f"{_MODEL}.frames.dim": (1, 4096),
    f"{_MODEL}.frames.layers": (0, 128),
    f"{_MODEL}.frames.heads": (1, 4096),
    f"{_MODEL}.contrastive.dim": (1, 2**14),
    f"{_MODEL}.features.*.*": (0, 2**16),
    f"{_DATA}.features.*": (0, 2**16),
    f"{_DATA}.max_frames": (1, 10**6),
    f"{_DATA}.processors.*.params.max_seq_length": (1, 2**16),
    f"{_DATA}.synthetic.seed": (0, 2**63 - 1),
    f"{_DATA}.synthetic.*": (1, 10**6),
}


def check(config: Mapping, source: str = "") -> None:
    """Check the numbers of a configuration.

    Args:
        config: sections with their keys, references resolved.
        source: the configuration file, for messages.

    Raises:
        ConfigError: a number outside its range.
    """
    for key, value in _numbers(config, ""):
        pattern = next((each for each in RANGES if fnmatchcase(key, each)), None)
        if pattern is None:
            continue
        least, most = RANGES[pattern]
        if not least <= value <= most:  # which NaN is not, either
            where = f"{source}: " if source else ""
            raise ConfigError(
                f"{where}{key} is {value!r}; expected a number from {least} to {most}"
            )


def _numbers(value: Any, key: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _numbers(each, f"{key}.{name}" if key else str(name))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield key, value
