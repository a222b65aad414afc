"""Cross entropy for sentiment classes."""

import torch
from torch import Tensor
from torch.nn import functional as F

from mmf_cmsbert.metrics.classes import UNKNOWN, sentiment_class


def sentiment_cross_entropy(
    logits: Tensor, targets: Tensor, label_smoothing: float = 0.0
) -> Tensor:
    """Return the mean cross entropy over segments with a known target (not NaN), 0 without any.

    Computed in float32 or better.

    Args:
        logits: ``(batch, classes)`` with 2, 5 or 7 classes.
        targets: ``(batch,)`` or ``(batch, 1)``, sentiment in [-3, 3], converted to classes by
            ``sentiment_class``.
        label_smoothing: gives ``1 - eps`` to the true class and ``eps / classes`` to every class.

    Returns:
        A scalar.

    Raises:
        ValueError: the shapes or the number of classes are invalid.
    """
    if logits.dim() != 2 or targets.shape not in [(len(logits),), (len(logits), 1)]:
        raise ValueError(
            f"logits have shape {tuple(logits.shape)} and targets {tuple(targets.shape)}, "
            "expected (batch, classes) and (batch, 1)"
        )
    classes = sentiment_class(targets.reshape(-1), logits.shape[1])
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    total = F.cross_entropy(
        logits, classes, ignore_index=UNKNOWN, label_smoothing=label_smoothing, reduction="sum"
    )
    return total / (classes != UNKNOWN).sum().clamp(min=1)
