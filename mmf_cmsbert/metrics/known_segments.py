"""Pair predictions with labels, one value per segment."""

from torch import Tensor


def known_segments(predictions: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Select the segments with a known label (not NaN): ``(n,)`` or ``(n, 1)`` to ``(known,)``.

    Gradients pass through.

    Raises:
        ValueError: as in `paired`.
    """
    predictions, labels = paired(predictions, labels)
    known = ~labels.isnan()
    return predictions[known], labels[known]


def paired(predictions: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Reshape predictions and labels, each ``(n,)`` or ``(n, 1)``, to ``(n,)``.

    Without this check ``(n,)`` and ``(n, 1)`` would broadcast to ``(n, n)``.

    Raises:
        ValueError: the shape is invalid, lengths differ, or there are no segments.
    """
    predictions = _one_a_segment(predictions, "predictions")
    labels = _one_a_segment(labels, "labels")
    if len(predictions) != len(labels):
        raise ValueError(f"{len(predictions)} predictions for {len(labels)} labels")
    if len(labels) == 0:
        raise ValueError("there are no segments to compare")
    return predictions, labels


def _one_a_segment(values: Tensor, name: str) -> Tensor:
    if values.dim() == 2 and values.shape[1] == 1:
        return values[:, 0]
    if values.dim() != 1:
        raise ValueError(
            f"{name} have shape {tuple(values.shape)}, "
            "expected one value per segment: (segments,) or (segments, 1)"
        )
    return values
