"""Damage done to the frames of a split, from a seed.

The kinds follow MultiBench's tests of time series (Liang et al., NeurIPS 2021; its
``robustness/timeseries_robust.py``), with two differences: a lost frame has the mean of its columns
over the split, which is MultiBench's zero where columns are normalised, and noise is scaled by the
columns' standard deviations. The draws of a seed are the same at all levels, so that a higher level
damages all that a lower one damages.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from mmf_cmsbert.datasets.segment import Segment


@dataclass(frozen=True)
class Columns:
    """Mean and standard deviation of a modality's columns over all frames of a split."""

    mean: np.ndarray
    deviation: np.ndarray


Damage = Callable[[np.ndarray, float, Columns, Generator], np.ndarray | None]


def lose_frames(
    frames: np.ndarray, level: float, columns: Columns, rng: Generator
) -> np.ndarray | None:
    """Replace each frame by the mean with probability ``level``: ``(frames, width)``."""
    lost = rng.random(len(frames)) < level
    return np.where(lost[:, None], columns.mean, frames)


def lose_segments(
    frames: np.ndarray, level: float, columns: Columns, rng: Generator
) -> np.ndarray | None:
    """Remove the modality from the segment with probability ``level``."""
    return None if rng.random() < level else frames


def add_noise(
    frames: np.ndarray, level: float, columns: Columns, rng: Generator
) -> np.ndarray | None:
    """Add normal noise of ``level`` standard deviations of each column."""
    return frames + level * columns.deviation * rng.normal(size=frames.shape)


def shift_in_time(
    frames: np.ndarray, level: float, columns: Columns, rng: Generator
) -> np.ndarray | None:
    """Delay the frames by ``level`` times their number; the mean fills the start."""
    late = min(len(frames), round(level * len(frames)))
    start = np.broadcast_to(columns.mean, (late, frames.shape[1]))
    return np.concatenate([start, frames[: len(frames) - late]])


DAMAGES: dict[str, Damage] = {
    "frames": lose_frames,
    "segments": lose_segments,
    "noise": add_noise,
    "shift": shift_in_time,
}


def columns_of(segments: Sequence[Segment]) -> dict[str, Columns]:
    """Return modality -> mean and deviation of its columns over all frames."""
    found: dict[str, list[np.ndarray]] = {}
    for segment in segments:
        for modality, frames in segment.frames.items():
            found.setdefault(modality, []).append(frames)
    return {
        modality: Columns(*(f(np.concatenate(each), axis=0) for f in (np.mean, np.std)))
        for modality, each in found.items()
    }


def damaged(
    segment: Segment,
    kind: str,
    level: float,
    modalities: Sequence[str],
    columns: Mapping[str, Columns],
    seed: int,
) -> Segment:
    """Return a segment with damaged frames.

    Args:
        segment: the segment; it is not changed.
        kind: a name of :data:`DAMAGES`.
        level: 0 for none.
        modalities: those that are damaged.
        columns: of the split, see :func:`columns_of`.
        seed: of the draws.
    """
    if level == 0:
        return segment
    frames = dict(segment.frames)
    for modality in modalities:
        if len(frames.get(modality, ())) == 0:
            continue
        names = (zlib.crc32(name.encode()) for name in (segment.id, modality, kind))
        rng = np.random.default_rng([seed, *names])
        found = DAMAGES[kind](frames[modality], level, columns[modality], rng)
        if found is None:
            del frames[modality]
        else:
            frames[modality] = found.astype(np.float32)
    return replace(segment, frames=frames)
