"""Loudness of a sound, and where it is silent."""

import numpy as np

from mmf_cmsbert.media.signals import Sound, Word

RATE = 100  # values per second
_QUIETEST = -90.0  # dB
# A sound is silent where it is this close to its background noise, within these distances from its
# loud parts: without pauses, or in digital silence, the noise is unknown.
_ABOVE_NOISE, _BELOW_LOUD = 8.0, (35.0, 20.0)


def loudness(sound: Sound) -> np.ndarray:
    """Return the level of each hundredth of a second in dB, 0 for a full-scale square wave.

    Returns:
        float32 ``(hundredths,)``.
    """
    hop = sound.rate // RATE
    count = len(sound.samples) // hop
    parts = sound.samples[: count * hop].reshape(count, hop).astype(np.float64)
    power = np.square(parts).mean(axis=1)
    return np.maximum(10 * np.log10(power + 1e-12), _QUIETEST).astype(np.float32)


def is_loud(levels: np.ndarray) -> np.ndarray:
    """Return bool ``(hundredths,)``: which parts are not silent."""
    if not len(levels):
        return np.zeros(0, bool)
    noise, loud = np.percentile(levels, (10, 95))
    farthest, nearest = (loud - distance for distance in _BELOW_LOUD)
    threshold = np.clip(noise + _ABOVE_NOISE, farthest, nearest)
    found: np.ndarray = levels > max(threshold, _QUIETEST + 20)
    return found


def without_silence(words: list[Word], loud: np.ndarray) -> list[Word]:
    """Remove silence from the beginning and end of each word's time.

    Recognisers often add the pause before a word to its time.
    """
    return [_trimmed(word, loud) for word in words]


def _trimmed(word: Word, loud: np.ndarray) -> Word:
    first = round(word.start * RATE)
    inside = np.flatnonzero(loud[first : round(word.end * RATE)])
    if not len(inside):
        return word
    # Of a word that contains a pause, the longer side is kept.
    runs = np.split(inside, np.flatnonzero(np.diff(inside) > 0.25 * RATE) + 1)
    run = max(runs, key=len)
    start, end = (first + run[0]) / RATE, (first + run[-1] + 1) / RATE
    return Word(word.text, max(word.start, start), min(word.end, end))
