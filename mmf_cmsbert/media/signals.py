"""What a clip consists of: sound, words with times, frames with times."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

RATE = 16_000  # samples per second of decoded sound


@dataclass(frozen=True, eq=False)
class Sound:
    """Decoded sound, mono.

    Attributes:
        samples: float32 ``(samples,)``, within [-1, 1].
        rate: samples per second.
    """

    samples: np.ndarray
    rate: int = RATE

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate


@dataclass(frozen=True)
class Word:
    """A spoken word, with its time in seconds from the start of the clip."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Frames:
    """Features of a modality over time.

    Attributes:
        values: float32 ``(frames, width)``, finite.
        times: float64 ``(frames,)``, the middle of each frame in seconds, increasing.
        columns: a name for each column of ``values``.
    """

    values: np.ndarray
    times: np.ndarray
    columns: Sequence[str]

    def between(self, start: float, end: float) -> np.ndarray:
        """Return the values of the frames whose middle is in ``[start, end)``."""
        found: np.ndarray = self.values[slice(*np.searchsorted(self.times, (start, end)))]
        return found


def finite_frames(values: Any, times: Any, columns: Sequence[str]) -> Frames:
    """Return frames without those that contain NaN or infinity."""
    values, times = np.asarray(values, np.float32), np.asarray(times, np.float64)
    kept = np.isfinite(values).all(axis=1)
    return Frames(np.ascontiguousarray(values[kept]), times[kept], tuple(columns))
