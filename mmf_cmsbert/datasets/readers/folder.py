"""The plain folder of a user's own: ``segments.jsonl`` or ``segments.csv``, a row a segment, and
``visual/<id>.npy``, ``acoustic/<id>.npy`` (or ``.npz``) with its frames, where there are any."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers.array_file import read_array
from mmf_cmsbert.datasets.readers.fields import (
    describe,
    frame_array,
    read_each,
    sentiment,
    video_of,
    word_list,
)
from mmf_cmsbert.datasets.segment import MODALITIES, Segment
from mmf_cmsbert.errors import DataError, SegmentError

NAMES = ("segments.jsonl", "segments.csv")
SUFFIXES = (".jsonl", ".csv")
_COLUMNS = ("id", "text", "words", "label", "split", "start", "end", "video")
_SPLITS = {"train": "train", "val": "val", "valid": "val", "dev": "val", "test": "test"}


def recognise(path: Path) -> bool:
    """Whether ``path`` is such a folder, or the list of segments in one."""
    if path.is_dir():
        return any((path / name).is_file() for name in NAMES)
    return path.suffix in SUFFIXES


def read(path: Path, split: str, elsewhere: bool = False) -> Iterator[Segment | SegmentError]:
    """The segments of one split, in the list's order, an error in the place of a wrong one.

    Rows that name their split (train; val, valid or dev; test) belong to it. Where no row names
    one, all belong to the split in whose list the folder stands. A segment without a feature file
    has not got that modality.

    Args:
        path: the folder, or a ``.jsonl`` or ``.csv`` file in it, whatever its name.
        split: ``train``, ``val`` or ``test``.
        elsewhere: whether the same path stands in another split's list as well.

    Raises:
        DataError: the list cannot be read, or does not say which split a row belongs to.
    """
    file = _list_file(path)
    rows = list(_jsonl(file) if file.suffix == ".jsonl" else _csv(file))
    named = sum(row.get("split") is not None for _, row in rows)
    if named not in (0, len(rows)):
        line, _ = next((where, row) for where, row in rows if row.get("split") is None)
        raise DataError(f"{line}: no 'split', but other rows name theirs; name it in all or none")
    if rows and not named and elsewhere:
        raise DataError(
            f"{file} stands in more than one of annotations.train, val and test, and its rows name "
            "no split: the same segments would be trained on and scored. Give each row a 'split' "
            "(train, val or test), or each split a list of its own"
        )
    _check_files(file.parent, [str(row.get("id")).strip() for _, row in rows])
    own = [(row, file.parent, where) for where, row in rows if _is_of(row, split, where)]
    yield from read_each(_segment, own)


def _list_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = [path / name for name in NAMES if (path / name).is_file()]
    if len(found) != 1:
        raise DataError(
            f"{path}: expected one list of segments there, {' or '.join(NAMES)}, found "
            f"{'both' if found else 'neither'}"
        )
    return found[0]


def _jsonl(file: Path) -> Iterator[tuple[str, Mapping]]:
    for number, line in enumerate(_text(file).split("\n"), 1):
        where = f"{file}: line {number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where} is no JSON ({str(error)[:100]}): {line[:80]!r}") from error
        if not isinstance(row, dict):
            raise DataError(f"{where}: expected an object such as {{'id': ...}}, found {row!r:.80}")
        _check_columns(row, where)
        yield where, {key: value for key, value in row.items() if value is not None}


def _csv(file: Path) -> Iterator[tuple[str, Mapping]]:
    reader = csv.DictReader(io.StringIO(_text(file), newline=""), strict=True)
    try:
        names = reader.fieldnames or []
        if len(set(names)) < len(names):
            raise DataError(f"{file}: a column stands twice in {names}")
        for row in reader:
            where = f"{file}: line {reader.line_num}"
            if None in row or None in row.values():
                raise DataError(f"{where}: not as many cells as columns ({', '.join(names)})")
            _check_columns(row, where)
            if "words" in row:
                raise DataError(f"{where}: a list of words needs JSON lines; expected 'text'")
            yield where, {key: value for key, value in row.items() if value.strip()}
    except csv.Error as error:
        raise DataError(f"{file}: line {reader.line_num} is no CSV ({error})") from error


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(f"{file}: line {line} is no UTF-8 text; save the file as UTF-8") from error
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror or error})") from error


def _check_columns(row: Mapping, where: str) -> None:
    if unknown := [str(name) for name in row if name not in _COLUMNS]:
        known = ", ".join(_COLUMNS)
        raise DataError(f"{where}: {unknown[0]!r:.60} is not known; known are {known}")


def _is_of(row: Mapping, split: str, where: str) -> bool:
    named = row.get("split")
    if named is None:
        return True
    if not isinstance(named, str) or named.strip() not in _SPLITS:
        raise DataError(f"{where}: split is {describe(named)}; expected train, val or test")
    return _SPLITS[named.strip()] == split


def _segment(row: Mapping, folder: Path, where: str) -> Segment:
    name = _name(row.get("id"), where)
    where = f"{where} ({name})"
    video = row.get("video")
    if video is not None and not isinstance(video, str):
        raise SegmentError(f"{where}: expected the name of the video, found {describe(video)}")
    frames = {modality: _frames(folder / modality, name, modality) for modality in MODALITIES}
    label = row.get("label")
    start, end = (_number(row.get(key), f"{where}: {key}") for key in ("start", "end"))
    if not (start is end is None or (None not in (start, end) and 0 <= start < end < math.inf)):
        raise SegmentError(
            f"{where}: from {start} to {end} s; expected 0 <= start < end, or neither"
        )
    return Segment(
        id=name,
        video=video or video_of(name),
        words=_words(row, where),
        label=sentiment(_number(label, f"{where}: label"), where),
        start=start,
        end=end,
        **frames,
    )


def _name(value: Any, where: str) -> str:
    """An id that is a file's name and nothing more: it must not lead out of its folder."""
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise SegmentError(f"{where}: expected an 'id', found {describe(value)}")
    if value.startswith(".") or any(c in "/\\" or not c.isprintable() for c in value):
        raise SegmentError(
            f"{where}: the id {value[:60]!r} cannot name a file; expected no slashes, no control "
            "characters, and no dot at the beginning"
        )
    return value.strip()


