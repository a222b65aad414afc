"""The ``key=value`` arguments of the command line, read as YAML and checked."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf

from mmf_cmsbert.config import words as values
from mmf_cmsbert.config.schemas.names import unknown_key
from mmf_cmsbert.errors import ConfigError

# Sections to which an option adds a key that the user chooses.
_ADDED = re.compile(r"dataset_config\.\w+\.(features|columns)\.\w+")
# Sections with keys that the user chooses, which are given as a whole.
_OPEN = ("checkpoint.pretrained_state_mapping",)


def parse(words: Sequence[str]) -> dict[str, str]:
    """Parse ``key=value`` arguments, or MMF's older alternating ``key value``, to key -> value.

    Values are YAML, as in the configuration files; paths are not parsed. ``true``, ``null`` and
    ``[a, b]`` are returned as Python literals, which MMF reads (it reads ``true`` as a string).
    :func:`mmf_cmsbert.config.words.write` converts them to arguments for MMF.

    Raises:
        ConfigError: an argument is not ``key=value``, or its brackets are not valid YAML.
    """
    if words and "=" not in words[0]:
        if len(words) % 2:
            raise ConfigError(f"{words[-1]!r} has no value; type {words[-1]}=VALUE")
        words = [f"{key}={value}" for key, value in zip(words[::2], words[1::2], strict=True)]
    options = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key or key.startswith("-"):
            raise ConfigError(
                f"{word!r} is not an option; expected KEY=VALUE, as in training.seed=1"
            )
        options[key] = values.read(key, value)
    _check_sections(options)
    return options


def _check_sections(options: Mapping[str, str]) -> None:
    """Refuse a section that one option replaces by null and another sets a key of."""
    for option in options:
        for parent in (option[:i] for i, letter in enumerate(option) if letter == "."):
            if parent in options and values.value_of(options[parent]) is None:
                raise ConfigError(
                    f"{parent}=null removes the section in which {option} is; remove one of them"
                )


def added(options: Mapping[str, str], config: Any) -> dict[str, Any]:
    """Return the options that add a modality or a column, which MMF takes by a file only.

    Args:
        options: key -> value.
        config: the configuration with its file.

    Returns:
        Nested sections with their values, as in a file; empty if there are none.
    """
    found: dict[str, Any] = {}
    for option, text in options.items():
        *path, last = option.split(".")
        section = OmegaConf.select(config, ".".join(path))
        if _ADDED.fullmatch(option) and isinstance(section, Mapping) and last not in section:
            below = found
            for part in path:
                below = below.setdefault(part, {})
            below[last] = values.value_of(text)
    return found


def check(
    options: Mapping[str, str],
    config: Mapping[str, Any],
    sections: bool = False,
    defaults: Mapping[str, Any] | None = None,
) -> None:
    """Check that each option names a key of ``config`` that can have a value.

    Args:
        options: key -> value.
        config: the configuration that the options change.
        sections: whether a value for a whole section is allowed; MMF ignores it.
        defaults: the configuration without its file. A section can be replaced by a value if it
            is a value here, such as null.

    Raises:
        ConfigError: a key is unknown (the nearest known one is named), or is a whole section.
    """
    for option, text in options.items():
        node: Any = config
        walked: list[str] = []
        for part in option.split("."):
            name, _, index = part.partition("[")
            if not isinstance(node, Mapping) or name not in node:
                place = ".".join(walked)
                if not isinstance(node, Mapping):
                    raise ConfigError(f"{option}: {place} has a value and no keys")
                raise ConfigError(unknown_key(place, name, node))
            node = node[name]
            walked.append(part)
            if index:
                node = _item(node, index, option)
        if isinstance(node, Mapping) and node and not sections:
            below: Any = defaults or config
            optional = not isinstance(OmegaConf.select(below, option), Mapping)
            keys = isinstance(values.value_of(text), Mapping)
            if (option in _OPEN and keys) or (optional and not keys):
                continue
            raise ConfigError(
                f"{option} is a section; name a key in it: "
                + ", ".join(f"{option}.{key}" for key in node)
            )


def _item(node: Any, index: str, option: str) -> Any:
    number = index.removesuffix("]")
    if not isinstance(node, Sequence) or not number.isdigit() or int(number) >= len(node):
        raise ConfigError(f"{option}: there is no item [{number}] in this list")
    return node[int(number)]
