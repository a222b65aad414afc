"""Means and intervals, and the comparison of paired values, as of two recipes over seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

CONFIDENCE = 0.95


@dataclass(frozen=True)
class ScoreSummary:
    """Mean and sample standard deviation (n - 1; None for a single value) of ``count`` values."""

    mean: float
    deviation: float | None
    count: int


@dataclass(frozen=True)
class Comparison:
    """Differences from a reference, over ``count`` pairs (of the same seed, or the same segment).

    Attributes:
        mean: mean of the differences.
        low, high: Student's t interval of the mean at 95%, which assumes normal differences; so few
            pairs cannot test that. None for a single pair.
        p: two-sided p of the exact sign-flip permutation test: the share of all ``2 ** count`` sign
            assignments whose mean is at least as far from 0. With 5 pairs it is at least 2 / 32.
            (For more than 13 pairs, 9,999 assignments are drawn.) None for a single pair.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None
    count: int


def summarise(values: Sequence[float]) -> ScoreSummary:
    """Return mean and spread of values, at least one."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return ScoreSummary(float(np.mean(values)), deviation, len(values))


def interval(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Return Student's t interval at 95% of the mean of values, at least two."""
    mean = float(np.mean(values))
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    margin = error * float(special.stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2))
    return mean - margin, mean + margin


def compare(values: Sequence[float], reference: Sequence[float]) -> Comparison:
    """Compare values with the reference's values, paired by position, at least one."""
    differences = np.subtract(values, reference, dtype=np.float64)
    mean, count = float(differences.mean()), len(differences)
    if count < 2:
        return Comparison(mean, None, None, None, count)
    low, high = interval(differences)
    from scipy import stats  # importing it takes a second

    test = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=9999, rng=0
    )
    return Comparison(mean, low, high, min(1.0, float(test.pvalue)), count)
