"""Recover words from the ids of BERT's tokenizer, for files without text."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers.text import describe
from mmf_cmsbert.errors import DataError

_FIRST, _LAST, _PADDING, _UNKNOWN = "[CLS]", "[SEP]", "[PAD]", "[UNK]"
_SPECIAL = re.compile(r"\[\w+\]")  # these, [MASK], [unused1] ...
_INSIDE = "##"


class Vocabulary:
    """The word pieces of a tokenizer, by id.

    A file does not say which vocabulary its ids belong to. So everything possible is checked: each
    id has a word piece, ``[CLS]``, ``[SEP]`` and ``[PAD]`` are in their places, and each word is
    cut into the longest pieces, as by WordPiece (Wu et al., 2016). Over a corpus this detects
    another vocabulary; a few segments of common words may pass.
    """

    def __init__(self, pieces: Sequence[str]):
        self._pieces = list(pieces)
        self._known = frozenset(pieces)
        if not {_FIRST, _LAST, _PADDING} <= self._known:
            raise DataError(
                f"a vocabulary of {len(self._pieces)} word pieces without {_FIRST}, {_LAST} or "
                f"{_PADDING}; expected BERT's, such as vocab.txt of the tokenizer"
            )

    def words(self, row: np.ndarray, where: str) -> tuple[list[str], list[int]]:
        """Return the words of a segment, and the number of word pieces of each.

        Unknown words are ``[UNK]``; punctuation is a separate word, as in BERT.

        Args:
            row: ``(3, length)``: ids, mask, token types.
            where: the segment's location, for messages.

        Raises:
            DataError: the ids do not belong to this vocabulary.
        """
        ids, mask = row[0], row[1]
        used = int(np.count_nonzero(mask))
        if not np.isin(mask, (0, 1)).all() or not mask[:used].all() or used < 2:
            raise DataError(
                f"{where}: the mask of 'text_bert' is {mask[:8].tolist()} ...; expected ones, at "
                "least two, and then zeros"
            )
        pieces = [self._piece(each, where) for each in ids.tolist()]
        inside, padding = pieces[1 : used - 1], set(pieces[used:])
        if pieces[0] != _FIRST or pieces[used - 1] != _LAST or padding - {_PADDING}:
            raise _mismatch(
                f"{where}: from {pieces[0]!r} to {pieces[used - 1]!r}, then "
                f"{sorted(padding)[:3]}; expected {_FIRST!r} to {_LAST!r}, then {_PADDING!r}"
            )
        words: list[list[str]] = []
        for piece in inside:
            if _SPECIAL.fullmatch(piece) and piece != _UNKNOWN:
                raise _mismatch(f"{where}: {piece!r} between words")
            if not piece.startswith(_INSIDE):
                words.append([piece])
            elif words:
                words[-1].append(piece)
            else:
                raise _mismatch(f"{where}: {piece!r} begins the text")
        return [self._joined(each, where) for each in words], list(map(len, words))

    def _piece(self, number: Any, where: str) -> str:
        if number != number or number % 1 or not 0 <= number < len(self._pieces):
            raise _mismatch(f"{where}: id {describe(number)}; it has {len(self._pieces)} pieces")
        return self._pieces[int(number)]

    def _joined(self, pieces: list[str], where: str) -> str:
        word = pieces[0] + "".join(piece.removeprefix(_INSIDE) for piece in pieces[1:])
        if len(pieces) > 1 and (longest := list(self._cut(word))) != pieces:
            raise _mismatch(f"{where}: {pieces}, which it would cut into {longest}")
        return word

    def _cut(self, word: str) -> Iterator[str]:
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = _INSIDE * (start > 0) + word[start:end]
                if piece in self._known:
                    yield piece
                    break
            else:
                return
            start = end


def _mismatch(what: str) -> DataError:
    return DataError(
        f"{what}. The vocabulary does not match the ids of 'text_bert'; name that of the tokenizer "
        "used for them, or add each segment's text under 'raw_text'"
    )
