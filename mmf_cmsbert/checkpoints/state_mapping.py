"""Copy parts of a checkpoint into a model: ``checkpoint.pretrained_state_mapping``."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mmf_cmsbert.errors import ConfigError

KEY = "checkpoint.pretrained_state_mapping"


@dataclass
class Copied:
    """The result of copying with a mapping.

    Attributes:
        copied: own name -> name in the checkpoint.
        other_shape: own name -> the shapes, own and in the checkpoint, in words. The other tensors
            of its layer are not copied either.
    """

    copied: dict[str, str] = field(default_factory=dict)
    other_shape: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        text = f"Copying {len(self.copied)} tensors"
        if self.other_shape:
            names = ", ".join(f"{name} ({why})" for name, why in self.other_shape.items())
            text += f"; {len(self.other_shape)} skipped because of another shape: {names}"
        return text


def check_mapping(mapping: object) -> None:
    """Raise a ConfigError unless a mapping maps names to names."""
    fits = isinstance(mapping, Mapping) and all(
        isinstance(name, str) and name for each in mapping.items() for name in each
    )
    if not fits:
        raise ConfigError(
            f"{KEY} is {mapping!r}; expected parts of this model, each with the part of the "
            f"checkpoint to copy into it, as in {KEY}={{network.backbone: network.backbone}}"
        )


@torch.no_grad()
def copy_mapped(
    own: Mapping[str, Tensor],
    kept: Mapping[str, Tensor],
    mapping: Mapping[str, str],
    untouched: Collection[str] = (),
) -> Copied:
    """Copy parts of a checkpoint's state into a model's, in place.

    A part is a module's name (``network.backbone``) or a tensor's. As in MMF, a part may stand in
    the middle of a name: ``backbone`` is also the one of ``network.backbone``.

    Args:
        own: the model's state, name -> tensor, to copy into.
        kept: the checkpoint's state.
        mapping: part of the model -> part of the checkpoint.
        untouched: own names that are not overwritten.

    Raises:
        ConfigError: an entry of the mapping fits no tensors, or nothing at all can be copied.
    """
    check_mapping(mapping)
    result = Copied()
    for part, source in mapping.items():
        pairs = [pair for pair in _pairs(own, kept, part, source) if pair[0] not in untouched]
        if not pairs:
            raise ConfigError(_fits_nothing(own, kept, part, source))
        misfits = {_layer(n) for n, other in pairs if own[n].shape != kept[other].shape}
        for name, other in pairs:
            if own[name].shape != kept[other].shape:
                shapes = tuple(own[name].shape), tuple(kept[other].shape)
                result.other_shape[name] = f"{shapes[0]} here, {shapes[1]} there"
                continue
            if _layer(name) in misfits:  # a weight without its bias would be no layer
                continue
            own[name].copy_(kept[other])
            result.copied[name] = other
    if not result.copied:
        raise ConfigError(f"{KEY} copies nothing. {result}")
    return result


def _pairs(
    own: Mapping[str, Tensor], kept: Mapping[str, Tensor], part: str, source: str
) -> list[tuple[str, str]]:
    """Return the tensors of a part that have the same name on both sides."""
    below = {_below(name, source): name for name in kept if _is_in(name, source)}
    pairs = ((name, below.get(_below(name, part))) for name in own if _is_in(name, part))
    return [(name, other) for name, other in pairs if other is not None]


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _is_in(name: str, part: str) -> bool:
    return f".{part}." in f".{name}."


def _below(name: str, part: str) -> str:
    """Return a tensor's name with the part replaced by a mark."""
    return f".{name}.".replace(f".{part}.", ".*.", 1)


def _fits_nothing(
    own: Mapping[str, Tensor], kept: Mapping[str, Tensor], part: str, source: str
) -> str:
    message = f"{KEY}: {part}: {source} fits no tensor. "
    for what, names, wanted in (("This model", own, part), ("The checkpoint", kept, source)):
        if not any(_is_in(name, wanted) for name in names):
            parts = dict.fromkeys(".".join(name.split(".")[:2]) for name in names)
            return f"{message}{what} has no part {wanted!r}; it has {', '.join(parts)}"
    return f"{message}Below {part!r} and {source!r} the names of the tensors differ"
