"""Average long sequences of frames over windows."""

from dataclasses import replace

import numpy as np

from mmf_cmsbert.datasets.segment import Segment


def pool_windows(frames: np.ndarray, longest: int) -> np.ndarray:
    """Reduce a longer sequence to ``longest`` frames, the means of as many windows.

    The windows are consecutive, cover every frame once, and differ in length by at most one frame:
    window i begins at frame ``i * frames // longest``. This is our interpretation; other
    implementations truncate.

    Args:
        frames: float32 ``(frames, width)``.
        longest: largest number of windows, at least 1.

    Returns:
        float32 ``(min(frames, longest), width)``; ``frames`` itself if it is short enough.
    """
    if len(frames) <= longest:
        return frames
    edges = np.arange(longest + 1) * len(frames) // longest
    sums = np.add.reduceat(frames, edges[:-1], axis=0, dtype=np.float64)
    return (sums / np.diff(edges)[:, None]).astype(np.float32)


def shorten(segment: Segment, longest: int | None) -> Segment:
    """Reduce every modality of a segment to at most ``longest`` frames; None for no limit."""
    if longest is None:
        return segment
    pooled = {m: pool_windows(frames, longest) for m, frames in segment.frames.items()}
    return replace(segment, frames=pooled)
