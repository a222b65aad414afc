"""Normalise the columns of frames to zero mean and unit variance, by segment or by corpus."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from mmf_cmsbert.datasets.segment import Segment, in_order

# A deviation below this share of the column's largest value is rounding of float32.
_ROUNDING = 1e-6


def by_segment(segment: Segment) -> Segment:
    """Normalise each column over the frames of the segment; constant columns become zero."""
    normalised = {
        modality: ((segment.frames[modality] - mean) / scale).astype(np.float32)
        for modality, (mean, scale) in corpus_statistics([segment]).items()
    }
    return replace(segment, frames={**segment.frames, **normalised})


def corpus_statistics(segments: Sequence[Segment]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return each modality's mean and scale ``(width,)``, float64, over all frames.

    The scale is the population standard deviation, or 1 for a constant column. Modalities that no
    segment has are left out. Use it on the training split only.
    """
    # Two passes, because sums of squares would lose small deviations.
    counts: dict[str, int] = {}
    sums: dict[str, np.ndarray] = {}
    largest: dict[str, np.ndarray] = {}
    for modality, frames in _frames(segments):
        counts[modality] = counts.get(modality, 0) + len(frames)
        sums[modality] = sums.get(modality, 0) + frames.sum(0, dtype=np.float64)
        own = np.abs(frames).max(0)
        largest[modality] = np.maximum(largest.get(modality, own), own)
    means = {modality: sums[modality] / counts[modality] for modality in sums}
    squares = {modality: np.zeros_like(mean) for modality, mean in means.items()}
    for modality, frames in _frames(segments):
        squares[modality] += np.square(frames - means[modality]).sum(0)
    statistics = {}
    for modality in in_order(means):
        deviation = np.sqrt(squares[modality] / counts[modality])
        scale = np.where(deviation > _ROUNDING * largest[modality], deviation, 1.0)
        statistics[modality] = means[modality], scale
    return statistics


def _frames(segments: Sequence[Segment]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield frames one segment at a time: together they may not fit into memory."""
    for segment in segments:
        for modality, frames in segment.frames.items():
            if len(frames):
                yield modality, frames
