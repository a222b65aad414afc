"""Gather the embeddings of all training processes, to use them as negatives in each process."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, distributed

Embeddings = Mapping[str, Tensor]
# The field that marks a batch without segments of this process, see `gather`.
STAND_IN = "stand_in"


def train_together() -> bool:
    """Return whether several processes compute gradients.

    False in an evaluation, in which processes may have different numbers of batches.
    """
    several = distributed.is_available() and distributed.is_initialized()
    return several and distributed.get_world_size() > 1 and torch.is_grad_enabled()


def gather_rows(rows: Tensor) -> Tensor:
    """Concatenate the rows ``(n, columns)`` of all processes in the order of their ranks.

    n may differ between processes. The gradient of a process's rows is the sum over all processes.
    If all processes compute the same loss of the gathered rows, and the gradients of weights are
    averaged, as in ``DistributedDataParallel``, the result is the gradient of a single process.

    Returns:
        ``(sum of n, columns)``.
    """
    own = torch.tensor([len(rows)], device=rows.device)
    counts = _each(own)
    distributed.all_gather(counts, own)
    sizes = torch.cat(counts).tolist()
    missing = max(sizes) - len(rows)
    padded = torch.cat([rows, rows.new_zeros(missing, *rows.shape[1:])])
    parts: Tensor = _Gather.apply(padded)  # type: ignore[no-untyped-call]
    parts = parts.unflatten(0, (len(sizes), -1))
    return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])


def gather(
    embeddings: Embeddings,
    masks: Embeddings | None = None,
    targets: Embeddings | None = None,
    stand_in: bool = False,
) -> tuple[Embeddings, Embeddings | None, Embeddings | None]:
    """Gather the arguments of :func:`multimodal_contrastive` from all processes.

    Args:
        embeddings: modality -> ``(batch, dim)``.
        masks: modality -> bool ``(batch,)``, false if a segment lacks the modality.
        targets: modality -> ``(batch, dim)``, momentum embeddings.
        stand_in: whether this process has no segments in the batch; then it adds no rows.

    Returns:
        Embeddings, masks and targets with the rows of all processes.
    """
    sections = [embeddings, masks, targets]
    columns = [
        each.float().reshape(len(each), -1) for section in sections if section
        for each in section.values()
    ]  # fmt: skip
    rows = torch.cat(columns, 1)
    rows = rows[:0] if stand_in else rows
    found = iter(gather_rows(rows).split([c.size(1) for c in columns], 1))
    gathered, present, keys = (
        section and {name: next(found) for name in section} for section in sections
    )
    assert gathered is not None
    return gathered, present and {m: each[:, 0] > 0 for m, each in present.items()}, keys


class _Gather(torch.autograd.Function):
    """``all_gather`` with gradients; torch's versions are deprecated or private."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = _each(rows)
        distributed.all_gather(parts, rows)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total.chunk(distributed.get_world_size())[distributed.get_rank()]


def _each(like: Tensor) -> list[Tensor]:
    return [torch.empty_like(like) for _ in range(distributed.get_world_size())]
