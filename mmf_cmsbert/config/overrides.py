"""The ``key=value`` words of the command line: read as YAML, checked before anything is built."""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf

from mmf_cmsbert.config import words as values
from mmf_cmsbert.config.schemas.names import unknown_key
from mmf_cmsbert.errors import ConfigError

# Sections with names that only the user knows, which are given as a whole.
_OPEN = ("checkpoint.pretrained_state_mapping",)


def parse(words: Sequence[str]) -> dict[str, str]:
    """Read ``key=value`` words, or MMF's older alternating ``key value``, to key -> value.

    Values are YAML, as in the configuration files, and paths are taken as they are: ``true``,
    ``null`` and ``[a, b]`` come out in the Python spelling that MMF understands (it takes ``true``
    for a string). :func:`mmf_cmsbert.config.words.write` makes words for MMF of them.

    Raises:
        ConfigError: a word that is not ``key=value``, or brackets that are not YAML.
    """
    if words and "=" not in words[0]:
        if len(words) % 2:
            raise ConfigError(f"{words[-1]!r} has no value; type {words[-1]}=VALUE")
        words = [f"{key}={value}" for key, value in zip(words[::2], words[1::2], strict=True)]
    options = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key or key.startswith("-"):
            raise ConfigError(f"{word!r} is no option; expected KEY=VALUE, as in training.seed=1")
        options[key] = values.read(key, value)
    return options


def check(
    options: Mapping[str, str],
    config: Mapping[str, Any],
    sections: bool = False,
    defaults: Mapping[str, Any] | None = None,
) -> None:
    """See that each option names a key of ``config`` that can take a value.

    Args:
        options: key -> value.
        config: what the options are to change.
        sections: whether keys for a whole section pass, which MMF then ignores.
        defaults: the configuration without its file. A section passes that the file alone makes
            of a value, such as null.

    Raises:
        ConfigError: an unknown key (with the nearest known one), or a whole section.
    """
    for option, text in options.items():
        node: Any = config
        walked: list[str] = []
        for part in option.split("."):
            name, _, index = part.partition("[")
            if not isinstance(node, Mapping) or name not in node:
                place = ".".join(walked)
                if not isinstance(node, Mapping):
                    raise ConfigError(f"{option}: {place} takes a value and has no keys")
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
        raise ConfigError(f"{option}: there is no item [{number}] there")
    return node[int(number)]
