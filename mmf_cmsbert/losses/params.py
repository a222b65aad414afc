"""Checks on the params a loss is given in YAML: ConfigError says what was found and expected."""

import math
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import TypeGuard

from mmf_cmsbert.errors import ConfigError


def reject_unknown(loss: str, unknown: Mapping[str, object], known: Collection[str]) -> None:
    for param in unknown:
        close = get_close_matches(param, known, n=1)
        meant = f"did you mean {close[0]}? " if close else ""
        raise ConfigError(
            f"loss {loss}: there is no params.{param}; {meant}It takes {', '.join(known)}"
        )


def check_choice(loss: str, param: str, found: object, choices: Collection[str]) -> None:
    if not isinstance(found, str) or found not in choices:
        _reject(loss, param, found, f"one of {', '.join(choices)}")


def check_smoothing(loss: str, found: object) -> None:
    if not _is_number(found) or not 0 <= found < 1:
        _reject(loss, "label_smoothing", found, "a number in [0, 1)")


def check_weight(loss: str, found: object) -> None:
    if not _is_number(found) or not found >= 0:
        _reject(loss, "weight", found, "a number >= 0")


def check_temperature(loss: str, found: object) -> None:
    if not _is_number(found) or not found > 0:
        _reject(loss, "temperature", found, "a number > 0")


def check_pairs(loss: str, found: object) -> None:
    if found is not None and not (_is_list(found) and found and all(map(_is_pair, found))):
        _reject(loss, "pairs", found, "null or a list such as [[text, visual], [text, acoustic]]")


def check_embeddings(loss: str, found: object) -> None:
    if found is not None and not isinstance(found, Mapping):
        _reject(loss, "embeddings", found, "null or a mapping such as {text: <key of the output>}")


def _reject(loss: str, param: str, found: object, expected: str) -> None:
    raise ConfigError(f"loss {loss}: params.{param} is {found!r}, expected {expected}")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_pair(value: object) -> bool:
    return _is_list(value) and len(value) == 2 and value[0] != value[1]
