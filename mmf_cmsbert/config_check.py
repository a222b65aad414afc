"""Unknown keys of a configuration section are errors: a misspelt override must not be ignored."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from mmf_cmsbert.errors import ConfigError


def check_keys(given: Any, known: Mapping, where: str, free: Collection[str] = ()) -> None:
    """Raise unless every key of ``given`` stands in ``known``, at every depth.

    Args:
        given: the section as configured, a mapping or an OmegaConf node.
        known: the shipped section, whose keys are the ones that can be set. What is not a mapping
            in it is a value and is not looked into.
        where: the section's name, for the message, e.g. ``dataset_config.mosi``.
        free: sub-sections below ``where`` that take any key, dotted; ``*`` stands for one or more
            keys, e.g. ``processors.*.params``.

    Raises:
        ConfigError: an unknown key, or a single value where a section is expected.
    """
    _check(given, known, where, "", free)


def _check(given: Any, known: Mapping, where: str, below: str, free: Collection[str]) -> None:
    if any(fnmatchcase(below, pattern) for pattern in free):
        return
    here = f"{where}.{below}" if below else where
    if not hasattr(given, "keys"):
        raise ConfigError(
            f"{here} is {given!r}; expected a section with the keys {', '.join(map(str, known))}"
        )
    for key in given:
        if key not in known:
            raise ConfigError(_unknown(here, key, known))
        # An empty one is for names that only the user knows.
        if isinstance(known[key], Mapping) and known[key]:
            _check(given[key], known[key], where, f"{below}.{key}" if below else key, free)


def _unknown(here: str, key: Any, known: Mapping) -> str:
    names = [str(name) for name in known]
    close = get_close_matches(str(key), names, n=1)
    hint = f" Did you mean {here}.{close[0]}?" if close else ""
    return f"{here}.{key} is not a known key.{hint} Known keys: {', '.join(names)}"


def unknown_name(what: str, name: str, known: Collection[str]) -> str:
    """The message for a name (of a model, a dataset, ...) under which nothing is registered."""
    close = get_close_matches(name, list(known), n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"{what}={name}: no {what} of that name.{hint} Known: {', '.join(sorted(known))}"
