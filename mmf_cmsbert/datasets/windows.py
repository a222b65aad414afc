"""Long sequences of frames as fewer windows."""

from dataclasses import replace

import numpy as np

from mmf_cmsbert.datasets.segment import MODALITIES, Segment


def pool_windows(frames: np.ndarray, longest: int) -> np.ndarray:
    """At most ``longest`` frames: a longer sequence becomes that many windows, each its mean.

    The windows follow each other, cover every frame once, and differ in length by one frame at
    most: window i begins at frame ``i * frames // longest`` (our
    interpretation; peers cut instead).

    Args:
        frames: float32 ``(frames, width)``.
        longest: how many windows there may be, at least 1.

    Returns:
        float32 ``(min(frames, longest), width)``; ``frames`` itself where it is short enough.
    """
    if len(frames) <= longest:
        return frames
    edges = np.arange(longest + 1) * len(frames) // longest
    sums = np.add.reduceat(frames, edges[:-1], axis=0, dtype=np.float64)
    return (sums / np.diff(edges)[:, None]).astype(np.float32)


def shorten(segment: Segment, longest: int | None) -> Segment:
    """The segment with every modality pooled to ``longest`` frames; None leaves it as it is."""
    if longest is None:
        return segment
    frames = {modality: getattr(segment, modality) for modality in MODALITIES}
    long = {m: each for m, each in frames.items() if each is not None and len(each) > longest}
    return replace(segment, **{m: pool_windows(each, longest) for m, each in long.items()})
