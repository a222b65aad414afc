"""Scores of several labels, each of which a segment has or not, over a whole split.

Every function takes logits and labels, each ``(segments, labels)``, labels 0 or 1 and NaN if
unknown, and returns a score for each label; NaN for a label that is unknown everywhere. A label is
predicted if its logit is above 0 (a probability above one half). A NaN logit counts as wrong.
"""

import math
from collections.abc import Callable

import numpy as np
from sklearn import metrics as sklearn
from torch import Tensor

from mmf_cmsbert.metrics.class_scores import balanced_accuracy

_Score = Callable[[np.ndarray, np.ndarray], float]


def accuracy(logits: Tensor, labels: Tensor) -> list[float]:
    """Share of segments for which a label is predicted as it is."""
    return _of_each(logits, labels, lambda true, found: sklearn.accuracy_score(true, found))


def accuracy_weighted(logits: Tensor, labels: Tensor) -> list[float]:
    """Weighted accuracy of MOSEI's emotions: ``(TP * N / P + TN) / (2 N)``.

    P and N are the numbers of segments with and without the label (Tong et al., ACL 2017; Zadeh et
    al., ACL 2018). It equals the mean recall of both answers; without segments of one of them it is
    the recall of the other.
    """
    return _of_each(logits, labels, balanced_accuracy)


def f1_weighted(logits: Tensor, labels: Tensor) -> list[float]:
    """F1 of having and of not having a label, weighted by their numbers of segments."""
    return _of_each(logits, labels, _weighted)


def f1(logits: Tensor, labels: Tensor) -> list[float]:
    """F1 of having a label; 0 if it is neither true nor predicted anywhere."""
    return _of_each(logits, labels, _positive)


MULTILABEL_METRICS: dict[str, Callable[[Tensor, Tensor], list[float]]] = {
    "multilabel_accuracy": accuracy,
    "multilabel_accuracy_weighted": accuracy_weighted,
    "multilabel_f1_weighted": f1_weighted,
    "multilabel_f1": f1,
}


def _weighted(true: np.ndarray, found: np.ndarray) -> float:
    return float(sklearn.f1_score(true, found, labels=[0, 1], average="weighted", zero_division=0))


def _positive(true: np.ndarray, found: np.ndarray) -> float:
    return float(sklearn.f1_score(true, found, labels=[1], average="macro", zero_division=0))


def _of_each(logits: Tensor, labels: Tensor, score: _Score) -> list[float]:
    if logits.dim() != 2 or logits.shape != labels.shape:
        raise ValueError(
            f"scores have shape {tuple(logits.shape)} and labels {tuple(labels.shape)}; expected "
            "(segments, labels) of both"
        )
    scores, true = (each.detach().cpu().double().numpy() for each in (logits, labels))
    found = (scores > 0).astype(int)
    result = []
    for column in range(true.shape[1]):
        known = ~np.isnan(true[:, column])
        own = true[known, column].astype(int)
        answers = np.where(np.isnan(scores[known, column]), 1 - own, found[known, column])
        result.append(float(score(own, answers)) if len(own) else math.nan)
    return result
