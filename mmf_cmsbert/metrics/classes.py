"""Sentiment classes, for accuracies and classification."""

import torch
from torch import Tensor

UNKNOWN = -1
_LIMITS = {5: 2, 7: 3}


def sentiment_class(sentiment: Tensor, classes: int) -> Tensor:
    """Convert sentiment to class indices (int64) of the same shape.

    2 classes: 0 negative (< 0), 1 non-negative (>= 0). 7 (5) classes: clipped to [-3, 3]
    ([-2, 2]), rounded half to even and shifted to start at 0. NaN becomes `UNKNOWN` (-1).
    These are the classes of MMSA and of the papers that compare with it.

    Args:
        sentiment: any shape, in [-3, 3] by convention.
        classes: 2, 5 or 7.

    Raises:
        ValueError: another number of classes.
    """
    if classes == 2:
        index = (sentiment >= 0).long()
    elif classes in _LIMITS:
        limit = _LIMITS[classes]
        index = sentiment.clamp(-limit, limit).round().long() + limit
    else:
        raise ValueError(f"sentiment comes in 2, 5 or 7 classes, not {classes}")
    return torch.where(sentiment.isnan(), UNKNOWN, index)
