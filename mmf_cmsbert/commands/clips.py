"""The clips that a user names: a file, a folder, or a table with a row for each segment."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets.readers.media_files import SUFFIXES as MEDIA
from mmf_cmsbert.datasets.readers.names import fields_of, known_splits, split_named
from mmf_cmsbert.datasets.readers.tables import SUFFIXES as TABLES
from mmf_cmsbert.datasets.readers.tables import read_table
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.media.clip import Wanted
from mmf_cmsbert.media.jobs import Clip
from mmf_cmsbert.media.transcript import of_text, transcript_for

_FILE = ("clip", "file", "path", "filename")
_FIELDS = ("id", "text", "label", "split", "start", "end")


def find_clips(given: Path, table: Path | None, transcript: Path | None) -> list[Clip]:
    """Return the clips that a user names.

    Args:
        given: a media file, a folder with media files at any depth, or a table.
        table: a table with the segments of the clips in ``given``, or None.
        transcript: a file for a single clip, or a folder with a file for each clip.

    Raises:
        DataError: there are none, a file is missing, or a row of a table is wrong.
    """
    if given.is_file() and given.suffix.lower() in TABLES:
        if table is not None:
            raise DataError(f"{given} is a table already; --table {table} cannot be used with it")
        given, table = given.parent, given
    if given.is_dir():
        root = given
    elif given.is_file():
        root = given.parent
    else:
        raise DataError(f"{given}: there is no such file or folder")
    wanted = _of_table(table, root) if table else {}
    files = list(wanted) if wanted else _media(given)
    if wanted and given.is_file():
        files = [file for file in files if file == given]
    if not files:
        raise DataError(
            f"{given}: no clips in it; expected media files such as .mp4 or .wav"
            + (f" that {table} names" if table else "")
        )
    names = _names(files, root)
    if transcript is not None and transcript.is_file() and len(files) > 1:
        raise DataError(
            f"--transcript {transcript} is one file, and there are {len(files)} clips; expected a "
            "folder with a transcript for each, named as the clip"
        )
    return [
        Clip(
            names[file],
            file,
            transcript_for(file.stem, transcript) if transcript else None,
            tuple(wanted.get(file, ())),
        )
        for file in files
    ]


def _media(given: Path) -> list[Path]:
    if given.is_file():
        return [given]
    files = (file for file in given.rglob("*") if file.suffix.lower() in MEDIA)
    return sorted(file for file in files if not file.name.startswith("."))


def _names(files: list[Path], root: Path) -> dict[Path, str]:
    """A name for each clip, which names files: its path below ``root`` without suffix."""
    names: dict[Path, str] = {}
    taken: dict[str, Path] = {}
    for file in files:
        below = file.relative_to(root) if file.is_relative_to(root) else Path(file.name)
        name = re.sub(r"[^\w.()\[\]$ -]", "_", "_".join(below.with_suffix("").parts)).lstrip(".")
        name = name.strip() or "clip"
        if name in taken:
            raise DataError(
                f"{taken[name]} and {file} would both be named {name!r}; rename one of them"
            )
        taken[name] = file
        names[file] = name
    return names


def _of_table(table: Path, root: Path) -> dict[Path, list[Wanted]]:
    found: dict[Path, list[Wanted]] = {}
    ids: set[str] = set()
    splits = set()
    for where, row in read_table(table):
        column = next((name for name in row if name.strip().lower() in _FILE), None)
        if column is None:
            raise DataError(f"{where}: expected the clip's file in a column clip")
        file = _file(str(row[column]), (table.parent, root), where)
        wanted = _wanted(where, {k: v for k, v in row.items() if k != column})
        if (name := wanted.fields.get("id")) is not None:
            if name in ids:
                raise DataError(f"{where}: the id {name!r} occurs twice")
            ids.add(name)
        splits.add("split" in wanted.fields)
        found.setdefault(file, []).append(wanted)
    if len(splits) > 1:
        raise DataError(f"{table}: some rows name a split and some do not; name it in all or none")
    for file, rows in found.items():
        if len(rows) > 1 and any(each.start is None for each in rows):
            raise DataError(
                f"{table}: several rows name {file.name}; each of them needs start and end"
            )
    return found


def _file(name: str, folders: tuple[Path, ...], where: str) -> Path:
    places = [folder / Path(name).expanduser() for folder in folders]
    for place in places:
        if place.is_file():
            return place
    raise DataError(f"{where}: there is no clip {places[0]}")


def _wanted(where: str, row: Mapping[str, Any]) -> Wanted:
    fields = fields_of(row, where, _FIELDS, lambda one, other: one == other)
    start, end = (_number(fields.pop(key, None), f"{where}: {key}") for key in ("start", "end"))
    if (start is None) != (end is None) or (
        start is not None and end is not None and not 0 <= start < end
    ):
        raise DataError(f"{where}: from {start} to {end} s; expected 0 <= start < end, or neither")
    text = fields.pop("text", None)
    if "label" in fields:
        fields["label"] = _number(fields["label"], f"{where}: label")
    if "id" in fields:
        fields["id"] = str(fields["id"])
    if "split" in fields and split_named(fields["split"]) is None:
        raise DataError(
            f"{where}: split is {str(fields['split'])[:40]!r}; expected one of {known_splits()}"
        )
    return Wanted(
        dict(_others(row)) | fields,
        start,
        end,
        of_text(str(text), where) if text is not None else None,
    )


def _others(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    from mmf_cmsbert.datasets.readers.names import field_named

    for name, value in row.items():
        if field_named(name) not in (*_FIELDS, "words", "video", "visual", "acoustic"):
            yield name, value


def _number(value: Any, where: str) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise DataError(f"{where} is {str(value)[:40]!r}; expected a number") from None
