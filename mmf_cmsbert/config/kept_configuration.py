"""Whether the weights of a checkpoint compute the same with a configuration as with their own."""

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
    """Refuse a configuration that gives the checkpoint's weights another meaning.

    Args:
        kept: the configuration in the checkpoint.
        found: the configuration at hand, resolved, plain containers.
        defaults: what the model and the datasets in use have by default, for keys that the
            release which wrote the checkpoint did not know.
        file: the checkpoint, for the message.
        take: the word that takes the configuration from it, for the message.
        training: whether the weights are to be trained on.

    Returns:
        Pretrained parts that have another name now and are not both on this machine, so that
        nothing says whether they are the same: a line each.

    Raises:
        ConfigError: it names each key, the value trained with and the value found.
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
    # References of the defaults lead to the machine's folders, which are not looked at.
    return {**config, **_resolved(OmegaConf.to_container(merged), config)}


def _resolved(node: Any, config: Mapping[str, Any]) -> Any:
    """References to variables of the environment, which checkpoints keep, replaced by values."""
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
