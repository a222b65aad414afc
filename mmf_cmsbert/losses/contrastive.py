"""Contrastive learning of representations (CLR): align modalities in one embedding space."""

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
    present: Tensor | None = None,
) -> Tensor:
    """Return the mean cross entropy of identifying each query's key among all keys.

    InfoNCE: van den Oord et al. 2018, arXiv 1807.03748, equation 4, on cosine similarity over a
    temperature. The paper's abstract states that targets are smoothed; the way is our
    interpretation.

    Args:
        queries: ``(n, dim)``, L2-normalised.
        keys: ``(m, dim)``, L2-normalised; may outnumber the queries (a queue, other processes).
        positive: ``(n,)``, int64, the row of each query's key. The other rows are its negatives.
        temperature: divisor of the similarities.
        label_smoothing: gives ``1 - eps`` to the positive and ``eps / m`` to each of the m keys.
        present: ``(m,)`` bool, false for absent keys. They and their queries are left out, also of
            m. If no key is present, the mean is 0.

    Returns:
        A scalar, in float32 or better.
    """
    # In float32 even under autocast: at a temperature of 0.07 the step of a bfloat16
    # similarity near 1 is 0.06 in the logits.
    with torch.autocast(queries.device.type, enabled=False):
        dtype = torch.promote_types(queries.dtype, torch.float32)
        logits = queries.to(dtype) @ keys.to(dtype).T / temperature  # (n, m)
        if present is None:
            return F.cross_entropy(logits, positive, label_smoothing=label_smoothing)
        # Masked instead of selected, because counting would synchronise with the GPU.
        absent = ~present
        log_shares = logits.masked_fill(absent, torch.finfo(dtype).min).log_softmax(-1)
        own = log_shares.gather(1, positive.unsqueeze(1)).squeeze(1)
        mean = log_shares.masked_fill(absent, 0.0).sum(-1) / present.sum().clamp(min=1)
        losses = -(1 - label_smoothing) * own - label_smoothing * mean  # (n,)
        asked = present[positive]
        return losses.masked_fill(~asked, 0.0).sum() / asked.sum().clamp(min=1)


def multimodal_contrastive(
    embeddings: Mapping[str, Tensor],
    pairs: Sequence[tuple[str, str]],
    temperature: float | Tensor,
    label_smoothing: float = 0.0,
    masks: Mapping[str, Tensor] | None = None,
    targets: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """Return the symmetric InfoNCE over the batch, averaged over pairs of modalities.

    A pair's loss is ``(InfoNCE(a to b) + InfoNCE(b to a)) / 2`` over its present segments. With
    fewer than two there is nothing to contrast: the pair's loss is exactly 0 and it is left out of
    the average. Pairs are averaged, not summed (our interpretation), so that switching off a
    modality does not change the effect of the loss weight.

    Args:
        embeddings: modality -> ``(batch, dim)``, of any scale; they are normalised here.
        pairs: the pairs of modalities to align.
        temperature: divisor of the similarities.
        label_smoothing: see :func:`info_nce`.
        masks: modality -> ``(batch,)`` bool, false if a segment lacks the modality. Such a segment
            is neither query nor key in the modality's pairs.
        targets: modality -> ``(batch, dim)``, momentum embeddings. They are the keys instead of
            ``embeddings`` and get no gradient (as in MoCo, arXiv 1911.05722, and ALBEF, arXiv
            2107.07651).

    Returns:
        A scalar.

    Raises:
        ValueError: no pairs, an unknown modality, or inconsistent shapes; it names the pair.
    """
    if not pairs:
        raise ValueError("there are no pairs of modalities to contrast")
    losses, in_use = [], []
    for a, b in pairs:
        present = _present(embeddings, a, b, masks or {})
        queries = [_unit(embeddings[name], present) for name in (a, b)]
        keys = queries
        if targets is not None:
            keys = [_unit(_target(targets, n, embeddings).detach(), present) for n in (a, b)]
        own = torch.arange(len(present), device=present.device)
        a_to_b = info_nce(queries[0], keys[1], own, temperature, label_smoothing, present)
        b_to_a = info_nce(queries[1], keys[0], own, temperature, label_smoothing, present)
        in_use.append(present.sum() >= 2)
        # A zero still reaches every parameter: DistributedDataParallel waits for all.
        losses.append((a_to_b + b_to_a) / 2 * in_use[-1])
    return sum(losses) / torch.stack(in_use).sum().clamp(min=1)


def _unit(embedding: Tensor, present: Tensor) -> Tensor:
    """Normalise rows to length 1; segments that are not present get zeros."""
    embedding = embedding.to(torch.promote_types(embedding.dtype, torch.float32))
    return F.normalize(embedding.masked_fill(~present.unsqueeze(1), 0.0), dim=-1)


def _present(
    embeddings: Mapping[str, Tensor], a: str, b: str, masks: Mapping[str, Tensor]
) -> Tensor:
    """Return which segments have both modalities, bool ``(batch,)``."""
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
