"""How steadily a run converged: figures of its validation curve."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Convergence:
    """Figures of a validation curve, in units of its score.

    Attributes:
        validations: number of validations.
        best: the best score, which is that of the checkpoint that a run keeps.
        best_update: its update.
        last: the last score.
        regret: how much worse the last score is than the best: what stopping there without
            choosing the checkpoint would cost.
        spread: standard deviation around the straight line through the second half of the
            validations, by least squares: the line takes out progress. None below three of them.
        jump: mean absolute change from one validation of the second half to the next; None for a
            single one.
        near: the first update whose score is within a tenth of the curve's range of the best.
    """

    validations: int
    best: float
    best_update: int
    last: float
    regret: float
    spread: float | None
    jump: float | None
    near: int


def convergence(
    updates: Sequence[int], scores: Sequence[float], lower_is_better: bool
) -> Convergence:
    """Return the figures of a validation curve.

    Args:
        updates: of the validations, ascending.
        scores: finite, at least one.
        lower_is_better: whether the smallest score is the best.
    """
    values = np.asarray(scores, dtype=np.float64)
    losses = values if lower_is_better else -values
    at = int(losses.argmin())
    half = slice(len(values) // 2, None)
    x, y = np.asarray(updates, dtype=np.float64)[half], values[half]
    spread = None
    if len(y) > 2:
        residuals = y - np.polyval(np.polyfit(x, y, 1), x)
        spread = float(np.sqrt((residuals**2).sum() / (len(y) - 2)))
    close = losses <= losses[at] + (losses.max() - losses[at]) / 10
    return Convergence(
        len(values),
        float(values[at]),
        int(updates[at]),
        float(values[-1]),
        float(losses[-1] - losses[at]),
        spread,
        float(np.abs(np.diff(y)).mean()) if len(y) > 1 else None,
        int(updates[int(close.argmax())]),
    )
