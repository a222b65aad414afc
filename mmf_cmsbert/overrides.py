"""The ``key=value`` words of the command line: read as YAML, checked before anything is built."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf

from mmf_cmsbert.config import words as values
from mmf_cmsbert.config.words import value_of as value_of
from mmf_cmsbert.errors import ConfigError

_AT_LEAST_ONE = tuple(
    f"training.{name}"
    for name in ("batch_size", "log_interval", "evaluation_interval", "checkpoint_interval")
)
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
    config: Mapping,
    sections: bool = False,
    defaults: Mapping | None = None,
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
        node, walked = config, []
        for part in option.split("."):
            name, _, index = part.partition("[")
            if not isinstance(node, Mapping) or name not in node:
                raise ConfigError(_unknown(option, name, node, walked))
            node = node[name]
            walked.append(part)
            if index:
                node = _item(node, index, option)
        if isinstance(node, Mapping) and node and not sections:
            optional = not isinstance(OmegaConf.select(defaults or config, option), Mapping)
            keys = isinstance(value_of(text), Mapping)
            if (option in _OPEN and keys) or (optional and not keys):
                continue
            raise ConfigError(
                f"{option} is a section; name a key in it: "
                + ", ".join(f"{option}.{key}" for key in node)
            )


def check_value(key: str, value: Any, default: Any) -> None:
    """See that a value is of its default's kind, where that is a number or true or false.

    MMF takes any value, and fails on it later or, where it asks ``if value``, never. null stands
    for no value, and passes. Of training's whole numbers those that count or divide are at least 1.

    Raises:
        ConfigError: the value is of another kind, or too small.
    """
    if value is None or not isinstance(default, (bool, int, float)):
        return
    whole = type(default) is int and key.startswith("training.")
    least_one = key in _AT_LEAST_ONE
    if isinstance(default, bool):
        fits, expected = isinstance(value, bool), "true or false"
    elif whole or least_one:
        fits, expected = type(value) is int, "a whole number"
    else:
        fits, expected = type(value) in (int, float), "a number"
    if fits and least_one and value < 1:
        fits, expected = False, "a whole number, at least 1"
    if not fits:
        raise ConfigError(f"{key} is {value!r}; expected {expected}, as in {key}={default}")


def _item(node, index: str, option: str):
    number = index.removesuffix("]")
    if not isinstance(node, Sequence) or not number.isdigit() or int(number) >= len(node):
        raise ConfigError(f"{option}: there is no item [{number}] there")
    return node[int(number)]


def _unknown(option: str, name: str, node, walked: list[str]) -> str:
    place = ".".join(walked)
    known = sorted(map(str, node)) if isinstance(node, Mapping) else []
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    message = f"{option} is no key of the configuration"
    if close:
        return f"{message}; did you mean {'.'.join([*walked, close[0]])}?"
    if known:
        return f"{message}; {place or 'the top level'} has " + ", ".join(known)
    return f"{message}; {place} takes a value and has no keys"
