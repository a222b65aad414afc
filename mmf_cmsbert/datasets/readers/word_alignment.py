"""Align words and frames by their times."""

import numpy as np


def within(intervals: np.ndarray, start: float, end: float) -> np.ndarray:
    """Return the intervals ``(rows, 2)`` whose middle is in ``[start, end)``."""
    middle = intervals.mean(1)
    return np.flatnonzero((start <= middle) & (middle < end))


def align(features: np.ndarray, seen_at: np.ndarray, spoken_at: np.ndarray) -> np.ndarray:
    """Return for each word the mean of the frames that overlap it, zeros if none does.

    Args:
        features: ``(frames, width)``, sorted by the start of their intervals.
        seen_at: their intervals ``(frames, 2)`` in seconds.
        spoken_at: the words' intervals ``(words, 2)`` in seconds.

    Returns:
        float32 ``(words, width)``.
    """
    aligned = np.zeros((len(spoken_at), features.shape[1]), np.float32)
    # Frames before the first whose running latest end is past a word's start do not overlap it.
    latest = np.maximum.accumulate(seen_at[:, 1])
    first = np.searchsorted(latest, spoken_at[:, 0], side="right")
    behind = np.searchsorted(seen_at[:, 0], spoken_at[:, 1], side="left")
    for row, low, high, (start, _) in zip(aligned, first, behind, spoken_at, strict=True):
        overlapping = features[low:high][seen_at[low:high, 1] > start]
        if len(overlapping):
            with np.errstate(invalid="ignore"):  # published frames hold infinities
                row[:] = overlapping.mean(0, dtype=np.float64)
    return aligned
