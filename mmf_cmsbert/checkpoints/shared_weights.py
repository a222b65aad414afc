"""Checkpoints of a finished run, which leave tensors to the run's exported model.

Such a checkpoint holds, in its entry ``shared``, the names of the tensors that it shares with
``model/model.safetensors`` beside it, and a hash of that file's tensors. Reading it gives a whole
checkpoint again.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmf_cmsbert.checkpoints import file, model_files, model_folder
from mmf_cmsbert.errors import UserError

KEY = "shared"
_PREFIXES = (model_folder.AVERAGED, model_folder.LATEST)


def fingerprint(tensors: Mapping[str, Tensor]) -> str:
    """A hash of tensors and their names, independent of the file that they are in."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        values = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(values.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def without_equal(checkpoint: Mapping[str, Any], exported: Mapping[str, Tensor]) -> dict[str, Any]:
    """Leave out the tensors of a checkpoint that the exported model has with the same values."""

    def is_equal(name: str, tensor: Tensor) -> bool:
        other = exported[name]
        return tensor.dtype == other.dtype and torch.equal(tensor.cpu(), other.cpu())

    return _without(checkpoint, exported, is_equal)


def without_network(
    checkpoint: Mapping[str, Any], exported: Mapping[str, Tensor]
) -> dict[str, Any]:
    """Leave out all weights of the network, and the state of the optimizer.

    Read again, the network and its average both have the exported weights.
    """
    kept = {key: value for key, value in checkpoint.items() if key != "optimizer"}
    return _without(kept, exported, lambda name, tensor: tensor.shape == exported[name].shape)


def marked(checkpoint: Any) -> str | None:
    """The hash of the exported weights that a checkpoint needs, None for a whole checkpoint."""
    shared = checkpoint.get(KEY) if isinstance(checkpoint, Mapping) else None
    return shared.get("fingerprint") if isinstance(shared, Mapping) else None


def whole(checkpoint: dict[str, Any], path: Path) -> dict[str, Any]:
    """A checkpoint with the tensors that it shares with the exported model beside it.

    Args:
        checkpoint: as it was read; returned as it is if it shares none.
        path: its file.

    Raises:
        UserError: the exported model is missing, or has other weights.
    """
    if marked(checkpoint) is None:
        return checkpoint
    shared, weights = checkpoint[KEY], path.parent / model_files.OF_RUN / model_folder.WEIGHTS
    try:
        exported = model_folder.read_weights(weights.parent)
    except UserError as error:
        raise UserError(_missing(path, weights, str(error))) from error
    names = shared.get("names")
    if fingerprint(exported) != shared["fingerprint"] or not _are_in(names, exported):
        raise UserError(_missing(path, weights, "it holds other weights now"))
    # A copy of each: a model's state is loaded in place.
    state = {name: exported[source].clone() for name, source in names.items()}
    rest = {key: value for key, value in checkpoint.items() if key != KEY}
    return rest | {"model": _like(checkpoint["model"], {**checkpoint["model"], **state})}


def _without(
    checkpoint: Mapping[str, Any],
    exported: Mapping[str, Tensor],
    is_shared: Callable[[str, Tensor], bool],
) -> dict[str, Any]:
    names = {}
    for name, tensor in checkpoint["model"].items():
        for prefix in _PREFIXES:
            source = name.removeprefix(prefix)
            if name.startswith(prefix) and source in exported and is_shared(source, tensor):
                names[name] = source
    if not names:
        return dict(checkpoint)
    return {
        **checkpoint,
        file.FORMAT_KEY: file.FORMAT_SHARED,
        "model": _like(
            checkpoint["model"],
            {name: each for name, each in checkpoint["model"].items() if name not in names},
        ),
        KEY: {"fingerprint": fingerprint(exported), "names": names},
    }


def _like(state: Any, tensors: dict[str, Any]) -> Any:
    """Tensors as the state of a model, with the versions of its modules."""
    if not isinstance(state, OrderedDict):
        return tensors
    result = OrderedDict(tensors)
    vars(result).update(vars(state))
    return result


def _are_in(names: Any, exported: Mapping[str, Tensor]) -> bool:
    return isinstance(names, dict) and all(source in exported for source in names.values())


def _missing(path: Path, weights: Path, reason: str) -> str:
    return (
        f"The checkpoint {path} of a finished run leaves its weights to {weights}, which cannot "
        f"give them ({reason}). Copy the folder {weights.parent.name} of that run beside it again"
    )
