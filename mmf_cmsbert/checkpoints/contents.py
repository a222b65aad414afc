"""Read the content of a checkpoint: weights by name, and the state of its run."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from mmf_cmsbert.checkpoints import file, shared_weights
from mmf_cmsbert.errors import UserError

# Entries that MMF writes, and their types. None is allowed for each of them.
_ENTRIES: dict[str, tuple[type, ...]] = {
    "optimizer": (dict,),
    "config": (dict,),
    "resume": (dict,),
    "lr_scheduler": (dict,),
    "fp16_scaler": (dict,),
    "best_iteration": (int,),
    "current_iteration": (int,),
    "current_epoch": (int,),
    "num_updates": (int,),
    "best_update": (int,),
    "best_metric_value": (int, float, torch.Tensor),
}
_SHOWN = 3


def load(source: Any, map_location: Any = "cpu", **ignored: Any) -> dict[str, Any]:
    """Load a checkpoint that was verified, and check the types of its entries.

    Args:
        source: a path, or an open binary file.
        map_location: as in `torch.load`.
        **ignored: MMF's other arguments of `torch.load`.

    Raises:
        UserError: it cannot be read, or does not hold weights, or an entry has the wrong type.
    """
    contents = file.read(source, map_location)
    name = getattr(source, "name", "given") if hasattr(source, "read") else source
    contents = shared_weights.whole(contents, Path(name))
    if found := _fault(contents):
        raise UserError(
            f"The checkpoint {name} cannot be used: {found}. Name a checkpoint that mmf_run wrote "
            "(best.ckpt, current.ckpt, models/*.ckpt, *_final.pth)."
        )
    return contents


def weights(contents: Mapping[str, Any]) -> Any:
    """Return the entry with the weights, or the whole content if it is only weights."""
    for key in ("model", "state_dict"):  # as MMF and as pytorch-lightning call it
        if key in contents and not isinstance(contents[key], torch.Tensor):
            return contents[key]
    return contents


def non_finite(state: Mapping[str, Any]) -> list[str]:
    """Return the names of tensors with NaN, or with infinities unless they are masks."""
    return [name for name, tensor in _floating(state) if not _is_finite(name, tensor)]


def _fault(contents: Any) -> str | None:
    if not isinstance(contents, dict):
        return f"expected a dict with the weights, found a {type(contents).__name__}"
    if not contents:
        return "it is empty"
    state = weights(contents)
    if not isinstance(state, dict) or not state:
        return "expected weights by name in its entry model, found " + (
            "none" if isinstance(state, dict) else f"a {type(state).__name__}"
        )
    for name, value in state.items():
        if not isinstance(name, str):
            return f"the name of a weight is {name!r}, not text"
        if not isinstance(value, torch.Tensor) and not name.endswith("_extra_state"):
            return f"expected weights by name, found {name} of type {type(value).__name__}"
    if broken := non_finite(state):
        more = f" and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
        return f"NaN or infinite values in the weights {', '.join(broken[:_SHOWN])}{more}"
    if state is contents:
        return None
    for key, kinds in _ENTRIES.items():
        value = contents.get(key)
        if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            return f"its entry {key} should be {kinds[0].__name__}, found {type(value).__name__}"
    return _optimizer_fault(contents.get("optimizer"))


def _optimizer_fault(optimizer: dict[str, Any] | None) -> str | None:
    if optimizer is None:
        return None
    groups, state = optimizer.get("param_groups"), optimizer.get("state")
    if not isinstance(groups, list) or not isinstance(state, dict):
        return "its entry optimizer should have param_groups, a list, and state, a dict"
    if not all(isinstance(group, dict) and _indices(group.get("params")) for group in groups):
        return "its entry optimizer.param_groups should list the numbers of parameters"
    if not all(isinstance(each, dict) for each in state.values()):
        return "its entry optimizer.state should be a dict for each parameter"
    return None


def _indices(value: Any) -> bool:
    return isinstance(value, list) and all(type(index) is int for index in value)


def _floating(state: Mapping[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, value in state.items():
        if not isinstance(value, torch.Tensor) or value.layout is not torch.strided:
            continue
        if value.is_floating_point() or value.is_complex():
            yield name, value


def _is_finite(name: str, tensor: torch.Tensor) -> bool:
    if tensor.is_floating_point() and tensor.itemsize == 1:
        tensor = tensor.float()  # eight bits have no comparisons
    if "mask" in name:  # a buffer of some models, with infinities where nothing is attended to
        return not tensor.isnan().any()
    # The sum is finite where all values are, except for overflow, and takes no memory.
    return bool(tensor.sum().isfinite()) or bool(tensor.isfinite().all())
