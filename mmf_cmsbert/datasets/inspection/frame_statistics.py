"""Statistics of the columns of a modality over a corpus, in one pass without storing frames."""

from typing import Any

import numpy as np

# A segment is centred if its columns' means are at most this share of their largest value.
_NO_MEAN = 1e-3
_FEW_FRAMES = 3


class FrameStatistics:
    """Running statistics over frames ``(frames, width)`` of one width.

    Values that are not finite are counted, and left out of the moments.
    """

    def __init__(self, width: int):
        self.segments = self.frames = self.zero_frames = 0
        self.nan = self.inf = 0
        self.not_finite: list[str] = []
        self.centred = self.judged = 0
        self._count = np.zeros(width)
        self._mean = np.zeros(width)
        self._squares = np.zeros(width)
        self._lowest = np.full(width, np.inf)
        self._highest = np.full(width, -np.inf)
        self._group = np.zeros(width, np.int32)

    def add(self, name: str, frames: np.ndarray) -> None:
        """Add the frames of the segment ``name``."""
        finite = np.isfinite(frames)
        self.segments += 1
        self.frames += len(frames)
        self.zero_frames += int((frames == 0).all(1).sum())
        if not finite.all():
            self.not_finite.append(name)
            self.nan += int(np.isnan(frames).sum())
            self.inf += int(np.isinf(frames).sum())
        elif len(frames) >= _FEW_FRAMES and frames.any():
            self.judged += 1
            self.centred += bool((np.abs(frames.mean(0)) <= _NO_MEAN * np.abs(frames).max(0)).all())
        self._lowest = np.minimum(self._lowest, np.where(finite, frames, np.inf).min(0))
        self._highest = np.maximum(self._highest, np.where(finite, frames, -np.inf).max(0))
        self._merge(frames, finite)
        self._tell_apart(frames)

    def _merge(self, frames: np.ndarray, finite: np.ndarray) -> None:
        # Chan, Golub & LeVeque (1983): combine the moments of two parts without cancellation.
        count = finite.sum(0)
        mean = np.where(finite, frames, 0.0).sum(0, dtype=np.float64) / np.maximum(count, 1)
        squares = np.square(np.where(finite, frames - mean, 0.0)).sum(0)
        total = np.maximum(self._count + count, 1)
        apart = mean - self._mean
        self._squares += squares + np.square(apart) * self._count * count / total
        self._mean += apart * count / total
        self._count += count

    def _tell_apart(self, frames: np.ndarray) -> None:
        """Split the groups of columns that were equal so far by the bits of these frames."""
        shared = np.bincount(self._group)[self._group] > 1
        if shared.any():
            bits = (frames[:, shared] + np.float32(0)).view(np.int32)  # -0 becomes 0
            rows = np.vstack((self._group[shared], bits))
            _, group = np.unique(rows, axis=1, return_inverse=True)
            self._group[~shared] = np.flatnonzero(~shared)
            self._group[shared] = len(shared) + group.reshape(-1)

    def found(self) -> dict[str, Any]:
        """Return the statistics, as built-in types."""
        known = self._count > 0
        constant = known & (self._lowest == self._highest)
        varied = np.flatnonzero(known & ~constant)
        groups: dict[int, list[int]] = {}
        for column in varied.tolist():
            groups.setdefault(int(self._group[column]), []).append(column)
        deviation = np.sqrt(self._squares / np.maximum(self._count, 1))
        columns = {
            "mean": self._mean,
            "std": deviation,
            "min": self._lowest,
            "max": self._highest,
        }
        return {
            "width": len(known),
            "segments": self.segments,
            "frames": self.frames,
            "zero_frames": self.zero_frames,
            "zero_columns": np.flatnonzero(constant & (self._lowest == 0)).tolist(),
            "constant_columns": np.flatnonzero(constant & (self._lowest != 0)).tolist(),
            "equal_columns": [group for group in groups.values() if len(group) > 1],
            "nan": self.nan,
            "inf": self.inf,
            "not_finite_segments": self.not_finite,
            "centred_segments": self.centred,
            "judged_segments": self.judged,
            "columns": {
                name: [float(v) if k else None for v, k in zip(each, known, strict=True)]
                for name, each in columns.items()
            },
        }
