"""Read the segments of a file or folder of any layout, one after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from mmf_cmsbert.config.schemas.targets import Target, main
from mmf_cmsbert.datasets.readers import dataset_files
from mmf_cmsbert.datasets.readers.dataset_objects import without_classes
from mmf_cmsbert.datasets.readers.feature_folders import feature_folders
from mmf_cmsbert.datasets.readers.list_rows import renamed, rows_or_errors, segment_of_row
from mmf_cmsbert.datasets.readers.reading import extractors_of, read_files
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.readers.tables import SUFFIXES, table_rows
from mmf_cmsbert.datasets.readers.target_values import with_targets
from mmf_cmsbert.datasets.segment import FACE_VOICE, SPLITS, Segment
from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.media.card import read_card
from mmf_cmsbert.predictor.inputs import as_segment

# How messages of read_files name a column that can be chosen.
_KEY = "dataset_config.mosi.columns."


def read_segments(
    path: Path,
    split: str | None = None,
    widths: Mapping[str, int] | None = None,
    targets: Mapping[str, Target] | None = None,
    columns: Mapping[str, str] | None = None,
) -> Iterator[Segment | SegmentError]:
    """Yield the segments of an input in order, with an error for each that cannot be used.

    A list of segments (JSON lines, CSV, TSV, Parquet) is read row by row, with constant memory.

    Args:
        path: a list, a store, or another input that ``cmsbert data inspect`` reads.
        split: the split to read if the input has splits; None for all.
        widths: modality -> columns of a frame, for the modalities to read; None for all.
        targets: what labels are of, see :func:`.inputs.as_segment`.
        columns: field -> its column, for columns of a list or a Hugging Face dataset without a
            usual name.

    Raises:
        DataError: the input does not exist, is damaged, or has no column of a name.
    """
    path, columns = path.expanduser(), columns or {}
    if path.suffix.lower() == ".parquet":
        yield from _parquet(path, FACE_VOICE if widths is None else widths, targets, columns)
    elif path.suffix.lower() in SUFFIXES and path.is_file() and split is None:
        segments = _list(path, widths, None if targets is None else main(targets)[0], columns)
        yield from segments if targets is None else with_targets(segments, targets, str(path))
    else:
        source = find_source([path], split)
        for name in SPLITS:
            if files := source.files.get(name):
                others = [f for other, each in source.files.items() if other != name for f in each]
                try:
                    yield from read_files(
                        files,
                        name,
                        elsewhere=others,
                        widths=widths,
                        columns=columns,
                        targets=targets,
                    )
                except DataError as error:
                    raise DataError(str(error).replace(_KEY, "--column ")) from error


def extractors_of_input(path: Path, split: str | None = None) -> dict[str, Any]:
    """Return the card of the extractors of an input's frames, empty if it has none.

    Arguments and errors as for :func:`read_segments`.
    """
    path = path.expanduser()
    if path.suffix.lower() == ".parquet":
        return {}
    if path.suffix.lower() in SUFFIXES and path.is_file():
        return read_card(path.parent)
    files = find_source([path], split).files
    cards = (extractors_of(each, name) for name, each in files.items() if split in (None, name))
    return next((card for card in cards if card), {})


def _list(
    file: Path,
    modalities: Collection[str] | None,
    main_target: str | None,
    columns: Mapping[str, str],
) -> Iterator[Segment | SegmentError]:
    folders = feature_folders(file.parent, modalities)
    for modality in columns.keys() & set(FACE_VOICE if modalities is None else modalities):
        raise DataError(
            f"{file}: --column {modality}={columns[modality]}: frames of a list are read from "
            f"files beside it, {modality}/ID.npy; expected Parquet for frames in columns"
        )
    if columns:
        _check_columns(file, columns)
    for row in rows_or_errors(file, _by_column(columns)):
        if isinstance(row, SegmentError):
            yield row
            continue
        try:
            yield segment_of_row(row, folders, main_target)
        except SegmentError as error:
            yield error


def _check_columns(file: Path, columns: Mapping[str, str]) -> None:
    """Refuse a column that no row of a list has; of a list without rows, nothing is refused.

    Rows leave out empty cells, so rows are read until each column was seen: mostly the first.
    """
    there: dict[str, None] = {}
    for _, row in table_rows(file):
        if not isinstance(row, SegmentError):
            there |= dict.fromkeys(row)
        if there.keys() >= set(columns.values()):
            return
    if there:
        _refuse_missing(file, columns, there)


def _refuse_missing(file: Path, columns: Mapping[str, str], there: Collection[str]) -> None:
    for field, column in columns.items():
        if column not in there:
            raise DataError(
                f"{file}: no column {column!r}, which --column names as that of {field}; expected "
                f"one of {', '.join(there)}, as --column {field}=NAME"
            )


def _by_column(columns: Mapping[str, str]) -> dict[str, str]:
    return {column: field for field, column in columns.items()}


def _parquet(
    file: Path,
    modalities: Collection[str],
    targets: Mapping[str, Target] | None,
    columns: Mapping[str, str],
) -> Iterator[Segment | SegmentError]:
    rows = dataset_files.rows_of(file, "test")
    _refuse_missing(file, columns, rows.features)
    rows = without_classes(rows)
    classes = [each for each in columns.values() if hasattr(rows.features[each], "names")]
    rows = rows.select_columns([each for each in rows.columns if each not in classes])
    number = 0
    for table in dataset_files.tables_of(rows, file):
        for row in _plain(table).to_pylist():
            number += 1
            try:
                yield as_segment(renamed(row, _by_column(columns)), number, modalities, targets)
            except SegmentError as error:
                yield SegmentError(f"{file}: row {number}: {error}")


def _plain(table: pa.Table) -> pa.Table:
    """Return the table with arrays as nested lists, whose nulls the library cannot convert."""
    columns = [
        pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
        if isinstance(column.type, pa.BaseExtensionType)
        else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)
