"""Convert the frames of a segment to image regions, which MMF's models read."""

from typing import Any

import numpy as np
import torch

from mmf_cmsbert.datasets.windows import pool_windows


def as_regions(frames: np.ndarray, count: int) -> dict[str, Any]:
    """Make the fields of MMF's image features from frames (our interpretation).

    More frames than ``count`` are averaged over that many windows; fewer are padded with zeros. A
    frame's position in the segment becomes a region's position in the image: the box of frame i of
    n has the image's full height and spans i / n to (i + 1) / n of its width.

    Args:
        frames: float32 ``(frames, width)``; no frames if the segment lacks the modality.
        count: regions per segment.

    Returns:
        ``image_feature_0``, float32 ``(count, width)``; ``image_info_0`` with ``max_features``, the
        number of real regions, and ``bbox``, float32 ``(count, 5)``: left, top, right, bottom and
        area relative to the image.
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
