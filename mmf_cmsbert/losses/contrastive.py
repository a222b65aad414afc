"""Contrastive learning of representations (CLR): modalities meet in one embedding space."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def info_nce(
    queries: Tensor,
    keys: Tensor,
    positive: Tensor,
    temperature: float | Tensor,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Mean cross entropy of finding each query's own key among all the keys.

    queries (n, dim) and keys (m, dim): L2-normalised, of segments that are present. `positive`
    (n,), int64, is the row of each query's key; the other rows are its negatives, so keys may
    be more than queries (a queue, other processes). Smoothing gives (1 - eps) to the positive
    and eps / m to each of the m keys.

    InfoNCE: van den Oord et al. 2018, arXiv 1807.03748, equation 4, on cosine similarity over a
    temperature. That the paper smooths these targets is its abstract; how, is our reading.
    """
    # In float32 even under autocast: at a temperature of 0.07 the step of a bfloat16
    # similarity near 1 is 0.06 in the logits.
    with torch.autocast(queries.device.type, enabled=False):
        dtype = torch.promote_types(queries.dtype, torch.float32)
        logits = queries.to(dtype) @ keys.to(dtype).T / temperature  # (n, m)
        return F.cross_entropy(logits, positive, label_smoothing=label_smoothing)


def multimodal_contrastive(
    embeddings: Mapping[str, Tensor],
    pairs: Sequence[tuple[str, str]],
    temperature: float | Tensor,
    label_smoothing: float = 0.0,
    masks: Mapping[str, Tensor] | None = None,
    targets: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """Symmetric InfoNCE over the batch for each pair of modalities, averaged over the pairs.

    embeddings: modality -> (batch, dim); normalised here, so that unit vectors pass unchanged and
    the outputs of any model will do. masks: modality -> (batch,) bool, False where a segment
    lacks the modality; such a segment takes no part in the modality's pairs, neither as query
    nor as key. targets: modality -> (batch, dim), momentum embeddings that are the keys in place
    of `embeddings` and get no gradient (as in MoCo, arXiv 1911.05722, and ALBEF, arXiv 2107.07651).

    A pair is (InfoNCE(a to b) + InfoNCE(b to a)) / 2 over its present segments. Fewer than two
    leave nothing to contrast: such a pair is exactly 0 and does not count in the average. That
    pairs are averaged, not summed, is our reading: the loss weight then keeps its meaning when
    a modality is switched off.

    Raises ValueError for no pairs, and naming the pair where a modality is unknown or shapes
    disagree.
    """
    if not pairs:
        raise ValueError("there are no pairs of modalities to contrast")
    in_use, idle = [], []
    for a, b in pairs:
        present = _present(embeddings, a, b, masks or {})
        queries = [_unit(embeddings[name][present]) for name in (a, b)]
        if len(queries[0]) < 2:
            # A zero that still reaches every parameter: DistributedDataParallel waits for all.
            idle.append(0.0 * (queries[0].sum() + queries[1].sum() + temperature))
            continue
        keys = queries
        if targets is not None:
            keys = [_unit(_target(targets, name, embeddings)[present].detach()) for name in (a, b)]
        own = torch.arange(len(queries[0]), device=queries[0].device)
        a_to_b = info_nce(queries[0], keys[1], own, temperature, label_smoothing)
        b_to_a = info_nce(queries[1], keys[0], own, temperature, label_smoothing)
        in_use.append((a_to_b + b_to_a) / 2)
    return (sum(in_use) + sum(idle)) / max(len(in_use), 1)


def _unit(embedding: Tensor) -> Tensor:
    return F.normalize(embedding.to(torch.promote_types(embedding.dtype, torch.float32)), dim=-1)


def _present(
    embeddings: Mapping[str, Tensor], a: str, b: str, masks: Mapping[str, Tensor]
) -> Tensor:
    """Which segments have both modalities, (batch,) bool."""
    for name in (a, b):
        if name not in embeddings:
            raise ValueError(
                f"pair {a}-{b}: there is no embedding {name!r}, only {', '.join(embeddings)}"
            )
    shapes = [tuple(embeddings[name].shape) for name in (a, b)]
    if shapes[0] != shapes[1] or len(shapes[0]) != 2:
        raise ValueError(
            f"pair {a}-{b}: embeddings have shapes {shapes[0]} and {shapes[1]}, expected the same "
            "(batch, dim); project them to one width in the model"
        )
    batch = shapes[0][0]
    present = torch.ones(batch, dtype=torch.bool, device=embeddings[a].device)
    for name in (a, b):
        if name in masks:
            if tuple(masks[name].shape) != (batch,):
                raise ValueError(
                    f"pair {a}-{b}: the mask of {name} has shape {tuple(masks[name].shape)}, "
                    f"expected ({batch},)"
                )
            present = present & masks[name].bool()
    return present


def _target(targets: Mapping[str, Tensor], name: str, embeddings: Mapping[str, Tensor]) -> Tensor:
    if name not in targets or targets[name].shape != embeddings[name].shape:
        found = tuple(targets[name].shape) if name in targets else "none"
        raise ValueError(
            f"momentum embedding of {name}: found {found}, expected {tuple(embeddings[name].shape)}"
        )
    return targets[name]
