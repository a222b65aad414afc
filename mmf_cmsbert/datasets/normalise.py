"""Frames to zero mean and unit variance in each column, by segment or by corpus."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmf_cmsbert.datasets.segment import MODALITIES, Segment

CHOICES = ("none", "corpus", "segment")
# A deviation this much smaller than the column's largest value is float32's rounding.
_ROUNDING = 1e-6


def by_segment(segment: Segment) -> Segment:
    """Each column over the segment's own frames; one that is constant there becomes zero."""
    frames = {m: getattr(segment, m) for m in MODALITIES}
    present = {m: each for m, each in frames.items() if each is not None and len(each)}
    normalised = {}
    for modality, each in present.items():
        mean, scale = _mean_and_scale([each])
        normalised[modality] = ((each - mean) / scale).astype(np.float32)
    return replace(segment, **normalised)


def corpus_statistics(segments: Sequence[Segment]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Modality -> mean and scale ``(width,)``, float64, over all frames of all segments.

    The scale is the standard deviation (of the population), or 1 for a constant column. Modalities
    that no segment has are left out. Meant for the training split alone.
    """
    statistics = {}
    for modality in MODALITIES:
        frames = [getattr(segment, modality) for segment in segments]
        frames = [each for each in frames if each is not None and len(each)]
        if frames:
            statistics[modality] = _mean_and_scale(frames)
    return statistics


def _mean_and_scale(frames: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    # Two passes, a segment at a time: sums of squares alone would lose small deviations.
    count = sum(len(each) for each in frames)
    mean = sum(each.sum(0, dtype=np.float64) for each in frames) / count
    deviation = np.sqrt(sum(np.square(each - mean).sum(0) for each in frames) / count)
    largest = np.max([np.abs(each).max(0) for each in frames], axis=0)
    return mean, np.where(deviation > _ROUNDING * largest, deviation, 1.0)
