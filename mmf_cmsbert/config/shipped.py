"""The shipped YAML files of defaults, which are generated from the schemas."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from mmf_cmsbert.config import definitions
from mmf_cmsbert.config.schemas.training import OWN
from mmf_cmsbert.paths import PACKAGE


def model_path(name: str) -> Path:
    """Return the file of a model of this package."""
    return PACKAGE / "configs" / "models" / name / "defaults.yaml"


def dataset_path(name: str) -> Path:
    """Return the file of a dataset of this package."""
    return PACKAGE / "configs" / "datasets" / name / "defaults.yaml"


def dataset_section(name: str) -> dict[str, Any]:
    """Return the defaults of ``dataset_config.<name>``, references unresolved.

    Raises:
        ConfigError: there is no such dataset.
    """
    return definitions.schema_of(name)().plain()


def own_defaults() -> dict[str, dict[str, Any]]:
    """Return the keys that this package adds to sections of MMF."""
    return {name: schema().plain() for name, schema in OWN.items()}


def defaults_of(model: str, datasets: Iterable[str]) -> dict[str, Any]:
    """Return the shipped ``model_config`` and ``dataset_config``, references unresolved.

    A model or dataset without a file of defaults adds nothing.
    """
    from mmf.common.registry import registry
    from mmf.utils.configuration import load_yaml

    merged: Any = OmegaConf.create({"model_config": {}, "dataset_config": {}})
    owners = [registry.get_model_class(model), *map(registry.get_builder_class, datasets)]
    for owner in owners:
        if owner is not None and (path := owner.config_path()):
            merged = OmegaConf.merge(merged, load_yaml(path))
    content: Any = OmegaConf.to_container(merged)
    return {name: content[name] for name in ("model_config", "dataset_config")}
