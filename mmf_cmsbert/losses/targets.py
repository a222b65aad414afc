"""Losses of one target, by its kind: a number, one of several classes, or several labels."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def class_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    label_smoothing: float = 0.0,
    weights: Tensor | None = None,
) -> Tensor:
    """Return the cross entropy over segments with a known class, 0 without any.

    Computed in float32 or better. With weights it is their weighted mean, as in
    ``torch.nn.functional.cross_entropy``.

    Args:
        logits: ``(batch, classes)``.
        labels: ``(batch,)`` or ``(batch, 1)``, class indices; negative if unknown.
        label_smoothing: gives ``1 - eps`` to the true class and ``eps / classes`` to every class.
        weights: ``(classes,)``, the weight of each class.

    Returns:
        A scalar.

    Raises:
        ValueError: the shapes do not fit, or a label exceeds the number of classes.
    """
    if logits.dim() != 2 or labels.shape not in [(len(logits),), (len(logits), 1)]:
        raise _misfit(logits, labels, "(batch, classes) and (batch,)")
    labels = labels.reshape(-1)
    if labels.is_floating_point():
        raise ValueError(f"labels are {labels.dtype}; expected class indices, int64")
    known = labels >= 0
    labels = labels.masked_fill(~known, -100)
    logits = _precise(logits)
    weights = None if weights is None else weights.to(logits)
    total = F.cross_entropy(
        logits, labels, weights, label_smoothing=label_smoothing, reduction="sum"
    )
    if weights is None:
        return total / known.sum().clamp(min=1)
    # Masked instead of selected, because counting would synchronise with the device.
    share = weights[labels.clamp(min=0)].masked_fill(~known, 0.0).sum()
    return total / torch.where(share > 0, share, 1)


def multilabel_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    label_smoothing: float = 0.0,
    positive_weights: Tensor | None = None,
) -> Tensor:
    """Return the binary cross entropy, averaged over all known labels, 0 without any.

    Computed in float32 or better.

    Args:
        logits: ``(batch, labels)``.
        labels: ``(batch, labels)``, 0 or 1, NaN if unknown.
        label_smoothing: moves 0 to ``eps / 2`` and 1 to ``1 - eps / 2``.
        positive_weights: ``(labels,)``, factors of the terms with label 1.

    Returns:
        A scalar.

    Raises:
        ValueError: the shapes differ.
    """
    if logits.dim() != 2 or labels.shape != logits.shape:
        raise _misfit(logits, labels, "(batch, labels) of both")
    logits = _precise(logits)
    known = ~labels.isnan()
    true = torch.where(known, labels, 0).to(logits.dtype)
    true = true * (1 - label_smoothing) + label_smoothing / 2
    weights = None if positive_weights is None else positive_weights.to(logits)
    losses = F.binary_cross_entropy_with_logits(logits, true, pos_weight=weights, reduction="none")
    return losses.masked_fill(~known, 0.0).sum() / known.sum().clamp(min=1)


def balanced_class_weights(counts: Sequence[int]) -> Tensor:
    """Return ``segments / (classes * count)`` for each class, as scikit-learn's ``balanced``.

    A class that does not occur gets 0.

    >>> balanced_class_weights([30, 10, 0]).tolist()
    [0.4444..., 1.3333..., 0.0]

    Args:
        counts: number of segments of each class.
    """
    found = torch.tensor(counts, dtype=torch.float64)
    weights = torch.where(found > 0, found.sum() / (len(counts) * found), 0)
    return weights.float()


def balanced_positive_weights(positives: Sequence[int], known: Sequence[int]) -> Tensor:
    """Return ``negatives / positives`` for each label, so that both weigh the same; 1 without any.

    >>> balanced_positive_weights([10, 0], [40, 40]).tolist()
    [3.0, 1.0]

    Args:
        positives: number of segments with each label.
        known: number of segments for which it is known.
    """
    true, all_of_them = torch.tensor(positives).double(), torch.tensor(known).double()
    negatives = all_of_them - true
    both = (true > 0) & (negatives > 0)
    return torch.where(both, negatives / true.clamp(min=1), 1).float()


def _precise(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def _misfit(logits: Tensor, labels: Tensor, wanted: str) -> ValueError:
    return ValueError(
        f"scores have shape {tuple(logits.shape)} and labels {tuple(labels.shape)}, "
        f"expected {wanted}"
    )
