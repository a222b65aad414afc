"""Search spaces: YAML files that map keys to ranges or choices."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from mmf_cmsbert.config.yaml_text import read_yaml
from mmf_cmsbert.errors import ConfigError

_EXPECTED = (
    "expected {low: 1e-5, high: 1e-3, log: true}, with integer ends for integers, or a list of "
    "choices"
)


@dataclass(frozen=True)
class Dimension:
    """One key of the configuration and its values.

    Attributes:
        key: as on the command line of ``mmf_run``.
        low, high: the ends of a range, both included; integers for a range of integers.
        log: whether to sample on a logarithmic scale.
        choices: values to choose from instead of a range.
    """

    key: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()

    def suggest(self, trial: Any) -> Any:
        """Return a value for an Optuna trial."""
        if self.choices:
            # Optuna stores plain values only, so lists and sections are stored as JSON.
            texts = {json.dumps(choice): choice for choice in self.choices}
            return texts[trial.suggest_categorical(self.key, list(texts))]
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        suggest = trial.suggest_int if whole else trial.suggest_float
        return suggest(self.key, self.low, self.high, log=self.log)

    def first(self) -> Any:
        """Return one of its values, to check the key with."""
        return self.choices[0] if self.choices else self.low


def read(file: Path) -> list[Dimension]:
    """Read a search space.

    Raises:
        ConfigError: the file is empty, or a dimension is invalid.
    """
    # Parsed like configuration files, where 1e-5 is a number; PyYAML alone needs 1.0e-5.
    content = read_yaml(file)
    if not content:
        raise ConfigError(f"{file}: found no keys to search over; {_EXPECTED} under each key")
    return [_dimension(str(key), given, file) for key, given in content.items()]


def word(key: str, value: Any) -> str:
    """Return the ``KEY=VALUE`` word for ``mmf_run``."""
    return f"{key}={value if isinstance(value, (str, float)) else json.dumps(value)}"


def _dimension(key: str, given: Any, file: Path) -> Dimension:
    if isinstance(given, list) and given:
        if len({json.dumps(choice) for choice in given}) < len(given):
            raise ConfigError(f"{file}: {key}: {given} lists a choice twice; remove one")
        return Dimension(key, choices=tuple(given))
    if not isinstance(given, Mapping) or not {"low", "high"} <= set(given) <= {
        "low",
        "high",
        "log",
    }:
        raise ConfigError(f"{file}: {key}: found {given!r}; {_EXPECTED}")
    low, high, log = given["low"], given["high"], given.get("log", False)
    if not isinstance(log, bool):
        raise ConfigError(f"{file}: {key}: log is {log!r}; expected true or false")
    for name, value in (("low", low), ("high", high)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
            raise ConfigError(f"{file}: {key}: {name} is {value!r}; expected a number")
    if not low < high:
        raise ConfigError(f"{file}: {key}: low is {low} and high {high}; expected low < high")
    if log and low <= 0:
        raise ConfigError(f"{file}: {key}: low is {low}; with log: true expected more than 0")
    return Dimension(key, low, high, log)
