"""Check that a configuration matches the one that a checkpoint was trained with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mmf_cmsbert.config import trained
from mmf_cmsbert.config.backbone_files import is_here, same_pretrained
from mmf_cmsbert.errors import ConfigError


def check(
    kept: Mapping[str, Any],
    found: Mapping[str, Any],
    defaults: Mapping[str, Any],
    file: str | Path,
    take: str,
    training: bool,
) -> list[str]:
    """Refuse a configuration with which the checkpoint's weights compute something else.

    Args:
        kept: the configuration in the checkpoint.
        found: the current configuration, resolved, plain containers.
        defaults: the defaults of the model and the datasets in use, for keys that the release that
            wrote the checkpoint did not have.
        file: the checkpoint, for the message.
        take: the argument that uses the checkpoint's configuration, for the message.
        training: whether training of the weights continues.

    Returns:
        A warning for each pretrained part with another name that could not be compared, because it
        is not on this machine.

    Raises:
        ConfigError: it lists each key, the value trained with and the current value.
    """
    kept, found = _filled(kept, defaults), _filled(found, defaults)
    if differing := trained.differences(kept, found, same_pretrained):
        raise ConfigError(trained.refusal(differing, str(file), take, training))
    renamed = trained.differences(kept, found)
    return [f"{each}; they could not be compared" for each in renamed if _unknown(each)]


def _unknown(each: trained.Difference) -> bool:
    return not (is_here(each.trained) and is_here(each.found))


def _filled(config: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    sections = ("model_config", "dataset_config")
    own = {name: config.get(name) or {} for name in sections}
    merged = OmegaConf.merge(*(OmegaConf.create(dict(each)) for each in (defaults, own)))
    # References of the defaults refer to folders of this machine, which are not compared.
    return {**config, **_resolved(OmegaConf.to_container(merged), config)}


def _resolved(node: Any, config: Mapping[str, Any]) -> Any:
    """Replace references to environment variables, which checkpoints contain, by their values."""
    if isinstance(node, Mapping):
        return {key: _resolved(value, config) for key, value in node.items()}
    if isinstance(node, list):
        return [_resolved(value, config) for value in node]
    if not isinstance(node, str) or "${" not in node:
        return node
    try:
        return OmegaConf.create({**config, "_value": node})["_value"]
    except (OmegaConfBaseException, KeyError, ValueError):  # a variable that is not set here
        return node