def _words(row: Mapping, where: str) -> tuple[str, ...]:
    if ("text" in row) == ("words" in row):
        raise SegmentError(f"{where}: expected the segment's 'text' or its 'words', one of the two")
    if "words" in row:
        words = word_list(row["words"], where)
        if any(not word.strip() for word in words):
            raise SegmentError(f"{where}: a word is empty")
        return words
    if not isinstance(row["text"], str):
        raise SegmentError(f"{where}: expected the text, found {describe(row['text'])}")
    return word_list(row["text"].split(), where)


def _number(value: Any, where: str) -> float | None:
    if value is None:
        return None
    try:
        number = float(value) if isinstance(value, (str, int, float)) else None
    except (ValueError, OverflowError):
        number = None
    if number is None or isinstance(value, bool):
        raise SegmentError(f"{where} is {describe(value)}; expected a number")
    return number


def _frames(folder: Path, name: str, modality: str) -> np.ndarray | None:
    found = [f for f in (folder / f"{name}.npy", folder / f"{name}.npz") if f.is_file()]
    if len(found) > 1:
        raise SegmentError(
            f"{found[0]} and {found[1].name} stand side by side; expected one of them"
        )
    return frame_array(read_array(found[0]), modality, str(found[0])) if found else None


def _check_files(folder: Path, names: list[str]) -> None:
    for modality in MODALITIES:
        files = {f.name for f in (folder / modality).glob("*.np[yz]")}
        if files and names and not files & {f"{n}{e}" for n in names for e in (".npy", ".npz")}:
            raise DataError(
                f"{folder / modality} holds files, such as {min(files)}, but none of a segment of "
                f"the list; expected names such as {names[0]}.npy"
            )
