"""References to environment variables, which records and checkpoints keep instead of the values.

A variable may hold a password or a token. MMF's variables (``MMF_DATA_DIR`` and the like)
hold folders, and are replaced by their values as every other reference is.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

_REFERENCE = re.compile(r"(?<!\\)\$\{\s*(?:oc\.)?env\s*:\s*['\"]?(?!MMF_)")


def without_values(config: Any) -> Any:
    """A configuration in plain containers, resolved except for environment variables.

    A value that refers to a variable, directly or through another key, keeps the reference. Read
    as a configuration again, it gives the same run where the variable is set.
    """
    return OmegaConf.to_container(literal(config), resolve=True)


def literal(config: Any) -> DictConfig:
    """A configuration in which references to environment variables are text."""
    return OmegaConf.create(_escaped(OmegaConf.to_container(OmegaConf.create(config))))


def with_values(node: Any) -> Any:
    """Plain containers with the references that :func:`without_values` kept replaced by values.

    A variable that is not set keeps its reference.
    """
    if isinstance(node, Mapping):
        return {with_values(key): with_values(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [with_values(value) for value in node]
    if not isinstance(node, str) or not _REFERENCE.search(node):
        return node
    try:
        content: Any = OmegaConf.to_container(OmegaConf.create([node]), resolve=True)
        return content[0]
    except (OmegaConfBaseException, KeyError, ValueError):
        return node


def with_references(text: str, kept: Any) -> str:
    """A text in which the values of references are replaced by the references themselves.

    Args:
        text: for example a path that begins with the value of a variable.
        kept: plain containers with the references.
    """
    values = {str(with_values(reference)): reference for reference in _references(kept)}
    for value in sorted(filter(None, values), key=len, reverse=True):
        text = text.replace(value, values[value])
    return text


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for value in node:
            yield from _references(value)
    elif isinstance(node, str) and _REFERENCE.search(node):
        yield node


def _escaped(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _escaped(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_escaped(value) for value in node]
    if isinstance(node, str) and _REFERENCE.search(node):
        return node.replace("${", "\\${")
    return node
