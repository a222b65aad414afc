"""Cut a clip into segments: by sentence, by silence, as a whole, or by given times."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mmf_cmsbert.media.signals import Word

Cut = Literal["sentence", "silence", "clip"]
_PAUSE = 0.6  # s, of silence between two segments
_LONG_PAUSE = 2.0  # s, which ends a sentence without a full stop
_ENDS = (".", "?", "!", "\N{HORIZONTAL ELLIPSIS}", "\N{IDEOGRAPHIC FULL STOP}")
_QUOTES = "\"')]}\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
_ABBREVIATIONS = {"mr.", "mrs.", "ms.", "dr.", "st.", "vs.", "e.g.", "i.e.", "prof.", "jr.", "sr."}


@dataclass(frozen=True)
class Span:
    """A segment of a clip: its words, and where it starts and ends, in seconds."""

    words: tuple[Word, ...]
    start: float
    end: float


def spans(words: Sequence[Word], cut: Cut, seconds: float) -> list[Span]:
    """Cut a clip.

    Args:
        words: its words, in order.
        cut: ``sentence``: after a full stop, question or exclamation mark, and where nobody speaks
            for 2 s; ``silence``: where nobody speaks for 0.6 s; ``clip``: nowhere.
        seconds: length of the clip.
    """
    if not words:
        return []
    if cut == "clip":
        return [Span(tuple(words), 0.0, seconds)]
    groups: list[list[Word]] = [[]]
    for word in words:
        if groups[-1] and _ends(groups[-1][-1], word, cut):
            groups.append([])
        groups[-1].append(word)
    return [_span(group, seconds) for group in groups]


def span_of_times(words: Sequence[Word], start: float, end: float) -> Span:
    """Return the words whose middle is in ``[start, end)``."""
    return Span(tuple(w for w in words if start <= (w.start + w.end) / 2 < end), start, end)


def _ends(word: Word, following: Word, cut: Cut) -> bool:
    pause = following.start - word.end
    if cut == "silence":
        return pause >= _PAUSE
    text = word.text.rstrip(_QUOTES)
    return pause >= _LONG_PAUSE or (text.endswith(_ENDS) and text.casefold() not in _ABBREVIATIONS)


def _span(words: Sequence[Word], seconds: float) -> Span:
    start = max(words[0].start, 0.0)
    end = min(max(word.end for word in words), seconds)
    return Span(tuple(words), start, max(end, start + 0.01))
