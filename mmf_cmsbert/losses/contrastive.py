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
    if present is None:
        with torch.autocast(queries.device.type, enabled=False):
            logits = _logits(queries, keys, temperature)
            return F.cross_entropy(logits, positive, label_smoothing=label_smoothing)
    mean: Tensor = _mean_losses(queries, keys, positive, temperature, label_smoothing, present)
    return mean


def _logits(queries: Tensor, keys: Tensor, temperature: float | Tensor) -> Tensor:
    # In float32 even under autocast: at a temperature of 0.07 the step of a bfloat16 similarity
    # near 1 is 0.06 in the logits.
    dtype = torch.promote_types(queries.dtype, torch.float32)
    return queries.to(dtype) @ keys.to(dtype).transpose(-1, -2) / temperature


def _mean_losses(
    queries: Tensor,
    keys: Tensor,
    positive: Tensor,
    temperature: float | Tensor,
    label_smoothing: float,
    present: Tensor,
) -> Tensor:
    """:func:`info_nce` of several sets of queries and keys at once.

    Args:
        queries: ``(..., n, dim)``.
        keys: ``(..., m, dim)``.
        positive: ``(n,)``, the same for all sets.
        temperature: divisor of the similarities.
        label_smoothing: see :func:`info_nce`.
        present: ``(..., m)`` bool.

    Returns:
        The mean of each set, ``(...)``.
    """
    with torch.autocast(queries.device.type, enabled=False):
        logits = _logits(queries, keys, temperature)  # (..., n, m)
        # Masked instead of selected, because counting would synchronise with the GPU.
        absent = ~present.unsqueeze(-2)
        log_shares = logits.masked_fill(absent, torch.finfo(logits.dtype).min).log_softmax(-1)
        rows = torch.arange(len(positive), device=positive.device)
        own = log_shares[..., rows, positive]
        count = present.sum(-1).clamp(min=1)
        mean = log_shares.masked_fill(absent, 0.0).sum(-1) / count.unsqueeze(-1)
        losses = -(1 - label_smoothing) * own - label_smoothing * mean  # (..., n)
        asked = present[..., positive]
        return losses.masked_fill(~asked, 0.0).sum(-1) / asked.sum(-1).clamp(min=1)


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
    alike: dict[int, list[tuple[str, str]]] = {}
    for a, b in pairs:
        _check_pair(embeddings, a, b, masks or {})
        alike.setdefault(embeddings[a].size(1), []).append((a, b))
    losses, in_use = zip(
        *(
            _pair_losses(embeddings, group, temperature, label_smoothing, masks or {}, targets)
            for group in alike.values()
        ),
        strict=True,
    )
    return torch.cat(losses).sum() / torch.cat(in_use).sum().clamp(min=1)


def _pair_losses(
    embeddings: Mapping[str, Tensor],
    pairs: Sequence[tuple[str, str]],
    temperature: float | Tensor,
    label_smoothing: float,
    masks: Mapping[str, Tensor],
    targets: Mapping[str, Tensor] | None,
) -> tuple[Tensor, Tensor]:
    """Return the loss of each pair, and whether it has two segments; both ``(pairs,)``.

    All pairs of embeddings of one width are computed together, in both directions.
    """
    first, second = zip(*pairs, strict=True)
    present = torch.stack([_present(embeddings, a, b, masks) for a, b in pairs])
    both = present.repeat(2, 1)  # (2 * pairs, batch)
    queries = _unit([embeddings[name] for name in first + second], both)
    keys = queries.roll(len(pairs), 0)
    if targets is not None:
        given = [_target(targets, name, embeddings).detach() for name in second + first]
        keys = _unit(given, both)
    own = torch.arange(present.size(1), device=present.device)
    means = _mean_losses(queries, keys, own, temperature, label_smoothing, both)
    in_use = present.sum(1) >= 2
    # A zero still reaches every parameter: DistributedDataParallel waits for all.
    return means.view(2, -1).mean(0) * in_use, in_use


def _unit(embeddings: Sequence[Tensor], present: Tensor) -> Tensor:
    """Normalise rows to length 1, ``(sets, batch, dim)``; absent segments get zeros."""
    stacked = torch.stack(list(embeddings))
    stacked = stacked.to(torch.promote_types(stacked.dtype, torch.float32))
    return F.normalize(stacked.masked_fill(~present.unsqueeze(-1), 0.0), dim=-1)


def _check_pair(
    embeddings: Mapping[str, Tensor], a: str, b: str, masks: Mapping[str, Tensor]
) -> None:
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
    for name in (a, b):
        if name in masks and tuple(masks[name].shape) != (batch,):
            raise ValueError(
                f"pair {a}-{b}: the mask of {name} has shape {tuple(masks[name].shape)}, "
                f"expected ({batch},)"
            )


def _present(
    embeddings: Mapping[str, Tensor], a: str, b: str, masks: Mapping[str, Tensor]
) -> Tensor:
    """Return which segments have both modalities, bool ``(batch,)``."""
    present = torch.ones_like(embeddings[a][:, 0], dtype=torch.bool)
    for name in (a, b):
        if name in masks:
            present = present & masks[name].bool()
    return present


def _target(targets: Mapping[str, Tensor], name: str, embeddings: Mapping[str, Tensor]) -> Tensor:
    if name not in targets or targets[name].shape != embeddings[name].shape:
        found = tuple(targets[name].shape) if name in targets else "none"
        raise ValueError(
            f"momentum embedding of {name}: found {found}, expected {tuple(embeddings[name].shape)}"
        )
    return targets[name]
