"""The length of a run: either ``training.max_updates`` or ``training.max_epochs``.

Each source of settings (an included file, the file that includes it, ``--config_override``, the
command line) replaces the length set by sources of lower precedence, whichever key they use.
"""

import math
from collections.abc import Mapping
from typing import Any

from mmf_cmsbert.config.schemas.training import EPOCHS, UPDATES
from mmf_cmsbert.errors import ConfigError


def settled(content: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return a file's content with the key that it does not set changed to null.

    Args:
        content: sections with their keys.
        source: the file's name, for messages.

    Raises:
        ConfigError: the file sets both keys.
    """
    training = content.get("training")
    if not isinstance(training, Mapping):
        return dict(content)
    return {**content, "training": {**training, **_off(training, source, "{key}: {value}")}}


def typed(options: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, None]:
    """Return the key to change to null because a command line sets the other one.

    Args:
        options: key -> value as typed.
        override: the content of MMF's option --config_override.

    Returns:
        Dotted key -> None.

    Raises:
        ConfigError: the command line or --config_override sets both keys.
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
    """Return the number of updates in ``epochs`` epochs of ``batches`` batches.

    Each update has ``frequency`` batches; the last update of an epoch has the remaining ones.
    """
    return epochs * math.ceil(batches / frequency)


def _off(given: Mapping[str, Any], source: str, form: str) -> dict[str, None]:
    found = {key: given[key] for key in (UPDATES, EPOCHS) if given.get(key) is not None}
    if len(found) == 2:
        pair = " and ".join(form.format(key=key, value=value) for key, value in found.items())
        raise ConfigError(
            f"{source} sets {pair}, but a run has only one length. Set one of them; the other "
            "becomes null"
        )
    return {key: None for key in (UPDATES, EPOCHS) if found and key not in found}
