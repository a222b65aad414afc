"""``source`` and ``annotations`` as typed: they replace what a configuration file says."""

import re
from collections.abc import Mapping
from pathlib import Path

from mmf_cmsbert.config.schemas.datasets import DATASETS
from mmf_cmsbert.config.words import value_of
from mmf_cmsbert.errors import ConfigError

_SOURCE = re.compile(r"(dataset_config\.(\w+))\.source")
_ANNOTATIONS = re.compile(r"(dataset_config\.(\w+))\.annotations\b.*")


def complete(options: Mapping[str, str], predict: bool = False) -> dict[str, str]:
    """Options that make a typed ``source``, or typed ``annotations``, the only answer.

    A configuration file, such as a run's own, may hold the other one, or make a synthetic corpus. A
    relative path becomes absolute where the working folder has it, so that a record of the run
    names the same data everywhere.

    Args:
        options: key -> value as typed.
        predict: whether only predictions are wanted. Then typed ``annotations`` replace the file's
            ``source``; a training on one split from here and another from there is refused.

    Returns:
        The options to add or replace.

    Raises:
        ConfigError: both are typed.
    """
    sources = {m[2]: key for key in options if (m := _SOURCE.fullmatch(key))}
    lists = {m[2]: key for key in options if (m := _ANNOTATIONS.fullmatch(key))}
    found: dict[str, str] = {}
    for name, key in sources.items():
        value = value_of(options[key])
        if value is None or name not in DATASETS:
            continue
        if name in lists:
            raise ConfigError(
                f"{key}={options[key]} and {lists[name]}={options[lists[name]]} are both typed: "
                "two answers to where the data is. Type one of them"
            )
        found[key] = repr(_absolute(value)) if isinstance(value, list) else _absolute(value)
        for split, files in DATASETS[name].shipped_annotations().items():
            found[f"dataset_config.{name}.annotations.{split}"] = repr(files)
        if not any(each.startswith(f"dataset_config.{name}.synthetic") for each in options):
            found[f"dataset_config.{name}.synthetic"] = "None"
    for name in lists:
        if predict and name not in sources and name in DATASETS:
            found[f"dataset_config.{name}.source"] = "None"
    return found


def _absolute(value):
    if isinstance(value, list):
        return [_absolute(each) for each in value]
    try:
        path = Path(str(value)).expanduser()
        return str(path.absolute() if path.exists() else value)
    except (OSError, RuntimeError):
        return str(value)
