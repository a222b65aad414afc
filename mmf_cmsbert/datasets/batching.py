"""Pad segments of different lengths to a batch."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def pad_pieces(
    input_ids: Sequence[np.ndarray], word_index: Sequence[np.ndarray], pad_id: int
) -> dict[str, Tensor]:
    """Pad word pieces on the right to the longest of the batch.

    Args:
        input_ids: ``(pieces,)`` for each segment.
        word_index: ``(pieces,)`` for each segment, -1 for special tokens.
        pad_id: padding of ``input_ids``.

    Returns:
        int64 ``(batch, pieces)`` each: ``input_ids``; ``input_mask``, 1 for pieces and 0 for
        padding; ``segment_ids``, MMF's name for token types, all 0; ``word_index``, -1 in padding.
    """
    lengths = torch.tensor([len(ids) for ids in input_ids])
    mask = torch.arange(int(lengths.max())) < lengths[:, None]
    ids = torch.full(mask.shape, pad_id)
    index = torch.full(mask.shape, -1)
    ids[mask] = torch.from_numpy(np.concatenate(input_ids))
    index[mask] = torch.from_numpy(np.concatenate(word_index))
    return {
        "input_ids": ids,
        "input_mask": mask.long(),
        "segment_ids": torch.zeros_like(ids),
        "word_index": index,
    }


def pad_frames(frames: Sequence[np.ndarray], width: int) -> tuple[Tensor, Tensor]:
    """Pad frames with zeros to the longest of the batch, at least one.

    Args:
        frames: ``(frames, width)`` for each segment, with no frames if the modality is missing.
        width: columns.

    Returns:
        float32 ``(batch, frames, width)`` and its mask, bool ``(batch, frames)``, true for real
        frames.
    """
    lengths = torch.tensor([len(each) for each in frames])
    mask = torch.arange(max(1, int(lengths.max()))) < lengths[:, None]
    padded = torch.zeros(*mask.shape, width)
    if mask.any():
        padded[mask] = torch.from_numpy(np.concatenate(frames))
    return padded, mask
