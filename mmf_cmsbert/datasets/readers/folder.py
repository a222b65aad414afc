"""The plain folder of a user's own: a list of segments, such as ``segments.jsonl`` or
``segments.csv``, a row a segment, and ``visual/<id>.npy``, ``acoustic/<id>.npy`` (or ``.npz``) with
its frames, where there are any."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers import video_lists
from mmf_cmsbert.datasets.readers.array_file import read_array
from mmf_cmsbert.datasets.readers.fields import (
    frame_array,
    read_each,
    sentiment,
    without_blank_words,
)
from mmf_cmsbert.datasets.readers.names import (
    FEATURE_FOLDERS,
    FIELD_NAMES,
    field_named,
    fields_of,
    known_splits,
    split_named,
)
from mmf_cmsbert.datasets.readers.segment_ids import video_of
from mmf_cmsbert.datasets.readers.tables import SUFFIXES, read_table
from mmf_cmsbert.datasets.readers.text import describe, has_text, split_text, word_list
from mmf_cmsbert.datasets.segment import MODALITIES, Segment
from mmf_cmsbert.errors import DataError, SegmentError

NAMES = tuple(f"segments{suffix}" for suffix in SUFFIXES)
_FIELDS = ("id", "text", "words", "label", "split", "start", "end", "video", "clip")


def recognise(path: Path) -> bool:
    """Whether ``path`` is such a folder, or the list of segments in one."""
    if path.is_dir():
        return any((path / name).exists() for name in NAMES)
    return path.suffix.lower() in SUFFIXES and not video_lists.is_video_lists(path)


def read(path: Path, split: str, elsewhere: bool = False) -> Iterator[Segment | SegmentError]:
    """The segments of one split, in the list's order; for a wrong one the error that says why.

    Rows that name their split belong to it. Where no row names one, all belong to the split in
    whose list the folder is given. Columns that mean nothing here are kept as the segment's
    metadata. A segment without a feature file counts as missing that modality.

    Args:
        path: the folder, or a file in it of one of :data:`SUFFIXES`, whatever its name.
        split: ``train``, ``val`` or ``test``.
        elsewhere: whether the same path is in another split's list as well.

    Raises:
        DataError: the list cannot be read, or does not say which split a row belongs to.
    """
    file = _list_file(path)
    rows = [_row(row, where) for where, row in read_table(file)]
    named = sum("split" in row.fields for row in rows)
    if named not in (0, len(rows)):
        line = next(row.where for row in rows if "split" not in row.fields)
        raise DataError(f"{line}: no 'split', but other rows name theirs; name it in all or none")
    if rows and not named and elsewhere:
        raise DataError(
            f"{file} is in more than one of annotations.train, val and test, and its rows name "
            "no split: the same segments would be trained on and scored. Give each row a 'split' "
            "(train, val or test), or each split a list of its own"
        )
    _check_files(file.parent, [str(row.fields.get("id")).strip() for row in rows])
    yield from read_each(_segment, ((row, file.parent) for row in rows if _is_of(row, split)))


def splits_named(path: Path) -> set[Any]:
    """What the rows of a list name as their split, None where a row names none.

    Raises:
        DataError: the list cannot be read.
    """
    rows = (_row(row, where) for where, row in read_table(_list_file(path)))
    return {str(row.fields["split"]) if "split" in row.fields else None for row in rows}


@dataclass(frozen=True)
class _Row:
    """A row of the list: the fields that are known, and the columns that are not."""

    fields: Mapping[str, Any]
    metadata: Mapping[str, Any]
    where: str


def _row(row: Mapping[str, Any], where: str) -> _Row:
    fields = fields_of(row, where, _FIELDS, _same)
    metadata = {name: value for name, value in row.items() if field_named(name) not in _FIELDS}
    if "id" not in fields and {"video", "clip"} <= fields.keys():
        fields["id"] = f"{fields['video']}$_${fields['clip']}"
    elif "clip" in fields:
        metadata["clip"] = fields["clip"]
    if isinstance(fields.get("words"), str):  # a cell: perhaps how many there are
        if "text" not in fields:
            raise DataError(f"{where}: a list of words needs JSON lines; expected 'text'")
        metadata["words"] = fields.pop("words")
    return _Row(fields, metadata, where)


def _same(one: Any, other: Any) -> bool:
    one, other = (value.strip() if isinstance(value, str) else value for value in (one, other))
    return one == other


def _list_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = [path / name for name in NAMES if (path / name).exists()]
    if len(found) != 1:
        there = "both" if len(found) == 2 else " and ".join(f.name for f in found) or "neither"
        raise DataError(
            f"{path}: expected one list of segments there, {' or '.join(NAMES)}, found {there}"
        )
    return found[0]


def _is_of(row: _Row, split: str) -> bool:
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


def _segment(row: _Row, folder: Path) -> Segment:
    fields = row.fields
    name = _name(fields.get("id"), row.where)
    where = f"{row.where} ({name})"
    video = fields.get("video")
    if video is not None and not isinstance(video, str):
        raise SegmentError(f"{where}: expected the name of the video, found {describe(video)}")
    frames = {modality: _frames(folder, name, modality) for modality in MODALITIES}
    start, end = (_number(fields.get(key), f"{where}: {key}") for key in ("start", "end"))
    if not (start is end is None or (None not in (start, end) and 0 <= start < end < math.inf)):
        raise SegmentError(
            f"{where}: from {start} to {end} s; expected 0 <= start < end, or neither"
        )
    segment = Segment(
        id=name,
        video=video or video_of(name),
        words=_words(fields, where),
        label=sentiment(_number(fields.get("label"), f"{where}: label"), where),
        start=start,
        end=end,
        metadata=row.metadata,
        **frames,
    )
    return without_blank_words(segment, where)


def _name(value: Any, where: str) -> str:
    """An id that is a file's name and nothing more: it must not lead out of its folder."""
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


def _words(fields: Mapping, where: str) -> tuple[str, ...]:
    if ("text" in fields) == ("words" in fields):
        raise SegmentError(f"{where}: expected the segment's 'text' or its 'words', one of the two")
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


def _frames(folder: Path, name: str, modality: str) -> np.ndarray | None:
    places = [folder / each / name for each in FEATURE_FOLDERS[modality]]
    files = [Path(f"{place}{suffix}") for place in places for suffix in (".npy", ".npz")]
    found = [file for file in files if file.exists()]
    if len(found) > 1:
        other = found[1].name if found[0].parent == found[1].parent else found[1]
        raise SegmentError(f"{found[0]} and {other} stand side by side; expected one of them")
    return frame_array(read_array(found[0]), modality, str(found[0])) if found else None


def _check_files(folder: Path, names: list[str]) -> None:
    wanted = {f"{name}{suffix}" for name in names for suffix in (".npy", ".npz")}
    for each in (folder / name for names in FEATURE_FOLDERS.values() for name in names):
        files = {f.name for f in each.glob("*.np[yz]")}
        if files and names and not files & wanted:
            raise DataError(
                f"{each} holds files, such as {min(files)}, but none of a segment of the list; "
                f"expected names such as {names[0]}.npy"
            )
