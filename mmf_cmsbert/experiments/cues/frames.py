"""Made frames in which a cue is planted, from a seed."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmf_cmsbert.datasets.segment import FACE_VOICE, Segment
from mmf_cmsbert.experiments.cues.bayes import Posterior, posterior
from mmf_cmsbert.experiments.cues.placements import PLACEMENTS

# Columns of each modality.
WIDTH = 8


@dataclass(frozen=True)
class Planted:
    """The frames of an utterance, one a word.

    Attributes:
        frames: modality -> float32 ``(words, WIDTH)``.
        cue: ``z``, standard normal.
        reference: ``r``, standard normal; only the placement ``reference`` shows it.
        places: modality -> the share of the cue's energy at each word ``(words,)``.
        posterior: the best estimate of the cue from the frames.
    """

    frames: dict[str, np.ndarray]
    cue: float
    reference: float
    places: dict[str, np.ndarray]
    posterior: Posterior


class Planter:
    """Plants cues in made frames. The same seed and segment always give the same frames.

    Args:
        placement: a name of :data:`.placements.PLACEMENTS`.
        seed: of patterns, cues, places and noise.
    """

    def __init__(self, placement: str, seed: int):
        self._loadings, self._placement, self._seed = PLACEMENTS[placement], placement, seed
        patterns = np.random.default_rng([seed, 0]).normal(size=(len(FACE_VOICE), WIDTH))
        self.patterns = patterns / np.linalg.norm(patterns, axis=1, keepdims=True)

    def plant(self, segment_id: str, words: Sequence[str]) -> Planted:
        """Make the frames of an utterance.

        Cue and reference depend on seed and id alone, so that all placements have the same labels.
        """
        number = zlib.crc32(segment_id.encode())
        cue, reference = np.random.default_rng([self._seed, 1, number]).normal(size=2)
        placement = zlib.crc32(self._placement.encode())
        rng = np.random.default_rng([self._seed, 2, number, placement])
        possible = self._loadings(words)
        chosen = possible[rng.integers(len(possible))]
        signal = chosen @ np.array([cue, reference])  # (modalities, words)
        frames = signal[:, :, None] * self.patterns[:, None]
        frames = (frames + rng.normal(size=frames.shape)).astype(np.float32)
        projections = np.einsum("mtw,mw->mt", frames, self.patterns)
        energy = chosen[..., 0] ** 2 + chosen[..., 1] ** 2
        shares = energy / np.maximum(energy.sum(1, keepdims=True), 1e-12)
        return Planted(
            dict(zip(FACE_VOICE, frames, strict=True)),
            float(cue),
            float(reference),
            dict(zip(FACE_VOICE, shares, strict=True)),
            posterior(possible, projections),
        )


def labelled(segment: Segment, planted: Planted, label: float, strength: float) -> Segment:
    """Return a segment with the planted frames, and the label plus ``strength`` times the cue."""
    return Segment(
        segment.id,
        segment.video,
        segment.words,
        planted.frames,
        label + strength * planted.cue,
        segment.start,
        segment.end,
        targets={"cue": (planted.cue,)},
    )
