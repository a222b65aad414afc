"""Frames of a segment as the regions of an image, which MMF's stock models read."""

from typing import Any

import numpy as np
import torch

from mmf_cmsbert.datasets.windows import pool_windows


def as_regions(frames: np.ndarray, count: int) -> dict[str, Any]:
    """The fields that a reader of MMF's image features gives, made of frames (our interpretation).

    More frames than ``count`` become that many windows, each its mean; fewer are followed by zeros.
    A region has a place in its image, a frame has one in its segment: the box of frame i of n is
    the image's full height between i / n and (i + 1) / n of its width.

    Args:
        frames: float32 ``(frames, width)``; none for a segment that lacks the modality.
        count: regions a segment.

    Returns:
        ``image_feature_0``, float32 ``(count, width)``; ``image_info_0`` with ``max_features``, how
        many regions there are, and ``bbox``, float32 ``(count, 5)``: left, top, right and bottom in
        shares of the image, and the share of its area.
    """
    pooled = pool_windows(np.asarray(frames, np.float32), count)
    found = len(pooled)
    regions = torch.zeros(count, frames.shape[1])
    regions[:found] = torch.from_numpy(np.array(pooled))
    boxes = torch.zeros(count, 5)
    edges = torch.arange(found + 1) / max(found, 1)
    boxes[:found, 0], boxes[:found, 2] = edges[:-1], edges[1:]
    boxes[:found, 3] = 1.0
    boxes[:found, 4] = edges.diff()
    return {
        "image_feature_0": regions,
        "image_info_0": {"max_features": torch.tensor(found), "bbox": boxes},
    }
