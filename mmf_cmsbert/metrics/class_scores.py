"""Scores of one of several classes, over a whole split.

Every function takes logits ``(segments, classes)`` and labels ``(segments,)`` or ``(segments, 1)``,
class indices that are negative if unknown, and returns a float. Unknown labels are left out;
without any other the result is NaN. A segment with a NaN logit counts as wrong.
"""

import math
import warnings
from collections.abc import Callable

import numpy as np
from sklearn import metrics as sklearn
from torch import Tensor

_WRONG = -1  # no class


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Share of segments whose likeliest class is the true one."""
    return _of_known(logits, labels, lambda true, found: sklearn.accuracy_score(true, found))


def f1_weighted(logits: Tensor, labels: Tensor) -> float:
    """F1 of each class, weighted by its number of segments (MELD's and IEMOCAP's usual score)."""
    return _of_known(logits, labels, lambda true, found: _f1(true, found, "weighted"))


def f1_macro(logits: Tensor, labels: Tensor) -> float:
    """Mean F1 of the classes that are true or predicted anywhere, as in scikit-learn."""
    return _of_known(logits, labels, lambda true, found: _f1(true, found, "macro"))


def recall_macro(logits: Tensor, labels: Tensor) -> float:
    """Mean recall of the classes that occur: unweighted average recall, UAR."""
    return _of_known(logits, labels, balanced_accuracy)


CLASS_METRICS: dict[str, Callable[[Tensor, Tensor], float]] = {
    "class_accuracy": accuracy,
    "class_f1_weighted": f1_weighted,
    "class_f1_macro": f1_macro,
    "class_recall_macro": recall_macro,
}


def balanced_accuracy(true: np.ndarray, found: np.ndarray) -> float:
    """Return the mean recall of the classes in ``true``; both are class indices ``(segments,)``."""
    with warnings.catch_warnings():
        # Of classes that are predicted and never true, which do not count.
        warnings.simplefilter("ignore", UserWarning)
        return float(sklearn.balanced_accuracy_score(true, found))


def likeliest(logits: Tensor) -> np.ndarray:
    """Return the likeliest class of each segment, int64 ``(segments,)``; -1 if a logit is NaN."""
    on_cpu = logits.detach().cpu().double()
    found: np.ndarray = on_cpu.argmax(-1).masked_fill(on_cpu.isnan().any(-1), _WRONG).numpy()
    return found


def _of_known(
    logits: Tensor, labels: Tensor, score: Callable[[np.ndarray, np.ndarray], float]
) -> float:
    if logits.dim() != 2 or labels.shape not in [(len(logits),), (len(logits), 1)]:
        raise ValueError(
            f"scores have shape {tuple(logits.shape)} and labels {tuple(labels.shape)}; expected "
            "one score for each class, (segments, classes), and (segments,)"
        )
    if labels.is_floating_point():
        raise ValueError(f"labels are {labels.dtype}; expected class indices, int64")
    true = labels.detach().cpu().reshape(-1).numpy()
    known = true >= 0
    if not known.any():
        return math.nan
    return float(score(true[known], likeliest(logits)[known]))


def _f1(true: np.ndarray, found: np.ndarray, average: str) -> float:
    classes = sorted({*true.tolist(), *found.tolist()} - {_WRONG})
    return float(sklearn.f1_score(true, found, labels=classes, average=average, zero_division=0))
