"""A typed ``source`` or ``annotations`` replaces the values of a configuration file."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmf_cmsbert.config import definitions
from mmf_cmsbert.config.words import value_of
from mmf_cmsbert.errors import ConfigError

_SOURCE = re.compile(r"(dataset_config\.(\w+))\.source")
_ANNOTATIONS = re.compile(r"(dataset_config\.(\w+))\.annotations\b.*")


def complete(options: Mapping[str, str], predict: bool = False) -> dict[str, str]:
    """Return options that unset the other keys for data, if ``source`` or ``annotations`` is typed.

    A configuration file, such as a run's ``config.yaml``, may set the other one, or a synthetic
    corpus. A relative path that exists in the working folder becomes absolute, so that the record
    of the run names the data.

    Args:
        options: key -> value as typed.
        predict: whether the run only predicts. Then typed ``annotations`` replace the file's
            ``source``; a training with splits from both is refused.

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
        schema = definitions.find(name)
        if value is None or schema is None:
            continue
        if name in lists:
            raise ConfigError(
                f"{key}={options[key]} and {lists[name]}={options[lists[name]]} both name the "
                "data. Type one of them"
            )
        found[key] = repr(_absolute(value)) if isinstance(value, list) else _absolute(value)
        for split, files in schema.shipped_annotations().items():
            found[f"dataset_config.{name}.annotations.{split}"] = repr(files)
        if predict:  # new data is predicted as a whole
            found[f"dataset_config.{name}.split"] = "None"
        if not any(each.startswith(f"dataset_config.{name}.synthetic") for each in options):
            found[f"dataset_config.{name}.synthetic"] = "None"
    for name in lists:
        if predict and name not in sources and definitions.find(name):
            found[f"dataset_config.{name}.source"] = "None"
            found[f"dataset_config.{name}.split"] = "None"
    return found


def _absolute(value: Any) -> Any:
    if isinstance(value, list):
        return [_absolute(each) for each in value]
    try:
        path = Path(str(value)).expanduser()
        return str(path.absolute() if path.exists() else value)
    except (OSError, RuntimeError):
        return str(value)
