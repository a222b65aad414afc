"""How long a run is: ``training.max_updates`` or ``training.max_epochs``, never both.

Each source of settings (an included file, the file that includes it, ``--config_override``, the
command line) replaces the length that the sources below it give, in whichever of the two keys.
"""

import math
from collections.abc import Mapping
from typing import Any

from mmf_cmsbert.config.schemas.training import EPOCHS, UPDATES
from mmf_cmsbert.errors import ConfigError


def settled(content: Mapping[str, Any], source: str) -> dict[str, Any]:
    """A source of settings in which the one key that it sets switches the other one off.

    Args:
        content: sections with their keys.
        source: the file's name, for messages.

    Raises:
        ConfigError: it sets both keys.
    """
    training = content.get("training")
    if not isinstance(training, Mapping):
        return dict(content)
    return {**content, "training": {**training, **_off(training, source, "{key}: {value}")}}


def typed(options: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, None]:
    """Keys that a command line switches off by setting the other one.

    Args:
        options: key -> value as typed.
        override: the content of MMF's option --config_override.

    Returns:
        Dotted keys, with the value null.

    Raises:
        ConfigError: the command line sets both keys, or --config_override does.
    """
    given = {k: options[f"training.{k}"] for k in (UPDATES, EPOCHS) if f"training.{k}" in options}
    off = _off(given, "the command line", "training.{key}={value}")
    if not off:
        below = override.get("training")
        below = below if isinstance(below, Mapping) else {}
        off = _off(below, "--config_override", "{key}: {value}")
        off = {key: value for key, value in off.items() if given.get(key) is None}
    return {f"training.{key}": value for key, value in off.items()}


def updates(epochs: int, batches: int, frequency: int) -> int:
    """Updates of ``epochs`` passes over ``batches`` batches, ``frequency`` batches an update.

    The batches left over at the end of an epoch make an update of their own.
    """
    return epochs * math.ceil(batches / frequency)


def _off(given: Mapping[str, Any], source: str, form: str) -> dict[str, None]:
    found = {key: given[key] for key in (UPDATES, EPOCHS) if given.get(key) is not None}
    if len(found) == 2:
        pair = " and ".join(form.format(key=key, value=value) for key, value in found.items())
        raise ConfigError(
            f"{source} sets {pair}: which one ends the run? Set one of them; the other one is "
            "null then"
        )
    return {key: None for key in (UPDATES, EPOCHS) if found and key not in found}
