"""MMF's configuration, layer by layer: defaults, the file, ``--config_override``, the command line.

MMF builds them at once, and has to be told everything before. Here it is not built: a command line
is completed and checked against the layers, and MMF builds its configuration for the run alone.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from omegaconf import DictConfig

from mmf_cmsbert.config import shipped, words

_INDEXED = re.compile(r"(.+)\[(\d+)\]")


class Layers:
    """Puts the layers together, as MMF does.

    MMF's defaults become the configuration of this process where it has none: MMF would build one
    as soon as anything is asked for.
    """

    def __init__(self) -> None:
        from mmf.common.registry import registry
        from mmf.utils import configuration

        # MMF's own: a missing key is None
        self._merge = configuration.OmegaConf.merge
        self._mmf = configuration.Configuration.__new__(configuration.Configuration)
        self._mmf._register_resolvers()
        self._base = self._merge(shipped.own_defaults(), self._mmf._build_default_config())
        if registry.get("config", no_warning=True) is None:
            registry.register("config", self._base)

    def defaults(self, model: str, datasets: Iterable[str]) -> DictConfig:
        """The configuration without a file."""
        config: DictConfig = self._merge(self._base, shipped.defaults_of(model, datasets))
        return config

    def over(self, config: DictConfig, *layers: Mapping[Any, Any]) -> DictConfig:
        """The configuration with layers above it, such as a file; the last one is on top."""
        merged: DictConfig = self._merge(config, *layers)
        return merged

    def with_options(self, config: DictConfig, options: Mapping[str, str]) -> DictConfig:
        """The configuration of a run, references unresolved.

        Args:
            config: with its file. Left as it is.
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
