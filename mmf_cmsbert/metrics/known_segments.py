"""Predictions beside their labels, one value a segment."""

from torch import Tensor


def known_segments(predictions: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Predictions and labels, each (n,) or (n, 1), of the segments whose label is known: (known,).

    A label is unknown where it is NaN. Gradients pass through.
    Raises ValueError as `paired` does.
    """
    predictions, labels = paired(predictions, labels)
    known = ~labels.isnan()
    return predictions[known], labels[known]


def paired(predictions: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Predictions and labels, each (n,) or (n, 1), as (n,).

    Raises ValueError for any other shape, different lengths, or no segment at all: a (n,) that
    met a (n, 1) would broadcast to (n, n) and give a number that means nothing.
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
            "expected one value a segment: (segments,) or (segments, 1)"
        )
    return values
