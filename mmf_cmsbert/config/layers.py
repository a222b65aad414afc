"""The layers of MMF's configuration: defaults, file, ``--config_override``, command line.

MMF merges all layers at once and only from a complete command line. Here the layers are merged
separately, to complete and check the command line; MMF then builds its configuration once, for the
run.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from omegaconf import DictConfig

from mmf_cmsbert.config import shipped, words

_INDEXED = re.compile(r"(.+)\[(\d+)\]")


class Layers:
    """Merges the layers as MMF does.

    If the process has no configuration yet, MMF's defaults are registered as one. Otherwise MMF
    would build another as soon as a key is read.
    """

    def __init__(self) -> None:
        from mmf.common.registry import registry
        from mmf.utils import configuration

        # MMF's version, in which a missing key is None
        self._merge = configuration.OmegaConf.merge
        self._mmf = configuration.Configuration.__new__(configuration.Configuration)
        self._mmf._register_resolvers()
        self._base = self._merge(shipped.own_defaults(), self._mmf._build_default_config())
        if registry.get("config", no_warning=True) is None:
            registry.register("config", self._base)

    def defaults(self, model: str, datasets: Iterable[str]) -> DictConfig:
        """Return the configuration without a file."""
        config: DictConfig = self._merge(self._base, shipped.defaults_of(model, datasets))
        return config

    def over(self, config: DictConfig, *layers: Mapping[Any, Any]) -> DictConfig:
        """Merge layers, such as a file, over a configuration; later ones have precedence."""
        merged: DictConfig = self._merge(config, *layers)
        return merged

    def with_options(self, config: DictConfig, options: Mapping[str, str]) -> DictConfig:
        """Return the configuration of a run, references unresolved.

        Args:
            config: the configuration with its file; not modified.
            options: key -> value as typed; the keys exist.
        """
        result = self._merge(config)
        for key, text in options.items():
            _set(result, "datasets" if key == "dataset" else key, words.option_value(key, text))
        self._mmf._update_specific(result)
        self._mmf.upgrade(result)
        return result


def _set(config: Any, key: str, value: Any) -> None:
    *path, last = [part for name in key.split(".") for part in _steps(name)]
    for part in path:
        config = config[part]
    config[last] = value


def _steps(name: str) -> list[str | int]:
    indexed = _INDEXED.fullmatch(name)
    return [*_steps(indexed[1]), int(indexed[2])] if indexed else [name]
