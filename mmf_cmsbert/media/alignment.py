"""Give the words of a transcript without times their times in the sound."""

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.media.loudness import RATE
from mmf_cmsbert.media.signals import Word
from mmf_cmsbert.media.transcript import spread

_LEAST_HEARD = 0.3  # of the words


def align(words: Sequence[str], heard: Sequence[Word], seconds: float, where: str) -> list[Word]:
    """Take the times of words from those that a recogniser heard.

    Words that both have take the recogniser's times. Those between them share the time between
    their neighbours in proportion to their letters.

    Args:
        words: the transcript.
        heard: what was recognised, with times.
        seconds: length of the clip.
        where: the clip, for the message.

    Raises:
        DataError: too few words were heard: the transcript is not of this clip.
    """
    ours, theirs = [_plain(word) for word in words], [_plain(word.text) for word in heard]
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    found: list[Word | None] = [None] * len(words)
    for block in blocks:
        for i in range(block.size):
            source = heard[block.b + i]
            found[block.a + i] = Word(words[block.a + i], source.start, source.end)
    matched = sum(each is not None for each in found)
    if matched < _LEAST_HEARD * len(words):
        raise DataError(
            f"{where}: only {matched} of the transcript's {len(words)} words were heard in the "
            "sound; is it of this clip? To spread it over the sound without a comparison, type "
            "--recogniser none"
        )
    limits = (min(heard[0].start, seconds), max(heard[-1].end, 0.0)) if heard else (0.0, seconds)
    return _filled(words, found, *limits)


def spread_over_sound(words: Sequence[str], loud: np.ndarray, seconds: float) -> list[Word]:
    """Divide the parts of a sound that are not silent among words, by their letters.

    Args:
        words: the transcript.
        loud: bool ``(hundredths,)``, which parts are not silent; empty without a sound.
        seconds: length of the clip.
    """
    letters = [len(word) for word in words]
    places = np.flatnonzero(loud)
    if not len(places):
        times = spread(letters, 0.0, seconds)
        return [Word(word, *time) for word, time in zip(words, times, strict=True)]
    edges = np.concatenate([[0], np.cumsum(letters)]) / sum(letters) * len(places)
    found = []
    for word, first, last in zip(words, edges[:-1], edges[1:], strict=True):
        start = places[min(int(first), len(places) - 1)] / RATE
        end = (places[min(max(int(np.ceil(last)) - 1, 0), len(places) - 1)] + 1) / RATE
        found.append(Word(word, float(start), float(max(end, start + 1 / RATE))))
    return found


def _filled(
    words: Sequence[str], found: list[Word | None], first: float, last: float
) -> list[Word]:
    result: list[Word] = []
    i = 0
    while i < len(found):
        each = found[i]
        if each is not None:
            result.append(each)
            i += 1
            continue
        end = next((j for j in range(i, len(found)) if found[j] is not None), len(found))
        following = found[end] if end < len(found) else None
        left = result[-1].end if result else first
        right = max(last if following is None else following.start, left)
        times = spread([len(word) for word in words[i:end]], left, right)
        result += [Word(word, *time) for word, time in zip(words[i:end], times, strict=True)]
        i = end
    return result


def _plain(word: str) -> str:
    return "".join(c for c in word.casefold() if c.isalnum()) or word
