"""Weights of a model for other targets: heads belong to targets, not to their places."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from torch import Tensor

from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig

_FIRST, _FURTHER = "network.head", "network.heads"


def with_own_heads(
    state: Mapping[str, Tensor], kept: CMSBERTConfig, own: CMSBERTConfig
) -> dict[str, Tensor]:
    """Return a checkpoint's state with its heads under the names of an own model's heads.

    A head is kept if the own model has a target of the same name, limits and classes. The other
    heads are left out: their outputs mean something else.

    Args:
        state: the weights of the checkpoint, name -> tensor.
        kept: the targets and heads that they were trained with.
        own: the configuration of the own model.
    """
    theirs, ours = _heads(kept), _heads(own)
    renamed = {
        place: ours[name][1]
        for name, (definition, place) in theirs.items()
        if name in ours and ours[name][0] == definition
    }
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        place = next((p for _, p in theirs.values() if name.startswith(f"{p}.")), None)
        if place is None:
            found[name] = tensor
        elif place in renamed:
            found[renamed[place] + name[len(place) :]] = tensor
    return found


def whole_parts(names: Collection[str], all_names: Collection[str]) -> list[str]:
    """Return the largest parts whose tensors are all among the names.

    >>> whole_parts({"a.b.x", "a.b.y", "c.x"}, ["a.b.x", "a.b.y", "a.z", "c.x"])
    ['a.b', 'c']

    Args:
        names: names of tensors.
        all_names: those of all tensors of the model.
    """
    return list(dict.fromkeys(_parts(set(names), sorted(all_names), "")))


def _parts(names: set[str], all_names: list[str], prefix: str) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for name in all_names:
        first = name[len(prefix) :].split(".")[0]
        groups.setdefault(f"{prefix}{first}", []).append(name)
    for part, below in groups.items():
        if names.issuperset(below):
            yield part
        elif not names.isdisjoint(below):
            yield from _parts(names, below, f"{part}.")


def _heads(settings: CMSBERTConfig) -> dict[str, tuple[Any, str]]:
    """Return target -> its definition, and where its head is."""
    found: dict[str, tuple[Any, str]] = {}
    for number, (name, target) in enumerate(settings.heads().items()):
        place = f"{_FURTHER}.{name}" if number else _FIRST
        found[name] = ((target, None if number else settings.head.classes), place)
    return found
