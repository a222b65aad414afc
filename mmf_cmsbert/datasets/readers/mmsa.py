"""The MMSA layout: one pickle for all splits, a dict with the keys train, valid and test of arrays
over the segments: ``raw_text``, ``vision``, ``audio (segments, rows, width)``, ``id``,
``regression_labels``, and in unaligned files ``vision_lengths`` and ``audio_lengths``."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers.bert_ids import Vocabulary
from mmf_cmsbert.datasets.readers.fields import BYTES, decoded, describe, read_each, segment_of
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import DataError, SegmentError

SPLITS = {"train": "train", "val": "valid", "test": "test"}
_KEYS = {"visual": "vision", "acoustic": "audio"}


def recognise(content: Any) -> bool:
    """Whether ``content`` is laid out so, by the keys of its splits."""
    if not isinstance(content, dict):
        return False
    splits = [content[key] for key in SPLITS.values() if key in content]
    return bool(splits) and all(isinstance(split, dict) for split in splits)


def read(
    content: Any, split: str, where: str, vocabulary: Sequence[str] | None = None
) -> Iterator[Segment | SegmentError]:
    """The segments of one split, in the file's order, an error in the place of a wrong one.

    Words are those of ``raw_text``. The ids in ``text_bert`` belong to a vocabulary that the file
    does not name: they are read where there is no ``raw_text``, and only with a vocabulary that
    matches; see :class:`~mmf_cmsbert.datasets.bert_ids.Vocabulary`. Where lengths are given, rows
    past them are padding whatever they hold. Aligned files give none; see :func:`_rows_used`.

    Args:
        content: what the pickle holds.
        split: ``train``, ``val`` or ``test``.
        where: the file, for messages.
        vocabulary: the word pieces of ``text_bert`` by id, or None.

    Raises:
        DataError: no such split, or a field of all segments that is not what it should be.
    """
    key = SPLITS[split]
    if not isinstance(content, dict) or not isinstance(content.get(key), dict):
        found = sorted(map(str, content)) if isinstance(content, dict) else describe(content)
        raise DataError(
            f"{where}: expected a dict with a dict under {key!r}, the {split} split; found {found}"
        )
    where = f"{where}: {key}"
    fields = content[key]
    has_text = fields.get("raw_text") is not None
    text = _raw_text if has_text else _text_of_ids(fields, vocabulary, where)
    count = _length(fields, "id", where)
    text_key = "raw_text" if has_text else "text_bert"
    for name in (text_key, "regression_labels", *_KEYS.values(), *_length_keys()):
        if fields.get(name) is not None and (found := _length(fields, name, where)) != count:
            raise DataError(f"{where}: {found} in {name!r} but {count} in 'id'; expected as many")
    for name in _KEYS.values():
        _check_frames(fields.get(name), name, where)
    yield from read_each(_segment, ((fields, i, text, f"{where} entry {i}") for i in range(count)))


def _length_keys() -> tuple[str, ...]:
    return tuple(f"{name}_lengths" for name in _KEYS.values())


def _raw_text(fields: Mapping, i: int, where: str) -> list[str]:
    text = fields["raw_text"][i]
    if isinstance(text, BYTES):
        text = decoded(text, f"{where}: the text")
    if not isinstance(text, str):
        raise SegmentError(f"{where}: expected the text of the segment, found {describe(text)}")
    return str(text).split()


def _text_of_ids(
    fields: Mapping, pieces: Sequence[str] | None, where: str
) -> Callable[[Mapping, int, str], list[str]]:
    rows = fields.get("text_bert")
    if pieces is None or rows is None:
        ids = (
            " It has text_bert, but nothing says of which vocabulary its ids are; name the "
            "tokenizer's vocab.txt if you know it."
        )
        raise DataError(
            f"{where}: no 'raw_text', found {sorted(map(str, fields))}; the words are read from it."
            f"{'' if rows is None else ids} Take the pickle that MMSA publishes, or add each "
            "segment's text under 'raw_text'"
        )
    _check_frames(rows, "text_bert", where)
    if rows.shape[1] != 3:
        raise DataError(
            f"{where}: expected 'text_bert' as (segments, 3, length), ids, mask and token types, "
            f"found {describe(rows)}"
        )
    vocabulary = Vocabulary(pieces)
    return lambda _fields, i, place: vocabulary.words(rows[i], place)


def _length(fields: Mapping, name: str, where: str) -> int:
    value = fields.get(name)
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim):
        return len(value)
    raise DataError(f"{where}: expected a list or an array under {name!r}, found {describe(value)}")


def _check_frames(value: Any, name: str, where: str) -> None:
    if value is None:
        return
    if not isinstance(value, np.ndarray) or value.ndim != 3 or value.dtype.kind not in "biuf":
        raise DataError(
            f"{where}: expected an array of numbers (segments, rows, width) under {name!r}, found "
            f"{describe(value)}"
        )


def _segment(
    fields: Mapping, i: int, text: Callable[[Mapping, int, str], list[str]], where: str
) -> Segment:
    words = text(fields, i, where)
    label = fields.get("regression_labels")
    rows = {m: fields[name][i] for m, name in _KEYS.items() if fields.get(name) is not None}
    used = None
    frames: dict[str, np.ndarray | None] = {"visual": None, "acoustic": None}
    for modality, row in rows.items():
        lengths = fields.get(f"{_KEYS[modality]}_lengths")
        if lengths is not None:
            length = _stated(lengths[i], len(row), f"{where}: {_KEYS[modality]}_lengths")
        else:
            used = _rows_used(rows.values(), len(words)) if used is None else used
            length = min(used, len(row))
        frames[modality] = row[:length]
    return segment_of(
        fields["id"][i],
        words,
        frames["visual"],
        frames["acoustic"],
        None if label is None else label[i],
        where,
    )


def _stated(length: Any, rows: int, where: str) -> int:
    if isinstance(length, np.ndarray) and length.size == 1:
        length = length.reshape(-1)[0]
    if not isinstance(length, (int, np.integer)) or not 0 <= length <= rows:
        raise SegmentError(
            f"{where} is {describe(length)}; expected a whole number from 0 to {rows}, the rows "
            "that there are"
        )
    return int(length)


def _rows_used(rows: Iterable[np.ndarray], words: int) -> int:
    """How many rows of an aligned segment are no padding (our reading).

    The file states no length, and a row of zeros is no mark of padding: it is often a word in which
    nothing was seen or heard. So it is as many rows as words where these cover every row that holds
    anything, a finite number besides zero, in any modality. Where they do not, MMSA's rows are not
    one a word: it is all rows up to the last that holds anything, as unaligned frames.
    """
    last = 0
    for row in rows:
        holding = np.flatnonzero((np.isfinite(row) & (row != 0)).any(1))
        last = max(last, int(holding[-1]) + 1) if len(holding) else last
    return max(words, last)
