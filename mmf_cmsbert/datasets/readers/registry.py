"""The registered layouts by name."""

import hashlib
import pkgutil
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from mmf_cmsbert.datasets.readers.layout import Layout
from mmf_cmsbert.errors import ConfigError

AUTO = "auto"
_PACKAGE = "mmf_cmsbert.datasets.readers.layouts"
_layouts: dict[str, Layout] = {}
Class = TypeVar("Class", bound=type[Layout])


def register_layout(name: str) -> Callable[[Class], Class]:
    """Register the decorated subclass of :class:`~.layout.Layout` under ``name``.

    The name is then accepted as ``dataset_config.<dataset>.layout`` and as ``--layout``, and files
    that the layout recognises are read by it wherever the layout is ``auto``.

    Raises:
        ConfigError: the name is taken by another class.
    """

    def register(layout: Class) -> Class:
        if not _is_own(layout):
            _import_own()  # their names are taken
        taken = _layouts.get(name)
        if name == AUTO or (taken is not None and _place(type(taken)) != _place(layout)):
            by = f"the layout of {_place(type(taken))}" if taken else "the choice by content"
            raise ConfigError(
                f"{_place(layout)}: the name {name!r} is taken by {by}; register the layout under "
                "another name"
            )
        layout.name = name
        _layouts[name] = layout()
        return layout

    return register


def layouts() -> list[Layout]:
    """Return all layouts, those with a low rank first."""
    _import_own()
    return sorted(_layouts.values(), key=lambda each: (each.rank, each.name))


def choices() -> list[str]:
    """Return the names that a user may type: ``auto``, and the name of each layout."""
    return [AUTO, *(each.name for each in layouts())]


def layout_named(name: str) -> Layout:
    """Return the layout registered under ``name``.

    Raises:
        ConfigError: there is none.
    """
    _import_own()
    if name not in _layouts:
        raise ConfigError(_unknown("the layout", name))
    return _layouts[name]


def check_layout(layout: Any, key: str) -> None:
    """Check that ``layout``, the value of ``key``, names a layout.

    Raises:
        ConfigError: it does not; the message lists the names.
    """
    if layout not in choices():
        raise ConfigError(_unknown(key, layout))


def recognise(path: Path) -> Layout | None:
    """Return the layout of a file or folder; None if only reading the file shows it.

    Pickles must be read: see :mod:`.pickled_layout`. A folder with a store in it is a store,
    whatever other files it has.
    """
    return next((each for each in reversed(layouts()) if each.recognise(path)), None)


def code_of(layout: Layout) -> str | None:
    """Return a hash of the file of a layout outside this package; None for our layouts."""
    if _is_own(type(layout)):
        return None
    file = getattr(sys.modules.get(type(layout).__module__), "__file__", None)
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else None


def _unknown(key: str, layout: Any) -> str:
    return (
        f"{key} is {layout!r}; expected one of {', '.join(choices())}, or a layout that the "
        "package in env.user_dir registers"
    )


@cache
def _import_own() -> None:
    for module in pkgutil.iter_modules(import_module(_PACKAGE).__path__, f"{_PACKAGE}."):
        import_module(module.name)


def _is_own(layout: type[Layout]) -> bool:
    return layout.__module__.startswith("mmf_cmsbert.")


def _place(layout: type[Layout]) -> str:
    return f"{layout.__module__}.{layout.__qualname__}"
