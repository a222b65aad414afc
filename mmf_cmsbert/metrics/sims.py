"""The metrics of CH-SIMS and CH-SIMS v2, whose labels are in [-1, 1], as MMSA defines them.

As in MMSA, predictions and labels are float32, are clipped to [-1, 1] before every metric, and the
classes are intervals that are open below and closed above, so that a prediction of exactly 0 is
negative. Every function takes predictions and labels, each (segments,) or (segments, 1), for a
*whole* split, and returns a float. Segments with an unknown label (NaN) are left out; without any
other segment the result is NaN. A NaN prediction counts as wrong, and makes `mae`, `corr` and `r2`
NaN. Invalid shapes raise a ValueError, see `known_segments`.

The definitions are those of ``__eval_sims_regression`` in MMSA's ``metricsTop.py``; `acc2_weak` and
`r2` those of the same function in the code of CH-SIMS v2 (Liu et al., ICMI 2022).
"""

import math
from collections.abc import Callable

import torch
from sklearn.metrics import f1_score, r2_score
from torch import Tensor

from mmf_cmsbert.metrics import sentiment
from mmf_cmsbert.metrics.classes import UNKNOWN
from mmf_cmsbert.metrics.known_segments import known_segments

# Upper ends of all classes but the last; a class includes its upper end.
CUTS = {2: (0.0,), 3: (-0.1, 0.1), 5: (-0.7, -0.1, 0.1, 0.7)}
WEAK = 0.4


def sims_class(values: Tensor, classes: int) -> Tensor:
    """Convert sentiment in [-1, 1] to class indices (int64) of the same shape; NaN to -1.

    2 classes: [-1, 0] and (0, 1]. 3 classes: [-1, -0.1], (-0.1, 0.1], (0.1, 1]. 5 classes: [-1,
    -0.7], (-0.7, -0.1], (-0.1, 0.1], (0.1, 0.7], (0.7, 1].

    Args:
        values: any shape; values outside [-1, 1] count as -1 or 1.
        classes: 2, 3 or 5.

    Raises:
        ValueError: another number of classes.
    """
    if classes not in CUTS:
        raise ValueError(f"CH-SIMS has 2, 3 or 5 classes, not {classes}")
    values = values.float()
    cuts = torch.tensor(CUTS[classes], dtype=torch.float32, device=values.device)
    return torch.where(values.isnan(), UNKNOWN, torch.bucketize(values, cuts))


def mae(predictions: Tensor, labels: Tensor) -> float:
    """Mean absolute error, both sides clipped to [-1, 1], all segments."""
    return sentiment.mae(*_clipped(predictions, labels))


def corr(predictions: Tensor, labels: Tensor) -> float:
    """Pearson correlation, both sides clipped to [-1, 1]; 0 if either side is constant."""
    return sentiment.corr(*_clipped(predictions, labels))


def acc2(predictions: Tensor, labels: Tensor) -> float:
    """Share of segments in the same of 2 classes: [-1, 0] and (0, 1]."""
    return _accuracy(predictions, labels, 2)


def acc3(predictions: Tensor, labels: Tensor) -> float:
    """Share of segments in the same of 3 classes, cut at -0.1 and 0.1."""
    return _accuracy(predictions, labels, 3)


def acc5(predictions: Tensor, labels: Tensor) -> float:
    """Share of segments in the same of 5 classes, cut at -0.7, -0.1, 0.1 and 0.7."""
    return _accuracy(predictions, labels, 5)


def f1(predictions: Tensor, labels: Tensor) -> float:
    """F1 of the classes [-1, 0] and (0, 1], weighted by support."""
    predicted, true = (sims_class(each, 2) for each in known_segments(predictions, labels))
    if len(true) == 0:
        return math.nan
    found = f1_score(true.cpu(), predicted.cpu(), average="weighted", zero_division=0)
    return float(found)


def acc2_weak(predictions: Tensor, labels: Tensor) -> float:
    """Share of segments in the same of 2 classes among those labelled in [-0.4, 0.4]."""
    predictions, labels = known_segments(predictions, labels)
    weak = labels.float().abs() <= torch.tensor(WEAK, dtype=torch.float32, device=labels.device)
    if not weak.any():
        return math.nan
    return _accuracy(predictions[weak], labels[weak], 2)


def r2(predictions: Tensor, labels: Tensor) -> float:
    """Coefficient of determination, both sides clipped to [-1, 1]; NaN for fewer than 2 segments.

    1 minus the squared error relative to that of the labels' mean. For constant labels 0, or 1 if
    all predictions are right.
    """
    predicted, true = (each.cpu() for each in _clipped(*known_segments(predictions, labels)))
    if len(true) < 2 or predicted.isnan().any():
        return math.nan
    return float(r2_score(true.double(), predicted.double()))


SIMS_METRICS: dict[str, Callable[[Tensor, Tensor], float]] = {
    "sims_mae": mae,
    "sims_corr": corr,
    "sims_acc2": acc2,
    "sims_acc3": acc3,
    "sims_acc5": acc5,
    "sims_f1": f1,
    "sims_acc2_weak": acc2_weak,
    "sims_r2": r2,
}


def _clipped(predictions: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    return predictions.detach().float().clamp(-1, 1), labels.detach().float().clamp(-1, 1)


def _accuracy(predictions: Tensor, labels: Tensor, classes: int) -> float:
    predicted, true = (sims_class(each, classes) for each in known_segments(predictions, labels))
    return (predicted == true).double().mean().item()
