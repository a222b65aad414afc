"""Words of previous utterances, put before those of a segment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

from mmf_cmsbert.datasets.readers.text import has_text
from mmf_cmsbert.datasets.segment import Segment

# A word that ends each utterance of the context; the processor of words replaces it with the
# tokenizer's separator.
SEPARATOR = "[SEP]"


@dataclass(frozen=True)
class Turn:
    """An utterance before a segment.

    Attributes:
        words: its words.
        frames: modality -> one frame per word ``(words, width)``, for those that are known.
    """

    words: Sequence[str]
    frames: Mapping[str, np.ndarray] = field(default_factory=dict)


def with_context(segment: Segment, before: Sequence[Turn], count: int) -> Segment:
    """Put the words of the last ``count`` of the utterances ``before`` in front of a segment's.

    Each utterance is followed by :data:`SEPARATOR`. Where a modality has one frame per word, the
    words of the context get theirs, or zeros if they are not known; other frames are unchanged.
    """
    turns = [_spoken(turn) for turn in before[-count:]] if count else []
    turns = [turn for turn in turns if turn.words]
    if not turns:
        return segment
    own = len(segment.words)
    frames = {
        modality: np.concatenate([*_rows(turns, modality, each.shape[1]), each])
        if len(each) == own
        else each
        for modality, each in segment.frames.items()
    }
    words = chain.from_iterable((*turn.words, SEPARATOR) for turn in turns)
    return replace(segment, words=(*words, *segment.words), frames=frames)


def context_length(words: Sequence[str]) -> int:
    """Return the number of words of context before the words of the segment itself."""
    return next((i + 1 for i in reversed(range(len(words))) if words[i] == SEPARATOR), 0)


def _spoken(turn: Turn) -> Turn:
    kept = [i for i, word in enumerate(turn.words) if has_text(word)]
    frames = {m: each[kept] for m, each in turn.frames.items() if len(each) == len(turn.words)}
    return Turn([turn.words[i] for i in kept], frames)


def _rows(turns: Iterable[Turn], modality: str, width: int) -> list[np.ndarray]:
    rows = []
    for turn in turns:
        own = turn.frames.get(modality)
        if own is None or own.shape[1] != width:
            own = np.zeros((len(turn.words), width), np.float32)
        rows += [own, np.zeros((1, width), np.float32)]
    return rows
