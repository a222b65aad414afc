"""Hugging Face datasets: of the hub, saved to disk, or as Parquet, Arrow, JSON or CSV files."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets.readers import dataset_files, hub_reference
from mmf_cmsbert.datasets.readers.dataset_columns import FIELDS, find_columns
from mmf_cmsbert.datasets.readers.dataset_media import columns_of, extractors_of
from mmf_cmsbert.datasets.readers.dataset_rows import RowReader
from mmf_cmsbert.datasets.readers.dataset_targets import target_columns
from mmf_cmsbert.datasets.readers.layout import Layout, Request
from mmf_cmsbert.datasets.readers.names import field_named, split_in
from mmf_cmsbert.datasets.readers.registry import register_layout
from mmf_cmsbert.datasets.readers.tables import table_rows
from mmf_cmsbert.datasets.segment import FACE_VOICE, Segment
from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.files import open_regular

_COLUMNAR = (".parquet", ".arrow")
_LONGEST_HEADER = 1 << 16
_EXAMPLES = {"acoustic": "voice=librosa", "visual": "face=dlib"}
_log = logging.getLogger(__name__)


@register_layout("datasets")
class HuggingFace(Layout):
    """What the library ``datasets`` reads; its columns are found by name and type.

    A list of rows (JSON Lines, CSV) is of this layout if its rows have no id, or have frames in
    columns; otherwise it is of the layout ``folder``.
    """

    examples = ("a dataset of the library datasets", "Parquet files")
    suffixes = _COLUMNAR
    rank = 6

    def recognise(self, path: Path) -> bool:
        if path.is_dir():
            return dataset_files.is_saved(path) or dataset_files.is_repository(path)
        if hub_reference.is_reference(path):
            return True
        suffix = path.suffix.lower()
        return suffix in _COLUMNAR or (suffix in dataset_files.FORMATS and _has_no_ids(path))

    def splits(self, path: Path, beside: Sequence[Path] = ()) -> Sequence[str]:
        """Return the splits of a folder or a reference; a file's split is in its name."""
        if path.is_file() and not hub_reference.is_reference(path):
            return ()
        return _splits(path, _changed(path))

    def split_by_name(self, path: Path) -> str | None:
        return split_in(path.stem)

    def sources(self, path: Path, split: str) -> Iterable[Path]:
        """Return the data files; a reference names the commit that they are of."""
        if path.is_file():
            return [path]
        files = (file for file in path.rglob("*") if file.suffix.lower() in dataset_files.FORMATS)
        return sorted(file for file in files if file.is_file())

    def extractors(self, path: Path, request: Request) -> Mapping[str, Any]:
        """Return the cards of the extractors of voice and face, if sound or clips are read."""
        return extractors_of(request.voice, request.face)

    def segments(self, files: Sequence[Path], request: Request) -> Iterator[Segment | SegmentError]:
        for path in files:
            yield from _segments(path, request)


def _segments(path: Path, request: Request) -> Iterator[Segment | SegmentError]:
    rows = dataset_files.rows_of(path, request.split)
    features = dataset_files.features_of(rows, path)
    key = f"dataset_config.{request.corpus or 'NAME'}"
    shown = str(hub_reference.read(path)) if hub_reference.is_reference(path) else str(path)
    targets = None
    if request.targets is not None:
        targets = target_columns(features, request.columns, request.targets)
    columns = find_columns(
        features,
        request.columns,
        shown,
        f"{key}.columns",
        [m for m, name in (("acoustic", request.voice), ("visual", request.face)) if name],
        targets.of if targets else {},
        request.modalities,
    )
    named = {"acoustic": request.voice, "visual": request.face}
    for modality in columns.extracted:
        if named[modality] is None:
            raise DataError(
                f"{shown}: {modality} frames of the column {columns.of[modality]} have to be "
                f"extracted; name the extractor, as in {key}.{_EXAMPLES[modality]}"
            )
    if columns.media and columns.of.keys() <= set(FIELDS):
        _log.warning(
            f"{shown}: features are not extracted from the column {', '.join(columns.media)}; its "
            f"segments count as text alone; {key}.voice=librosa extracts the voice, and "
            f"{key}.face=dlib the face"
        )
    reader = RowReader(
        columns,
        request.split,
        shown,
        key,
        request.widths or {},
        request.label_values,
        targets=targets,
    )
    if columns.extracted:
        extractors = columns_of(path, {m: named[m] for m in columns.extracted})
        reader = replace(reader, extractors=extractors)
    # A column of clips gives both voice and face.
    used = dict.fromkeys(
        [*columns.of.values(), *columns.metadata, *(targets.of if targets else ())]
    )
    yield from reader.segments(dataset_files.tables_of(rows.select_columns(list(used)), path))


@cache
def _splits(path: Path, _changed: int) -> Sequence[str]:
    return dataset_files.splits_of(path)


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns


def _has_no_ids(path: Path) -> bool:
    """Whether a list's rows have no ids, or have frames in columns.

    JSON arrays, and lists that this package alone reads (in UTF-16, with semicolons), are left to
    the layout ``folder``.
    """
    suffix = path.suffix.lower()
    if suffix == ".json":
        return False
    try:
        with open_regular(path) as file:
            header = file.readline(_LONGEST_HEADER)
        if (
            b"\0" in header
            or header.lstrip().startswith(b"[")
            or (b";" in header) > (b"," in header)
        ):
            return False
        _, row = next(table_rows(path), ("", {}))
    except (OSError, DataError):
        return False
    if isinstance(row, SegmentError):
        return False
    fields = set(map(field_named, row))
    named = "id" in fields or {"video", "clip"} <= fields
    frames = any(_is_frames(value, field_named(name)) for name, value in row.items())
    return frames or (not named and len(row) > 1)


def _is_frames(value: Any, field: str | None) -> bool:
    if not isinstance(value, list):
        return False
    first = value[0] if value and isinstance(value[0], list) else ()
    return field in FACE_VOICE or any(isinstance(each, (int, float)) for each in first)
