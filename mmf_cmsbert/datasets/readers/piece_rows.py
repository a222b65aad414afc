"""Rows of MMSA's aligned files that belong to word pieces, ``[CLS]`` and ``[SEP]`` included.

MMSA's feature extractor repeats a word's frame for each of its pieces and puts zeros at the special
tokens. Nothing in a file says whether its rows are words or pieces; how many rows hold anything,
beside how many pieces ``text_bert`` has, tells.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mmf_cmsbert.errors import DataError

_SPECIAL = 2  # [CLS] and [SEP]
_AT_ONCE = 1024  # segments


def piece_counts(text_bert: np.ndarray) -> list[int] | None:
    """How many pieces each segment has, special tokens included.

    Args:
        text_bert: ``(segments, 3, length)``: ids, mask, token types.

    Returns:
        None where a mask is not ones, at least two, and then zeros.
    """
    found: list[int] = []
    for start in range(0, len(text_bert), _AT_ONCE):  # it may be in a file
        mask = text_bert[start : start + _AT_ONCE, 1]
        counts = np.count_nonzero(mask, 1)
        expected = np.arange(mask.shape[1]) < counts[:, None]
        if not (mask == expected).all() or (counts < _SPECIAL).any():
            return None
        found += counts.tolist()
    return found


def rows_used(rows: Iterable[np.ndarray]) -> int:
    """The rows of a segment up to the last that holds a finite number besides zero, in any of its
    modalities ``(rows, width)``."""
    last = 0
    for each in rows:
        holding = np.flatnonzero((np.isfinite(each) & (each != 0)).any(1))
        last = max(last, int(holding[-1]) + 1) if len(holding) else last
    return last


def are_pieces(used: Sequence[int], pieces: Sequence[int]) -> bool:
    """Whether the rows of a split are word pieces.

    They are where no segment uses more rows than it has pieces, and at least half of those that use
    any reach the last piece or the last before ``[SEP]``. (There are at least two pieces more than
    words, so rows of words end before that.)
    """
    reached = [u >= p - 1 for u, p in zip(used, pieces, strict=True) if u]
    within = all(u <= p for u, p in zip(used, pieces, strict=True))
    return bool(reached) and within and 2 * sum(reached) >= len(reached)


def by_word(
    rows: Mapping[str, np.ndarray], lengths: Sequence[int] | None, words: int, pieces: int
) -> dict[str, np.ndarray]:
    """The frames of a segment whose rows are word pieces, one a word where that can be known.

    It is known with ``lengths``; where each word is one piece; and where rows change as often as
    words do, as a word's pieces share their row. Otherwise the rows between ``[CLS]`` and ``[SEP]``
    are frames that are not aligned.

    Args:
        rows: modality -> ``(rows, width)``, padded.
        lengths: how many pieces each word has, or None.
        words: how many there are.
        pieces: how many pieces the segment has, special tokens included; the last is no ``[SEP]``
            where ``lengths`` add up to more.
    """
    if lengths is None:
        inside = {m: each[1 : pieces - 1] for m, each in rows.items()}
        lengths = _lengths(list(inside.values()), words)
        if lengths is None:
            return inside
    starts = np.cumsum([1, *lengths])
    return {modality: _first_or_mean(each, starts) for modality, each in rows.items()}


def _lengths(rows: Sequence[np.ndarray], words: int) -> list[int] | None:
    """How many rows each word has, by where rows of any modality change."""
    count = len(rows[0]) if rows else 0
    if count == words:
        return [1] * words
    if not count or any(len(each) != count for each in rows):
        return None
    changed = [~_same_bits(each[1:], each[:-1]) for each in rows]
    starts = [0, *(np.flatnonzero(np.any(changed, 0)) + 1).tolist(), count]
    return np.diff(starts).tolist() if len(starts) == words + 1 else None


def _same_bits(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which rows are the same, NaN too."""
    return ((one == other) | ((one != one) & (other != other))).all(1)


def _first_or_mean(rows: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """``(words, width)``: a word's row, the mean where its pieces have different ones; zeros for a
    word of which the rows were cut off."""
    frames = np.zeros((len(starts) - 1, rows.shape[1]), rows.dtype)
    for frame, start, end in zip(frames, starts[:-1], starts[1:], strict=True):
        own = rows[start:end]
        if len(own):
            frame[:] = own[0] if _same_bits(own, own[:1]).all() else own.mean(0)
    return frames


class PieceCounter:
    """How many word pieces the words of a text have, by the vocabulary that ``text_bert`` is of.

    Args:
        pieces: the word pieces by id.

    Raises:
        DataError: this is not BERT's vocabulary.
    """

    def __init__(self, pieces: Sequence[str]):
        from tokenizers import BertWordPieceTokenizer

        vocabulary = {piece: number for number, piece in enumerate(pieces)}
        try:
            self._tokenizers = [
                BertWordPieceTokenizer(vocabulary, lowercase=lower) for lower in (True, False)
            ]
        except Exception as error:  # tokenizers raises nothing narrower
            raise DataError(
                f"a vocabulary of {len(pieces)} word pieces that is not BERT's ({error}); expected "
                "the vocab.txt of the tokenizer"
            ) from error

    def count(self, words: Sequence[str], ids: np.ndarray, where: str) -> list[int]:
        """How many pieces each word has, also of words that were cut off.

        Args:
            words: of a segment.
            ids: of ``text_bert`` without its padding.
            where: the segment's place, for messages.

        Raises:
            DataError: the words do not give these ids.
        """
        wanted = ids.tolist()
        for tokenizer in self._tokenizers:
            found = tokenizer.encode(list(words), is_pretokenized=True)
            # A segment longer than the file's rows lost its end.
            if found.ids == wanted or (len(found.ids) > len(wanted) and _begins(found.ids, wanted)):
                owners = [word for word in found.word_ids if word is not None]
                return np.bincount(owners, minlength=len(words)).tolist()
        raise DataError(
            f"{where}: the ids of 'text_bert' are not what the vocabulary makes of 'raw_text'; "
            "name the vocab.txt of the tokenizer that made them"
        )


def _begins(ids: Sequence[int], start: Sequence[int]) -> bool:
    # The last may have been replaced by [SEP].
    return ids[: len(start) - 1] == start[:-1]
