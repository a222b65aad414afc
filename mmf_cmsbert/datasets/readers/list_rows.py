"""Rows of a list of segments: read their fields, and make segments from rows and frames."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers.array_file import read_array
from mmf_cmsbert.datasets.readers.fields import frame_array, sentiment, without_blank_words
from mmf_cmsbert.datasets.readers.names import (
    FIELD_NAMES,
    field_named,
    fields_of,
    known_splits,
    split_named,
)
from mmf_cmsbert.datasets.readers.segment_ids import video_of
from mmf_cmsbert.datasets.readers.tables import read_table, table_rows
from mmf_cmsbert.datasets.readers.text import describe, has_text, split_text, word_list
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import DataError, SegmentError

_FIELDS = ("id", "text", "words", "label", "split", "start", "end", "video", "clip")


@dataclass(frozen=True)
class Row:
    """A row of the list.

    Attributes:
        fields: field -> value, for the known fields.
        metadata: column -> value, for all other columns.
        where: the row's location, for messages.
    """

    fields: Mapping[str, Any]
    metadata: Mapping[str, Any]
    where: str


def read_rows(file: Path, columns: Mapping[str, str] | None = None) -> Iterator[Row]:
    """Yield the rows of a list of segments.

    Args:
        file: the list.
        columns: field -> its column, for columns without a usual name.

    Raises:
        DataError: the list cannot be read, or has no column of a name.
    """
    rows = list(read_table(file))
    named = {column: field for field, column in (columns or {}).items() if field in _FIELDS}
    there = dict.fromkeys(name for _, row in rows for name in row)
    for column, field in named.items():
        if rows and column not in there:
            raise DataError(
                f"{file}: no column {column!r}, which is named as that of {field}; found "
                f"{', '.join(there)}"
            )
    yield from (_row(renamed(row, named), where) for where, row in rows)


def renamed(row: Mapping[str, Any], named: Mapping[str, str]) -> Mapping[str, Any]:
    """Return a row with the fields' names, without other columns of the same fields.

    Args:
        row: column -> value.
        named: column -> the field that it is.
    """
    if not named:
        return row
    fields = set(named.values())
    return {
        named.get(name, name): value
        for name, value in row.items()
        if name in named or (name not in fields and field_named(name) not in fields)
    }


def rows_or_errors(
    file: Path, named: Mapping[str, str] | None = None
) -> Iterator[Row | SegmentError]:
    """Yield the rows of a list of segments, and an error instead of one that cannot be read.

    Args:
        file: the list.
        named: column -> its field, for columns without a usual name.

    Raises:
        DataError: the list cannot be read.
    """
    for where, row in table_rows(file):
        if isinstance(row, SegmentError):
            yield row
            continue
        try:
            yield _row(renamed(row, named or {}), where)
        except DataError as error:
            yield SegmentError(str(error))


def _row(row: Mapping[str, Any], where: str) -> Row:
    fields = fields_of(row, where, _FIELDS, _same)
    metadata = {name: value for name, value in row.items() if field_named(name) not in _FIELDS}
    if "id" not in fields and {"video", "clip"} <= fields.keys():
        fields["id"] = f"{fields['video']}$_${fields['clip']}"
    elif "clip" in fields:
        metadata["clip"] = fields["clip"]
    if isinstance(fields.get("words"), str):  # a cell, perhaps with the number of words
        if "text" not in fields:
            raise DataError(f"{where}: a list of words needs JSON lines; expected 'text'")
        metadata["words"] = fields.pop("words")
    return Row(fields, metadata, where)


def _same(one: Any, other: Any) -> bool:
    one, other = (value.strip() if isinstance(value, str) else value for value in (one, other))
    return one == other


def is_of(row: Row, split: str) -> bool:
    """Return whether a row belongs to a split; a row that names none belongs to any.

    Raises:
        DataError: the row names an unknown split.
    """
    named = row.fields.get("split")
    if named is None:
        return True
    found = split_named(named)
    if found is None:
        raise DataError(
            f"{row.where}: split is {describe(named)}; expected train, val or test (or another of "
            f"{known_splits()}; it is read from the columns {' and '.join(FIELD_NAMES['split'])})"
        )
    return found == split


def segment_of_row(
    row: Row, folders: Mapping[str, Sequence[Path]], main_target: str | None = None
) -> Segment:
    """Make the segment of a row, with its frames.

    Args:
        row: the row.
        folders: modality -> folders with its feature files, see :mod:`.feature_folders`.
        main_target: the target of the column of labels, if targets are declared. Its value is then
            found later, see :func:`.target_values.with_targets`.

    Raises:
        SegmentError: a field or a feature file is invalid.
    """
    fields = row.fields
    name = _name(fields.get("id"), row.where)
    where = f"{row.where} ({name})"
    video = fields.get("video")
    if video is not None and not isinstance(video, str):
        raise SegmentError(f"{where}: expected the name of the video, found {describe(video)}")
    frames = {modality: _frames(each, name, modality) for modality, each in folders.items()}
    start, end = (_number(fields.get(key), f"{where}: {key}") for key in ("start", "end"))
    timed = start is not None and end is not None and 0 <= start < end < math.inf
    if not timed and not (start is end is None):
        raise SegmentError(
            f"{where}: from {start} to {end} s; expected 0 <= start < end, or neither"
        )
    label = fields.get("label")
    segment = Segment(
        id=name,
        video=video or video_of(name),
        words=_words(fields, where),
        label=None if main_target else _label(fields.get("label"), where),
        start=start,
        end=end,
        metadata=row.metadata
        if label is None or main_target is None
        else {main_target: label, **row.metadata},
        frames={m: each for m, each in frames.items() if each is not None},
    )
    return without_blank_words(segment, where)


def _label(value: Any, where: str) -> float | None:
    return sentiment(_number(value, f"{where}: label"), where)


def _name(value: Any, where: str) -> str:
    """Check an id, which is used as a file name and must not lead out of its folder."""
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or not has_text(value):
        raise SegmentError(f"{where}: expected an 'id', found {describe(value)}")
    if value.startswith(".") or any(c in "/\\" or not c.isprintable() for c in value):
        raise SegmentError(
            f"{where}: the id {value[:60]!r} cannot name a file; expected no slashes, no control "
            "characters, and no dot at the beginning"
        )
    return value.strip()


def _words(fields: Mapping[str, Any], where: str) -> tuple[str, ...]:
    if ("text" in fields) == ("words" in fields):
        raise SegmentError(f"{where}: expected either the segment's 'text' or its 'words'")
    if "words" in fields:
        return tuple(word_list(fields["words"], where))
    return tuple(split_text(fields["text"], where))


def _number(value: Any, where: str) -> float | None:
    if value is None:
        return None
    try:
        number = float(value) if isinstance(value, (str, int, float)) else None
    except (ValueError, OverflowError):
        number = None
    if number is None or isinstance(value, bool):
        raise SegmentError(f"{where} is {describe(value)}; expected a number, such as -1.2")
    return number


def _frames(folders: Sequence[Path], name: str, modality: str) -> np.ndarray | None:
    files = [folder / f"{name}{suffix}" for folder in folders for suffix in (".npy", ".npz")]
    found = [file for file in files if file.exists()]
    if len(found) > 1:
        other = found[1].name if found[0].parent == found[1].parent else found[1]
        raise SegmentError(f"both {found[0]} and {other} exist; expected one of them")
    return frame_array(read_array(found[0]), modality, str(found[0])) if found else None
