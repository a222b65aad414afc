"""Rows of MMSA's aligned files that belong to word pieces, with ``[CLS]`` and ``[SEP]``.

MMSA's feature extractor repeats a word's frame for each of its pieces and writes zeros for the
special tokens. A file does not say whether its rows are words or pieces. The number of used rows,
compared with the number of pieces in ``text_bert``, shows it.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mmf_cmsbert.errors import DataError

_SPECIAL = 2  # [CLS] and [SEP]
_AT_ONCE = 1024  # segments


def piece_counts(text_bert: np.ndarray) -> list[int] | None:
    """Return the number of pieces in each segment, special tokens included.

    Args:
        text_bert: ``(segments, 3, length)``: ids, mask, token types.

    Returns:
        The numbers; None unless each mask is at least two ones followed by zeros.
    """
    found: list[int] = []
    for start in range(0, len(text_bert), _AT_ONCE):  # the array may be in a file
        mask = text_bert[start : start + _AT_ONCE, 1]
        counts = np.count_nonzero(mask, 1)
        expected = np.arange(mask.shape[1]) < counts[:, None]
        if not (mask == expected).all() or (counts < _SPECIAL).any():
            return None
        found += counts.tolist()
    return found


def rows_used(rows: Iterable[np.ndarray]) -> int:
    """Return the number of rows up to the last one that any modality of a segment uses.

    A used row has a finite number other than zero; the modalities are ``(rows, width)``.
    """
    last = 0
    for each in rows:
        holding = np.flatnonzero((np.isfinite(each) & (each != 0)).any(1))
        last = max(last, int(holding[-1]) + 1) if len(holding) else last
    return last


def are_pieces(used: Sequence[int], pieces: Sequence[int]) -> bool:
    """Return whether the rows of a split are word pieces.

    They are if no segment uses more rows than it has pieces, and if at least half of the segments
    with used rows use the last piece or the one before ``[SEP]``. (A segment has at least two more
    pieces than words, so rows of words end earlier.)
    """
    reached = [u >= p - 1 for u, p in zip(used, pieces, strict=True) if u]
    within = all(u <= p for u, p in zip(used, pieces, strict=True))
    return bool(reached) and within and 2 * sum(reached) >= len(reached)


def by_word(
    rows: Mapping[str, np.ndarray], lengths: Sequence[int] | None, words: int, pieces: int
) -> dict[str, np.ndarray]:
    """Convert rows of word pieces to one frame per word, if the words' lengths can be determined.

    They are given by ``lengths``; or each word is one piece; or rows change as often as words,
    because the pieces of a word share its row. Otherwise the rows between ``[CLS]`` and ``[SEP]``
    are returned as unaligned frames.

    Args:
        rows: modality -> ``(rows, width)``, padded.
        lengths: number of pieces of each word, or None.
        words: number of words.
        pieces: number of pieces of the segment, special tokens included; if ``lengths`` add up to
            more, the segment was truncated and has no ``[SEP]``.
    """
    if lengths is None:
        inside = {m: each[1 : pieces - 1] for m, each in rows.items()}
        lengths = _lengths(list(inside.values()), words)
        if lengths is None:
            return inside
    starts = np.cumsum([1, *lengths])
    return {modality: _first_or_mean(each, starts) for modality, each in rows.items()}


def _lengths(rows: Sequence[np.ndarray], words: int) -> list[int] | None:
    """Return the number of rows of each word, by where rows of any modality change."""
    count = len(rows[0]) if rows else 0
    if count == words:
        return [1] * words
    if not count or any(len(each) != count for each in rows):
        return None
    changed = [~_same_bits(each[1:], each[:-1]) for each in rows]
    starts = [0, *(np.flatnonzero(np.any(changed, 0)) + 1).tolist(), count]
    return np.diff(starts).tolist() if len(starts) == words + 1 else None


def _same_bits(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return which rows are equal, treating NaN as equal."""
    return ((one == other) | ((one != one) & (other != other))).all(1)


def _first_or_mean(rows: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the row of each word, ``(words, width)``.

    It is the mean if the rows of a word's pieces differ, and zeros if its rows were truncated.
    """
    frames = np.zeros((len(starts) - 1, rows.shape[1]), rows.dtype)
    for frame, start, end in zip(frames, starts[:-1], starts[1:], strict=True):
        own = rows[start:end]
        if len(own):
            frame[:] = own[0] if _same_bits(own, own[:1]).all() else own.mean(0)
    return frames


class PieceCounter:
    """Counts the word pieces of words with the vocabulary of ``text_bert``.

    Args:
        pieces: the word pieces by id.

    Raises:
        DataError: the vocabulary is not BERT's.
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
        """Return the number of pieces of each word, truncated words included.

        Args:
            words: the words of a segment.
            ids: the ids in ``text_bert``, without padding.
            where: the segment's location, for messages.

        Raises:
            DataError: the words do not give these ids.
        """
        wanted = ids.tolist()
        for tokenizer in self._tokenizers:
            found = tokenizer.encode(list(words), is_pretokenized=True)
            # A segment longer than the file's rows was truncated.
            if found.ids == wanted or (len(found.ids) > len(wanted) and _begins(found.ids, wanted)):
                owners = [word for word in found.word_ids if word is not None]
                return np.bincount(owners, minlength=len(words)).tolist()
        raise DataError(
            f"{where}: the ids of 'text_bert' differ from those of 'raw_text' with this "
            "vocabulary; name the vocab.txt of the tokenizer used for them"
        )


def _begins(ids: Sequence[int], start: Sequence[int]) -> bool:
    # The last id may have been replaced by [SEP].
    return ids[: len(start) - 1] == start[:-1]
