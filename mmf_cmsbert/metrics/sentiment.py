"""The eight standard metrics, as defined by MMSA and later papers.

Every function takes predictions and labels, each (segments,) or (segments, 1), for a *whole* split,
computes in float64 and returns a float. The first line of its docstring is its definition.
Segments with an unknown label (NaN) are left out; without any other segment the result is NaN. A
NaN prediction counts as wrong and makes `mae` and `corr` NaN, so that divergence is visible.
Invalid shapes raise a ValueError, see `known_segments`.

MAG-BERT's script drops segments labelled 0 before all metrics, so its published numbers can be
compared only with `acc2_nonzero` and `f1_nonzero`.
"""

import math
from collections.abc import Callable

import torch
from sklearn.metrics import f1_score
from torch import Tensor

from mmf_cmsbert.metrics.classes import UNKNOWN, sentiment_class
from mmf_cmsbert.metrics.known_segments import known_segments


def mae(predictions: Tensor, labels: Tensor) -> float:
    """Mean absolute error, unclipped, all segments."""
    predictions, labels = _known(predictions, labels)
    return (predictions - labels).abs().mean().item()


def corr(predictions: Tensor, labels: Tensor) -> float:
    """Pearson correlation, unclipped, all segments; 0 if either side is constant."""
    predictions, labels = _known(predictions, labels)
    if len(labels) == 0 or predictions.isnan().any():
        return math.nan
    if _constant(predictions) or _constant(labels):
        return 0.0
    return torch.corrcoef(torch.stack([predictions, labels]))[0, 1].item()


def mse(predictions: Tensor, labels: Tensor) -> float:
    """Mean squared error, unclipped, all segments."""
    predictions, labels = _known(predictions, labels)
    return (predictions - labels).square().mean().item()


def response(predictions: Tensor, labels: Tensor) -> float:
    """Slope of the regression of the predictions on the labels; 0 if the labels are constant.

    How far the predictions follow: 1 if they rise as the labels do, 0 if they do not rise.
    """
    predictions, labels = _known(predictions, labels)
    if len(labels) == 0 or predictions.isnan().any():
        return math.nan
    if _constant(labels):
        return 0.0
    centred = labels - labels.mean()
    return (centred @ predictions / centred.square().sum()).item()


def acc7(predictions: Tensor, labels: Tensor) -> float:
    """Share of segments in the same of 7 classes: clipped to [-3, 3], rounded half to even."""
    return _share_equal(*_classes(predictions, labels, 7))


def acc5(predictions: Tensor, labels: Tensor) -> float:
    """Share of segments in the same of 5 classes: clipped to [-2, 2], rounded half to even."""
    return _share_equal(*_classes(predictions, labels, 5))


def acc2(predictions: Tensor, labels: Tensor) -> float:
    """Share of segments on the same side, negative (< 0) or not (>= 0), all segments (has0)."""
    return _share_equal(*_classes(predictions, labels, 2))


def f1(predictions: Tensor, labels: Tensor) -> float:
    """F1 of negative (< 0) and non-negative (>= 0) weighted by support, all segments (has0)."""
    return _weighted_f1(*_classes(predictions, labels, 2))


def acc2_nonzero(predictions: Tensor, labels: Tensor) -> float:
    """Share of segments on the same side, positive (> 0) or not, those labelled 0 left out."""
    return _share_equal(*_polarities(predictions, labels))


def f1_nonzero(predictions: Tensor, labels: Tensor) -> float:
    """F1 of positive (> 0) and not, weighted by support, segments labelled 0 left out (non0)."""
    return _weighted_f1(*_polarities(predictions, labels))


def rounded_accuracy(predictions: Tensor, labels: Tensor, low: float, high: float) -> float:
    """Share of segments with equal whole numbers: clipped to [low, high], rounded half to even.

    With -3 and 3 it is Acc7.
    """
    predictions, labels = (each.clamp(low, high).round() for each in _known(predictions, labels))
    return _share_equal(predictions, labels)


METRICS: dict[str, Callable[[Tensor, Tensor], float]] = {
    "sentiment_mae": mae,
    "sentiment_corr": corr,
    "sentiment_acc7": acc7,
    "sentiment_acc5": acc5,
    "sentiment_acc2": acc2,
    "sentiment_f1": f1,
    "sentiment_acc2_nonzero": acc2_nonzero,
    "sentiment_f1_nonzero": f1_nonzero,
}


def _known(predictions: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    # On the CPU, because some accelerators have no float64.
    predictions = predictions.detach().to("cpu", torch.float64)
    labels = labels.detach().to("cpu", torch.float64)
    return known_segments(predictions, labels)


def _classes(predictions: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    predictions, labels = _known(predictions, labels)
    return sentiment_class(predictions, classes), sentiment_class(labels, classes)


def _polarities(predictions: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return 1 for positive, 0 otherwise; a prediction of exactly 0 is not positive, as in MMSA."""
    predictions, labels = _known(predictions, labels)
    predictions, labels = predictions[labels != 0], labels[labels != 0]
    polarity = torch.where(predictions.isnan(), UNKNOWN, (predictions > 0).long())
    return polarity, (labels > 0).long()


def _constant(values: Tensor) -> bool:
    # Compared exactly, because the computed variance of equal floats may differ from 0.
    return bool((values == values[0]).all())


def _share_equal(predicted: Tensor, true: Tensor) -> float:
    return (predicted == true).double().mean().item()


def _weighted_f1(predicted: Tensor, true: Tensor) -> float:
    if len(true) == 0:
        return math.nan
    return float(f1_score(true, predicted, average="weighted", zero_division=0))
