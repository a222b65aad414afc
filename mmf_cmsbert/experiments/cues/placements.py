"""Where a cue is planted: the linear map from the cue to the frames of an utterance.

An utterance has a cue ``z`` and a reference ``r``, independent and standard normal. A frame ``t``
of a modality ``m`` is ``(L[m, t, 0] z + L[m, t, 1] r) p_m + noise``: ``p_m`` is a unit vector over
the columns, and the noise is standard normal in each column. A placement says which ``L``, the
loadings, are possible; one is drawn for each utterance, all equally likely.
"""

from collections.abc import Callable, Sequence

import numpy as np

from mmf_cmsbert.datasets.segment import FACE_VOICE

_FACE, _VOICE = range(len(FACE_VOICE))
# Sum of the squared loadings of the cue. If they are known, the frames give 9/10 of its variance.
ENERGY = 9.0
# The reference's standard deviation, in those of the cue.
REFERENCE = 2.0

Loadings = np.ndarray  # (possibilities, modalities, frames, 2)


def host(words: Sequence[str]) -> int:
    """Return the index of the longest word, the first of several: the word that owns the cue."""
    return max(range(len(words)), key=lambda i: (len(words[i]), -i))


def own(words: Sequence[str]) -> Loadings:
    """The cue is at the frames of its own word, in face and voice."""
    found = np.zeros((1, len(FACE_VOICE), len(words), 2))
    found[0, :, host(words), 0] = np.sqrt(ENERGY / len(FACE_VOICE))
    return found


def other(words: Sequence[str]) -> Loadings:
    """The cue is at the frames of one other word, in face and voice."""
    places = _others(words)
    found = np.zeros((len(places), len(FACE_VOICE), len(words), 2))
    for row, place in enumerate(places):
        found[row, :, place, 0] = np.sqrt(ENERGY / len(FACE_VOICE))
    return found


def spread(words: Sequence[str]) -> Loadings:
    """The cue is in all frames of face and voice, a little in each."""
    found = np.zeros((1, len(FACE_VOICE), len(words), 2))
    found[..., 0] = np.sqrt(ENERGY / found[0, ..., 0].size)
    return found


def reference(words: Sequence[str]) -> Loadings:
    """The voice has cue plus reference at one other word, the face has the reference at another.

    The voice alone gives little of the cue, the face alone nothing.
    """
    places = _others(words)
    found = np.zeros((len(places), len(places), len(FACE_VOICE), len(words), 2))
    for row, place in enumerate(places):
        found[row, :, _VOICE, place, :] = np.sqrt(ENERGY) * np.array([1.0, REFERENCE])
        found[:, row, _FACE, place, 1] = np.sqrt(ENERGY) * REFERENCE
    return found.reshape(-1, *found.shape[2:])


PLACEMENTS: dict[str, Callable[[Sequence[str]], Loadings]] = {
    "own": own,
    "other": other,
    "spread": spread,
    "reference": reference,
}


def _others(words: Sequence[str]) -> list[int]:
    """All words but the cue's; of an utterance of one word, that word."""
    at = host(words)
    return [i for i in range(len(words)) if i != at] or [at]
