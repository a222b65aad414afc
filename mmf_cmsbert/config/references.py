"""Check that every reference ``${...}`` in a configuration resolves to a bounded size."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mmf_cmsbert.errors import ConfigError

MOST_CHARACTERS, MOST_STEPS = 1_000_000, 50
# A reference without another one in it, or the name of a resolver.
_REFERENCE = re.compile(r"(?<!\\)\$\{\s*(\.*[^${}:\s]+)\s*\}")
_RESOLVER = re.compile(r"(?<!\\)\$\{\s*([A-Za-z_][\w.]*)\s*:")
_PART = re.compile(r"[^.\[\]]+")

Path = tuple[str, ...]


def check(config: Any) -> None:
    """Check every reference of a configuration.

    Raises:
        ConfigError: a reference refers to itself, expands to more than a million characters, names
            a key or a resolver that does not exist, or its resolver fails.
    """
    content: Any = OmegaConf.to_container(config)
    _Expansion(content, OmegaConf.has_resolver).check()
    try:
        OmegaConf.to_container(config, resolve=True)
    except (OmegaConfBaseException, RecursionError, KeyError, ValueError) as error:
        key = getattr(error, "full_key", None) or "the configuration"
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ConfigError(f"{key} cannot be resolved: {reason[0][:300]}") from error


def origin(config: Any, key: str) -> str:
    """Return the key that ``key`` refers to if its value is a reference; else ``key``.

    Messages name this key, because its value is the one to change.
    """
    content = OmegaConf.to_container(config)
    path = _path(key)
    for _ in range(MOST_STEPS):
        value = _value(content, path)
        found = _REFERENCE.fullmatch(value.strip()) if isinstance(value, str) else None
        if not found:
            break
        path = _target(found[1], path)
    return ".".join(path)


class _Expansion:
    """Counts the characters of each value after its references are replaced."""

    def __init__(self, content: Mapping[str, Any], has_resolver: Callable[[str], bool]):
        self.content, self.has_resolver = content, has_resolver
        self.sizes: dict[Path, int] = {}
        self.open: list[Path] = []

    def check(self) -> None:
        for key, value in self.content.items():
            self._size((str(key),), value)

    def _size(self, path: Path, value: Any) -> int:
        if path in self.sizes:
            return self.sizes[path]
        if path in self.open:
            circle = [*self.open[self.open.index(path) :], path]
            names = " -> ".join(dict.fromkeys([*map(".".join, circle[:-1])]))
            raise ConfigError(
                f"{'.'.join(path)} refers to itself: {names} -> {'.'.join(path)}; give one of "
                "them a value"
            )
        if len(self.open) > MOST_STEPS:
            raise ConfigError(
                f"{'.'.join(self.open[0])}: more than {MOST_STEPS} references in a row"
            )
        self.open.append(path)
        size = 1 + sum(self._parts(path, value))
        self.open.pop()
        if size > MOST_CHARACTERS:
            raise ConfigError(
                f"{'.'.join(path)} has more than {MOST_CHARACTERS:,} characters after its "
                "references are resolved"
            )
        self.sizes[path] = size
        return size

    def _parts(self, path: Path, value: Any) -> Iterator[int]:
        if isinstance(value, Mapping):
            for key, each in value.items():
                yield self._size((*path, str(key)), each)
        elif isinstance(value, list):
            for index, each in enumerate(value):
                yield self._size((*path, str(index)), each)
        elif isinstance(value, str):
            yield len(value)
            self._check_resolvers(path, value)
            for name in _REFERENCE.findall(value):
                target = _target(name, path)
                yield self._size(target, _value(self.content, target))

    def _check_resolvers(self, path: Path, value: str) -> None:
        for name in _RESOLVER.findall(value):
            if not self.has_resolver(name):
                raise ConfigError(
                    f"{'.'.join(path)} is {value[:100]!r}: there is no resolver {name}; expected "
                    "a key, as in ${training.seed}, or ${oc.env:NAME} for an environment variable"
                )


def _path(key: str) -> Path:
    return tuple(_PART.findall(key))


def _target(name: str, path: Path) -> Path:
    """Return the absolute path of a reference; leading dots make it relative to a section."""
    up = len(name) - len(name.lstrip("."))
    return (*(path[:-up] if up else ()), *_path(name))


def _value(content: Any, path: Path) -> Any:
    for part in path:
        if isinstance(content, Mapping):
            content = content.get(part)
        elif isinstance(content, list) and part.isdigit() and int(part) < len(content):
            content = content[int(part)]
        else:
            return None
    return content
