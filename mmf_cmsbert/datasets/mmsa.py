"""The MMSA layout: one pickle for all splits, a dict with the keys train, valid and test of arrays
over the segments: ``raw_text``, ``vision``, ``audio (segments, rows, width)``, ``id``,
``regression_labels``, and in unaligned files ``vision_lengths`` and ``audio_lengths``."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.fields import decoded, describe, segment_of
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import DataError

SPLITS = {"train": "train", "val": "valid", "test": "test"}
_KEYS = {"visual": "vision", "acoustic": "audio"}


def recognise(content: Any) -> bool:
    """Whether ``content`` is laid out so, by the keys of its splits."""
    if not isinstance(content, dict):
        return False
    splits = [content[key] for key in SPLITS.values() if key in content]
    return bool(splits) and all(isinstance(split, dict) for split in splits)


def read(content: Any, split: str, where: str) -> Iterator[Segment]:
    """The segments of one split, in the file's order.

    Words are those of ``raw_text``; the ids in ``text_bert`` belong to a vocabulary that the file
    does not name, and are not used. Where lengths are given, rows past them are padding whatever
    they hold. Aligned files give none; see :func:`_rows_used`.

    Args:
        content: what the pickle holds.
        split: ``train``, ``val`` or ``test``.
        where: the file, for messages.

    Raises:
        DataError: no such split, or a field that is not what it should be; the message names it.
    """
    key = SPLITS[split]
    if not isinstance(content, dict) or not isinstance(content.get(key), dict):
        found = sorted(map(str, content)) if isinstance(content, dict) else describe(content)
        raise DataError(
            f"{where}: expected a dict with a dict under {key!r}, the {split} split; found {found}"
        )
    where = f"{where}: {key}"
    fields = content[key]
    _check_text(fields, where)
    count = _length(fields, "id", where)
    for name in ("raw_text", "regression_labels", *_KEYS.values(), *_length_keys()):
        if fields.get(name) is not None and (found := _length(fields, name, where)) != count:
            raise DataError(f"{where}: {found} in {name!r} but {count} in 'id'; expected as many")
    for name in _KEYS.values():
        _check_frames(fields.get(name), name, where)
    for i in range(count):
        yield _segment(fields, i, f"{where} entry {i}")


def _length_keys() -> tuple[str, ...]:
    return tuple(f"{name}_lengths" for name in _KEYS.values())


def _check_text(fields: Mapping, where: str) -> None:
    if fields.get("raw_text") is not None:
        return
    ids = " It has text_bert, but nothing says of which vocabulary its ids are."
    raise DataError(
        f"{where}: no 'raw_text', found {sorted(map(str, fields))}; the words are read from it."
        f"{ids if 'text_bert' in fields else ''} Take the pickle that MMSA publishes, or add each "
        "segment's text under 'raw_text'"
    )


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


def _segment(fields: Mapping, i: int, where: str) -> Segment:
    text = fields["raw_text"][i]
    if isinstance(text, bytes):
        text = decoded(text, f"{where}: the text")
    if not isinstance(text, str):
        raise DataError(f"{where}: expected the text of the segment, found {describe(text)}")
    words = str(text).split()
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
        # A copy: a view would keep the padding of all segments in memory.
        frames[modality] = row[:length].copy()
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
        raise DataError(
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
