"""Overrides in Python's containers, as the words of a command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from mmf_cmsbert.config import words
from mmf_cmsbert.errors import ConfigError


def words_of(overrides: Mapping[str, Any] | Sequence[str] | None) -> list[str]:
    """The words ``KEY=VALUE`` of overrides.

    >>> words_of({"training": {"seed": 2}, "model_config.cmsbert.modalities": ["text"]})
    ['training.seed=2', 'model_config.cmsbert.modalities=[text]']

    Args:
        overrides: dotted keys with values, nested mappings, or words.

    Raises:
        ConfigError: neither of them, or a value that a configuration cannot hold.
    """
    if overrides is None:
        return []
    if isinstance(overrides, Mapping):
        return [f"{key}={_text(key, value)}" for key, value in _flat(overrides)]
    if isinstance(overrides, str) or not all(isinstance(word, str) for word in overrides):
        raise ConfigError(
            f"overrides is {overrides!r}; expected a mapping, as in {{'training.seed': 2}}, or a "
            "list of words, as in ['training.seed=2']"
        )
    return list(overrides)


def _flat(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and value and "." not in str(name):
            yield from _flat(value, f"{key}.")
        else:
            yield key, value


def _text(key: str, value: Any) -> str:
    value = _plain(value)
    if isinstance(value, str) and words.is_path(key):
        return value  # taken as typed
    try:
        text: str = yaml.safe_dump(
            value, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False
        )
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{key} is {value!r}; expected what YAML holds: numbers, text, lists, mappings"
        ) from error
    return text.removesuffix("\n").removesuffix("\n...")


def _plain(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    item = getattr(value, "item", None)  # a scalar of NumPy or torch
    return item() if callable(item) and getattr(value, "ndim", None) == 0 else value
