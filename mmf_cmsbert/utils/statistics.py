"""Means, intervals and comparisons of few values, as of recipes over seeds, by scipy.

Importing ``scipy.stats`` takes a second, so functions import it when they need it.
"""

import math
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from scipy import special

Key = TypeVar("Key", bound=Hashable)

CONFIDENCE = 0.95
# Resamples of a bootstrap, and draws of a permutation test with more than 13 pairs.
RESAMPLES = 9999
# Conventional chance of finding a difference that exists, and the largest p that counts as finding.
POWER, LEVEL = 0.8, 0.05
MOST_PAIRS = 10_000


@dataclass(frozen=True)
class ScoreSummary:
    """Mean and sample standard deviation (n - 1; None for a single value) of ``count`` values."""

    mean: float
    deviation: float | None
    count: int


@dataclass(frozen=True)
class Estimate:
    """A value with its 95% interval, whose ends are None where there is a single value."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Comparison:
    """Differences from a reference, over ``count`` pairs (of the same seed, or the same segment).

    Attributes:
        mean: mean of the differences.
        low, high: Student's t interval of the mean at 95%, which assumes normal differences; so few
            pairs cannot test that. None for a single pair.
        p: two-sided p of the exact sign-flip permutation test: the share of all ``2 ** count`` sign
            assignments whose mean is at least as far from 0; see :func:`smallest_p`. (For more than
            13 pairs, 9,999 assignments are drawn.) None for a single pair.
        deviation: sample standard deviation of the differences; None for a single pair.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None
    count: int
    deviation: float | None = None


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
    """Compare values with the reference's values, paired by position, at least one.

    If one of them is not finite, the mean is not either, and there is no interval and no p.
    """
    differences = np.subtract(values, reference, dtype=np.float64)
    mean, count = float(differences.mean()), len(differences)
    if count < 2 or not math.isfinite(mean):
        return Comparison(mean, None, None, None, count)
    low, high = interval(differences)
    from scipy import stats

    test = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, rng=0
    )
    deviation = float(np.std(differences, ddof=1))
    return Comparison(mean, low, high, min(1.0, float(test.pvalue)), count, deviation)


def smallest_p(pairs: int) -> float:
    """Return the smallest p that :func:`compare` can give for so many pairs.

    >>> smallest_p(5), smallest_p(20)
    (0.0625, 0.0002)
    """
    return max(2 / 2**pairs, 2 / (RESAMPLES + 1)) if pairs > 1 else 1.0


def interquartile_mean(strata: Sequence[Sequence[float]]) -> Estimate:
    """Return the mean of the middle half of all values, and its stratified bootstrap interval.

    Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice, NeurIPS
    2021. Values are resampled within their stratum, such as the fold of a run.

    Args:
        strata: the values of each stratum, at least one value in all.
    """
    from scipy import stats

    def mean(*samples: np.ndarray, axis: int = -1) -> Any:
        return stats.trim_mean(np.concatenate(samples, axis=axis), 0.25, axis=axis)

    return _bootstrapped(strata, mean)


def probability_of_improvement(
    pairs: Sequence[tuple[Sequence[float], Sequence[float]]], lower_is_better: bool
) -> Estimate:
    """Return the chance that a run is better than a run of the reference, ties counting a half.

    It is the mean over the strata of Mann and Whitney's U divided by the number of pairs, with a
    stratified bootstrap interval (Agarwal et al., 2021).

    Args:
        pairs: for each stratum the values of a recipe and of the reference.
        lower_is_better: whether the smaller of two values is the better one.
    """
    sign = -1.0 if lower_is_better else 1.0

    def chance(*samples: np.ndarray, axis: int = -1) -> Any:
        found = []
        for ours, theirs in zip(samples[::2], samples[1::2], strict=True):
            over = np.sign(sign * (ours[..., :, None] - theirs[..., None, :]))
            found.append((over.mean((-1, -2)) + 1) / 2)
        return np.mean(found, axis=0)

    return _bootstrapped([each for pair in pairs for each in pair], chance)


def holm(p: Mapping[Key, float]) -> dict[Key, float]:
    """Return p values corrected for their number by Holm's step-down method (1979).

    Under any dependence, the chance that one of the true null hypotheses gets a value of at most
    0.05 is at most 0.05.
    """
    corrected: dict[Key, float] = {}
    largest = 0.0
    for rank, name in enumerate(sorted(p, key=lambda each: p[each])):
        largest = max(largest, min(1.0, (len(p) - rank) * p[name]))
        corrected[name] = largest
    return {name: corrected[name] for name in p}


def pairs_needed(difference: float, deviation: float) -> int | None:
    """Return how many pairs show a difference with a chance of 80%, by a two-sided paired t test.

    Args:
        difference: the mean difference that exists.
        deviation: standard deviation of the differences of pairs.

    Returns:
        The smallest number, at least 2; None if it is above 10,000, or an argument not finite.
    """
    if not math.isfinite(difference) or not math.isfinite(deviation):
        return None
    if deviation == 0:
        return 2 if difference else None
    size = abs(difference) / deviation
    found = range(2, MOST_PAIRS + 1)
    at = bisect_left(found, POWER, key=lambda pairs: _power(size, pairs))
    return found[at] if at < len(found) else None


def smallest_difference(pairs: int, deviation: float) -> float | None:
    """Return the smallest mean difference that so many pairs show with a chance of 80%.

    Args:
        pairs: number of pairs.
        deviation: standard deviation of the differences of pairs.

    Returns:
        The difference; None for fewer than two pairs.
    """
    from scipy import optimize

    if pairs < 2:
        return None
    # Two pairs need a mean of 13 standard deviations.
    return deviation * float(optimize.brentq(lambda size: _power(size, pairs) - POWER, 0, 20))


def _power(size: float, pairs: int) -> float:
    """The chance that t is beyond its critical value, for a mean of ``size`` deviations."""
    from scipy import stats

    freedom = pairs - 1
    critical = stats.t.isf(LEVEL / 2, freedom)
    # The square of a noncentral t is a noncentral F.
    return float(stats.ncf.sf(critical**2, 1, freedom, pairs * size**2))


def _bootstrapped(strata: Iterable[Sequence[float]], statistic: Any) -> Estimate:
    from scipy import stats

    samples = [np.asarray(each, dtype=np.float64) for each in strata if len(each)]
    value = float(statistic(*samples))
    if max(map(len, samples)) < 2 or not math.isfinite(value):
        return Estimate(value, None, None)
    # scipy resamples from at least two values; a stratum of one always gives that one, once.
    doubled = [np.repeat(each, 2) if len(each) == 1 else each for each in samples]

    def of_drawn(*drawn: np.ndarray, axis: int = -1) -> Any:
        counted = (each[..., : len(sample)] for each, sample in zip(drawn, samples, strict=True))
        return statistic(*counted, axis=axis)

    found = stats.bootstrap(
        doubled,
        of_drawn,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=True,
        batch=1000,
        rng=0,
    ).confidence_interval
    return Estimate(value, float(found.low), float(found.high))
