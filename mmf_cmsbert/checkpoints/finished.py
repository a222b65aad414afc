"""The checkpoints of a finished run, which leave to its exported model what that holds.

While a run trains, ``best.ckpt`` and ``current.ckpt`` are whole, so that it can be resumed from
each whenever it is killed. Once the model is exported, ``best.ckpt`` needs no weights of its own
and ``current.ckpt`` none that the model has, and no tensor is in the run's folder twice.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from mmf_cmsbert.checkpoints import file, shared_weights
from mmf_cmsbert.checkpoints.model_folder import network_weights
from mmf_cmsbert.checkpoints.verification import outline
from mmf_cmsbert.errors import UserError
from mmf_cmsbert.files import open_regular


def release(checkpoints: Iterable[Path], exported: Mapping[str, Tensor]) -> None:
    """Make checkpoints whole that share weights with a model that other weights will replace.

    Args:
        checkpoints: of the run; those that do not exist are skipped.
        exported: the new model's tensors by name.

    Raises:
        UserError: a checkpoint cannot be written.
    """
    new = shared_weights.fingerprint(exported)
    for path in checkpoints:
        if not path.is_file() or _mark(path) in (None, new):
            continue
        try:
            whole = shared_weights.whole(file.read(path), path)
        except UserError:  # what it shared is gone already
            continue
        file.write(whole, path)


def compact(best: Path | None, current: Path, exported: Mapping[str, Tensor]) -> None:
    """Leave out of a finished run's checkpoints what its exported model holds.

    Each file is replaced as a whole; a run that is killed meanwhile has both. ``current.ckpt``
    stays exact. ``best.ckpt`` loses the state of the optimizer and the latest weights: the exported
    ones are the averaged ones, which are those that are scored. Where both are one file, because
    the last validation was the best, it loses neither.

    Args:
        best: the checkpoint that the model was exported from; None if there is none.
        current: the last checkpoint; need not exist.
        exported: the model's tensors by name.

    Raises:
        UserError: a checkpoint cannot be read or written.
    """
    together = best is not None and current.is_file() and best.samefile(current)
    if current.is_file() and _mark(current) is None:
        content = shared_weights.without_equal(file.read(current), exported)
        if shared_weights.marked(content):
            file.write(content, *([best] if best and together else []), current)
    if best is None or together or _mark(best) is not None:
        return
    whole = file.read(best)
    if _holds(whole["model"], exported):
        file.write(shared_weights.without_network(whole, exported), best)


def _mark(path: Path) -> str | None:
    with open_regular(path) as opened:
        return shared_weights.marked(outline(opened))


def _holds(state: Mapping[str, Tensor], exported: Mapping[str, Tensor]) -> bool:
    scored = network_weights(state)
    return scored.keys() == exported.keys() and all(
        torch.equal(tensor, exported[name].cpu()) for name, tensor in scored.items()
    )
