"""The default sections of a model and of datasets, as their YAML files ship them."""

from collections.abc import Iterable
from typing import Any

from omegaconf import OmegaConf


def defaults_of(model: str, datasets: Iterable[str]) -> dict[str, Any]:
    """``model_config`` and ``dataset_config`` as shipped, references unresolved.

    Sections of a model or dataset without such a file are empty.
    """
    from mmf.common.registry import registry
    from mmf.utils.configuration import load_yaml

    merged = OmegaConf.create({"model_config": {}, "dataset_config": {}})
    owners = [registry.get_model_class(model), *map(registry.get_builder_class, datasets)]
    for owner in owners:
        if owner is not None and (path := owner.config_path()):
            merged = OmegaConf.merge(merged, load_yaml(path))
    content = OmegaConf.to_container(merged)
    return {name: content[name] for name in ("model_config", "dataset_config")}
