"""Numbers that show how training goes: alignment of modalities, gates and sizes of shifts."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from mmf_cmsbert.modules.shifts.explanation import ShiftExplanation


def alignment(
    embeddings: Mapping[str, Tensor],
    present: Mapping[str, Tensor],
    pairs: Iterable[Sequence[str]],
) -> dict[str, Tensor]:
    """How well the embeddings of two modalities match in a batch.

    Args:
        embeddings: modality -> L2-normalised embeddings, ``(batch, dim)``.
        present: modality -> whether a segment has it, bool ``(batch,)``.
        pairs: the pairs of modalities to compare.

    Returns:
        For a pair a, b: ``a-b/cosine``, the mean cosine of a segment's two embeddings; and
        ``a-b/match``, the share of segments whose own embedding is the most similar one in the
        batch, mean of both directions. Pairs that no segment has are left out.
    """
    found: dict[str, Tensor] = {}
    for a, b in pairs:
        both = present[a] & present[b]
        if not bool(both.any()):
            continue
        similarities = embeddings[a][both].float() @ embeddings[b][both].float().T
        own = torch.arange(len(similarities), device=similarities.device)
        found[f"{a}-{b}/cosine"] = similarities.diagonal().mean()
        matches = [similarities.argmax(dim) == own for dim in (0, 1)]
        found[f"{a}-{b}/match"] = torch.stack(matches).float().mean()
    return found


def shift_means(
    explanation: ShiftExplanation, mask: Tensor, present: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Means of shifts and gates over the word pieces of a batch.

    Args:
        explanation: of the batch.
        mask: 1 for word pieces, 0 for padding, ``(batch, pieces)``.
        present: modality -> whether a segment has it, bool ``(batch,)``.

    Returns:
        ``shift/total``, the size of the whole shift; ``shift/<modality>`` and ``gate/<modality>``,
        over the segments that have the modality. A modality that no segment has is left out.
    """
    pieces = mask.bool()
    found = {"shift/total": explanation.size[pieces].mean()}
    for name, values in (("shift", explanation.sizes), ("gate", explanation.gates)):
        for modality, each in values.items():
            counted = pieces & present[modality].unsqueeze(1)
            if bool(counted.any()):
                found[f"{name}/{modality}"] = each[counted].mean()
    return found
