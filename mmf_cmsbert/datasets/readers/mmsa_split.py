"""One split of a file in the MMSA layout: arrays over segments, read one segment at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers import piece_rows
from mmf_cmsbert.datasets.readers.array_file import LARGEST
from mmf_cmsbert.datasets.readers.bert_ids import Vocabulary
from mmf_cmsbert.datasets.readers.fields import frame_array, segment_of, sentiment
from mmf_cmsbert.datasets.readers.mmsa_fields import agree, is_ids, is_text, padded_in_front
from mmf_cmsbert.datasets.readers.names import field_named, fields_of, name_used
from mmf_cmsbert.datasets.readers.target_values import named_values
from mmf_cmsbert.datasets.readers.text import describe, has_text, split_text, word_list
from mmf_cmsbert.datasets.segment import FACE_VOICE, Segment
from mmf_cmsbert.errors import DataError, SegmentError

_LENGTHS = {modality: f"{modality}_lengths" for modality in FACE_VOICE}
_SENTIMENTS = ("sentiment_text", "sentiment_acoustic", "sentiment_visual")
_FIELDS = (
    *("id", "text", "words", "label", "text_bert"),
    *(*_SENTIMENTS, *FACE_VOICE, *_LENGTHS.values()),
)


class MMSASplit:
    """The fields of a split, checked as a whole.

    Args:
        content: name of a field -> its values for all segments.
        where: the split's location, for messages.
        pieces: the word pieces of ``text_bert`` by id, or None.

    Attributes:
        count: number of segments.

    Raises:
        DataError: a field has an invalid form.
    """

    def __init__(self, content: Mapping[str, Any], where: str, pieces: Sequence[str] | None):
        self._where = where
        self._names = {field: name_used(content, field) for field in _FIELDS}
        # MMSA and MulT store word vectors under 'text'.
        texts = {k: v for k, v in content.items() if field_named(k) != "text" or is_text(v)}
        self._fields = fields_of(texts, where, _FIELDS, agree)
        self.count = self._length("id")
        for field in self._fields:
            if (found := self._length(field)) != self.count:
                raise DataError(
                    f"{where}: {found} in {self._names[field]!r} but {self.count} in "
                    f"{self._names['id']!r}; expected equal numbers"
                )
        for modality in FACE_VOICE:
            self._check_frames(modality)
        self._in_front = [m for m in FACE_VOICE if self._is_padded_in_front(m)]
        self._words = self._source_of_words(content, pieces)
        self._pieces = self._rows_per_piece()
        text = "text" in self._fields and "words" not in self._fields
        self._counter = None
        if self._pieces is not None and pieces is not None and text:
            self._counter = piece_rows.PieceCounter(pieces)

    def segment(self, i: int) -> Segment:
        where = f"{self._where} entry {i}"
        words, lengths = self._words(i, where)
        if self._pieces is not None:
            words = [word for word in words if has_text(word)]  # blank words have no pieces
        frames = self.frames(i, words, lengths, where)
        label = self._fields.get("label")
        segment = segment_of(
            self._fields["id"][i],
            words,
            None if label is None else label[i],
            where,
            **frames,
        )
        return replace(segment, targets={**segment.targets, **self._sentiments(segment.label, i)})

    def _sentiments(self, label: float | None, i: int) -> dict[str, tuple[float, ...]]:
        """Return the sentiment of segment ``i``, and that of each modality, as targets."""
        of = {name: self._fields[name][i] for name in _SENTIMENTS if name in self._fields}
        if not of:
            return {}
        values = {
            name: sentiment(each, f"{self._where} entry {i}: {name}") for name, each in of.items()
        }
        return named_values(sentiment=label, **values)

    def frames(
        self, i: int, words: Sequence[str], lengths: Sequence[int] | None, where: str
    ) -> dict[str, np.ndarray]:
        """Return each modality's rows of segment ``i`` without padding.

        Without stated lengths and rows of word pieces, the rule is our interpretation. A row is
        used if it has a finite number other than zero. If all used rows of all modalities are
        within the first ``len(words)`` rows, those are returned, one per word. (A row of zeros need
        not be padding: often nothing was seen or heard during that word.) Otherwise all rows up to
        the last used one are returned, as unaligned frames.
        """
        found = {m: self._rows(m, i, where) for m in FACE_VOICE if m in self._fields}
        rows = {m: each for m, each in found.items() if each is not None}
        if self._pieces is not None:
            count = self._pieces[i]
            if self._counter is not None:
                ids = self._fields["text_bert"][i, 0, :count]
                lengths = self._counter.count(words, ids, where)
            return piece_rows.by_word(rows, lengths, len(words), count)
        padded = [each for m, each in rows.items() if self._is_padded(m)]
        used = max(len(words), piece_rows.rows_used(padded))
        return {m: each[:used] if self._is_padded(m) else each for m, each in rows.items()}

    def _rows(self, modality: str, i: int, where: str) -> np.ndarray | None:
        """Return the rows of a segment, up to their stated length if there is one."""
        rows = self._fields[modality][i]
        if not isinstance(rows, np.ndarray) or rows.dtype.kind not in "biuf":
            rows = frame_array(rows, modality, where)
        stated = self._fields.get(_LENGTHS[modality])
        if stated is None or rows is None:
            return rows
        name = self._names[_LENGTHS[modality]]
        length = _stated(stated[i], len(rows), f"{where}: {name}")
        return rows[len(rows) - length :] if modality in self._in_front else rows[:length]

    def _is_padded(self, modality: str) -> bool:
        value = self._fields[modality]
        padded = isinstance(value, np.ndarray) and value.ndim == 3
        return padded and _LENGTHS[modality] not in self._fields

    def _is_padded_in_front(self, modality: str) -> bool:
        rows, lengths = self._fields.get(modality), self._fields.get(_LENGTHS[modality])
        if lengths is None or not isinstance(rows, np.ndarray) or rows.dtype.kind not in "biuf":
            return False
        return padded_in_front(rows, lengths)

    def _rows_per_piece(self) -> list[int] | None:
        """Return the number of pieces of each segment if rows are word pieces, else None."""
        ids: Any = self._fields.get("text_bert")
        modalities = [m for m in FACE_VOICE if m in self._fields]
        if not is_ids(ids) or not modalities:
            return None
        frames = [self._fields[m] for m in modalities]
        same = all(isinstance(f, np.ndarray) and f.shape[1:2] == ids.shape[2:] for f in frames)
        counts = piece_rows.piece_counts(ids) if same else None
        if counts is None or any(frame.dtype.kind not in "biuf" for frame in frames):
            return None
        stated = [self._fields.get(_LENGTHS[modality]) for modality in modalities]
        if any(each is not None for each in stated):
            equal = all(
                np.array_equal(np.ravel(each), counts) for each in stated if each is not None
            )
            return counts if equal else None
        used = [piece_rows.rows_used(frame[i] for frame in frames) for i in range(self.count)]
        return counts if piece_rows.are_pieces(used, counts) else None

    def _source_of_words(
        self, content: Mapping[str, Any], pieces: Sequence[str] | None
    ) -> Callable[[int, str], tuple[list[str], list[int] | None]]:
        """Return a function that returns a segment's words and, if known, their piece counts."""
        fields = self._fields
        if "words" in fields:
            return lambda i, where: (word_list(fields["words"][i], where), None)
        if "text" in fields:
            return lambda i, where: (split_text(fields["text"][i], where), None)
        rows = fields.get("text_bert")
        if pieces is None or rows is None:
            raise DataError(f"{self._where}: {_no_words(content, rows)}")
        if not is_ids(rows):
            raise DataError(
                f"{self._where}: expected 'text_bert' as an array of numbers (segments, 3, "
                f"length): ids, mask and token types; found {describe(rows)}"
            )
        vocabulary = Vocabulary(pieces)
        return lambda i, where: vocabulary.words(rows[i], where)

    def _length(self, field: str) -> int:
        value = self._fields.get(field)
        if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim):
            return len(value)
        raise DataError(
            f"{self._where}: expected a list or an array under {self._names[field]!r}, found "
            f"{describe(value)}"
        )

    def _check_frames(self, modality: str) -> None:
        value = self._fields.get(modality)
        if value is None or isinstance(value, (list, tuple)):
            return  # a list of arrays, which are checked one by one
        if value.nbytes > LARGEST * len(value):
            raise DataError(
                f"{self._where}: {self._names[modality]!r} holds {describe(value)}; expected at "
                f"most {LARGEST:,} bytes for each segment"
            )
        kinds = {1: "O", 3: "biufO"}.get(value.ndim, "")
        if value.dtype.kind not in kinds:
            raise DataError(
                f"{self._where}: expected an array of numbers (segments, rows, width), or a list "
                f"of arrays (rows, width), under {self._names[modality]!r}, found {describe(value)}"
            )


def _no_words(content: Mapping[str, Any], ids: Any) -> str:
    found = ", ".join(sorted(map(repr, content))[:16])
    message = f"no 'raw_text', from which the words are read; found {found}."
    for key, value in content.items():
        if field_named(key) == "text":
            message += f" {key!r} holds {describe(value)}, word vectors, as in MulT's files."
    if ids is not None:
        message += (
            " It has text_bert, but does not name the vocabulary of its ids; name the tokenizer's "
            "vocab.txt if you know it."
        )
    return message + (
        " Use the pickle that MMSA publishes, or add each segment's text under 'raw_text'"
    )


def _stated(length: Any, rows: int, where: str) -> int:
    if isinstance(length, np.ndarray) and length.size == 1:
        length = length.reshape(-1)[0]
    if not isinstance(length, (int, np.integer)) or not 0 <= length <= rows:
        raise SegmentError(
            f"{where} is {describe(length)}; expected a whole number from 0 to {rows}, the number "
            "of rows"
        )
    return int(length)
