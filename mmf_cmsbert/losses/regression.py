"""Regression losses for sentiment."""

import torch
from torch import Tensor
from torch.nn import functional as F

from mmf_cmsbert.metrics.known_segments import paired

REGRESSIONS = {"l1": F.l1_loss, "mse": F.mse_loss, "smooth_l1": F.smooth_l1_loss}


def sentiment_regression(scores: Tensor, targets: Tensor, kind: str = "l1") -> Tensor:
    """Return the mean error over segments with a known target (not NaN), 0 without any.

    Computed in float32 or better.

    Args:
        scores: ``(batch,)`` or ``(batch, 1)``.
        targets: ``(batch,)`` or ``(batch, 1)``.
        kind: ``l1``, ``mse`` (as in MAG-BERT), or ``smooth_l1`` with beta 1.

    Returns:
        A scalar.

    Raises:
        ValueError: the kind is unknown, a shape is invalid, or batch sizes differ.
    """
    if kind not in REGRESSIONS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(REGRESSIONS)}")
    scores, targets = paired(scores, targets)
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    # Masked instead of selected, because counting would synchronise with the device.
    known = ~targets.isnan()
    targets = torch.where(known, targets.to(scores.dtype), scores.detach())
    total = REGRESSIONS[kind](scores, targets, reduction="sum")
    return total / known.sum().clamp(min=1)
