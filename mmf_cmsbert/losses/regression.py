"""Sentiment as a number."""

import torch
from torch import Tensor
from torch.nn import functional as F

from mmf_cmsbert.metrics.known_segments import paired

REGRESSIONS = {"l1": F.l1_loss, "mse": F.mse_loss, "smooth_l1": F.smooth_l1_loss}


def sentiment_regression(scores: Tensor, targets: Tensor, kind: str = "l1") -> Tensor:
    """Mean error of the scores over the segments whose target is known (not NaN), 0 if none is.

    Computed in float32 or better.

    Args:
        scores: ``(batch,)`` or ``(batch, 1)``.
        targets: ``(batch,)`` or ``(batch, 1)``.
        kind: ``l1``, ``mse`` (MAG-BERT's), or ``smooth_l1`` with its bend at an error of 1.

    Raises:
        ValueError: another kind, another shape, or batches of different size.
    """
    if kind not in REGRESSIONS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(REGRESSIONS)}")
    scores, targets = paired(scores, targets)
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    # Masked, not selected: to count the selected ones the processor would wait for the device.
    known = ~targets.isnan()
    targets = torch.where(known, targets.to(scores.dtype), scores.detach())
    total = REGRESSIONS[kind](scores, targets, reduction="sum")
    return total / known.sum().clamp(min=1)
