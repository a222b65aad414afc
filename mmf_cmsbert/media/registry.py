"""The registered extractors by kind and name."""

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.media.extractor import Extractor

NONE = "none"
_PACKAGE = "mmf_cmsbert.media.extractors"
_extractors: dict[tuple[str, str], type[Extractor]] = {}
Class = TypeVar("Class", bound=type[Extractor])


def register_extractor(name: str) -> Callable[[Class], Class]:
    """Register the decorated subclass of an extractor's interface under ``name``.

    The name is then accepted by ``cmsbert features --recogniser``, ``--voice`` or ``--face``.

    Raises:
        ConfigError: another class has this name.
    """

    def register(extractor: Class) -> Class:
        key = (extractor.kind, name)
        taken = _extractors.setdefault(key, extractor)
        if (taken.__module__, taken.__qualname__) != (extractor.__module__, extractor.__qualname__):
            raise ConfigError(
                f"{extractor.__module__}: the name {name!r} is taken by {taken.__module__}; "
                "register the extractor under another name"
            )
        extractor.name = name
        _extractors[key] = extractor
        return extractor

    return register


def names(kind: str) -> list[str]:
    """Return the names of the extractors of a kind."""
    _import_own()
    return sorted(name for of, name in _extractors if of == kind)


def class_named(kind: str, name: str) -> type[Extractor]:
    """Return the class registered under ``name``.

    Raises:
        ConfigError: there is none; the message lists the names.
    """
    if name not in names(kind):
        raise ConfigError(f"--{kind} is {name}; expected {_expected(kind)}")
    return _extractors[kind, name]


def create(kind: str, typed: str, model: str | Path | None = None) -> Extractor | None:
    """Create the extractor that a user names.

    Args:
        kind: ``recogniser``, ``voice`` or ``face``.
        typed: ``none``, ``NAME``, ``NAME:MODEL``, or for a recogniser the folder of a model.
        model: the model, if ``typed`` names none.

    Returns:
        None for ``none``.

    Raises:
        ConfigError: there is no such extractor or model, or a library is not installed.
    """
    if typed == NONE:
        return None
    name, _, named = typed.partition(":")
    if name not in names(kind) and kind == "recogniser" and Path(typed).expanduser().is_dir():
        name, named = "faster_whisper", typed
    found = class_named(kind, name)
    chosen = named or model
    if chosen and not found.takes_model:
        raise ConfigError(f"--{kind} {name} uses no model, and {chosen} is named as one")
    return found(chosen) if chosen else found()  # type: ignore[call-arg]


def _expected(kind: str) -> str:
    forms = [
        name + (f"[:{_extractors[kind, name].takes_model}]" if _takes(kind, name) else "")
        for name in names(kind)
    ]
    folder = ", the folder of a faster-whisper model" if kind == "recogniser" else ""
    return f"{', '.join(forms)}{folder} or none"


def _takes(kind: str, name: str) -> bool:
    return bool(_extractors[kind, name].takes_model)


@cache
def _import_own() -> None:
    for module in pkgutil.iter_modules(import_module(_PACKAGE).__path__, f"{_PACKAGE}."):
        import_module(module.name)
