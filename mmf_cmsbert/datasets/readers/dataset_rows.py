"""Segments from the rows of a Hugging Face dataset, which come as Arrow tables."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from mmf_cmsbert.datasets.readers.dataset_columns import FIELDS, Columns
from mmf_cmsbert.datasets.readers.dataset_media import MediaColumn
from mmf_cmsbert.datasets.readers.dataset_targets import TargetColumns
from mmf_cmsbert.datasets.readers.fields import frame_arrays, sentiment, without_blank_words
from mmf_cmsbert.datasets.readers.segment_ids import Identity, identity
from mmf_cmsbert.datasets.readers.text import describe, split_text, word_list
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import SegmentError


@dataclass(frozen=True)
class RowReader:
    """Makes segments from rows.

    Attributes:
        columns: the columns of the dataset.
        split: of the rows; ids are made from it if no column has them.
        where: the dataset, for messages.
        key: the configuration section of the dataset, for messages.
        widths: modality -> columns of a frame, where the frames of a segment are one flat list.
        label_values: name of a class -> its label.
        extractors: modality -> what extracts its frames, where its column has sound or clips.
        targets: the columns of declared targets, if there are any. Their values are given as
            metadata, see :func:`.target_values.with_targets`.
    """

    columns: Columns
    split: str
    where: str
    key: str
    widths: Mapping[str, int | None] = field(default_factory=dict)
    label_values: Mapping[str, float] = field(default_factory=dict)
    extractors: Mapping[str, MediaColumn] = field(default_factory=dict)
    targets: TargetColumns | None = None

    def segments(self, tables: Iterable[pa.Table]) -> Iterator[Segment | SegmentError]:
        """Yield the segment of each row, or the error of a row that cannot be used."""
        number = 0
        for table in tables:
            columns = {name: _one_chunk(table.column(name)) for name in table.column_names}
            for row in range(table.num_rows):
                cells = {name: column[row] for name, column in columns.items()}
                try:
                    yield self._segment(cells, number)
                except SegmentError as error:
                    yield error
                number += 1

    def _segment(self, cells: Mapping[str, pa.Scalar], number: int) -> Segment:
        of, where = self.columns.of, f"{self.where}: row {number}"
        values = {name: cells[column].as_py() for name, column in of.items() if name in FIELDS}
        known = self._identity(values, number, where)
        where = f"{where} ({known.id})"
        words = values.get("words")
        words = split_text(values["text"], where) if words is None else word_list(words, where)
        frames = {
            modality: self._frames(cells[column], modality, where)
            for modality, column in of.items()
            if modality not in FIELDS
        }
        start, end = _times(values, known, where)
        segment = Segment(
            id=known.id,
            video=known.video,
            words=tuple(words),
            label=None if self.targets else self._label(values.get("label"), where),
            start=start,
            end=end,
            metadata=self._metadata(cells) | self._labels(cells),
            frames=frame_arrays(frames, where),
        )
        return without_blank_words(segment, where)

    def _identity(self, values: Mapping[str, Any], number: int, where: str) -> Identity:
        video, clip = values.get("video"), values.get("clip")
        name = values.get("id")
        if name is None and video is not None and clip is not None:
            name = [str(video), str(clip)]
        if name is None:
            # Rows of no video count as videos of their own.
            name = f"{self.split}-{number}"
            return Identity(name, name if video is None else str(video))
        known = identity(name, where)
        return known if video is None else Identity(known.id, str(video), known.start, known.end)

    def _labels(self, cells: Mapping[str, pa.Scalar]) -> dict[str, Any]:
        """Return the values of declared targets by name."""
        targets, column = self.targets, self.columns.of.get("label")
        if targets is None:
            return {}
        found = targets.read({name: cells[name].as_py() for name in targets.of})
        if targets.main not in found and column is not None:
            label = targets.decoded(column, cells[column].as_py())
            if label is not None:
                found[targets.main] = label
        values = self.label_values
        return {n: values.get(v, v) if isinstance(v, str) else v for n, v in found.items()}

    def _label(self, value: Any, where: str) -> float | None:
        if isinstance(value, int) and self.columns.classes:
            names = self.columns.classes
            value = names[value] if 0 <= value < len(names) else None  # -1: without a label
        if isinstance(value, str):
            value = self.label_values.get(value, value)
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                classes = ", ".join(self.columns.classes)
                known = f", one of the classes {classes}" if classes else ""
                raise SegmentError(
                    f"{where}: the label is {value!r}{known}; "
                    f"expected a number. Give each class its number, as in "
                    f"{self.key}.label_values='{{{value}: -1}}'"
                ) from None
        return sentiment(value, where)

    def _frames(self, cell: pa.Scalar, modality: str, where: str) -> np.ndarray | None:
        """The frames of a cell ``(frames, width)``, or None if it is empty."""
        if not cell.is_valid:
            return None
        if modality in self.extractors:
            return self.extractors[modality].frames(cell, where)
        values = cell.value if isinstance(cell, pa.ExtensionScalar) else cell
        items = values.values
        if not len(items):
            return None
        if items.null_count:
            raise SegmentError(f"{where}: {items.null_count} of the {modality} frames are null")
        if pa.types.is_list(items.type) or pa.types.is_large_list(items.type):
            lengths = set(items.value_lengths().to_pylist())
            if len(lengths) > 1:
                raise SegmentError(
                    f"{where}: {modality} frames of {min(lengths)} and of {max(lengths)} numbers; "
                    "expected one width"
                )
            return _numbers(items.flatten(), modality, where).reshape(len(items), -1)
        if pa.types.is_fixed_size_list(items.type):
            flat = _numbers(items.flatten(), modality, where)
            return flat.reshape(len(items), items.type.list_size)
        return self._cut(_numbers(items, modality, where), modality, where)

    def _cut(self, flat: np.ndarray, modality: str, where: str) -> np.ndarray:
        width = self.widths.get(modality)
        if width is None or len(flat) % width:
            found = f"{len(flat)} numbers in a flat list"
            expected = "" if width is None else f", which is no multiple of {width}"
            raise SegmentError(
                f"{where}: {found} of {modality} frames{expected}; type their width, as in "
                f"{self.key}.features.{modality}=WIDTH"
            )
        return flat.reshape(-1, width)

    def _metadata(self, cells: Mapping[str, pa.Scalar]) -> dict[str, Any]:
        values = {name: cells[name].as_py() for name in self.columns.metadata}
        found = {name: value for name, value in values.items() if value is not None}
        # `cmsbert data convert --to datasets` writes all metadata into one column.
        written = found.get("metadata")
        if isinstance(written, str) and written.startswith("{"):
            with suppress(ValueError):
                found = {name: found[name] for name in found if name != "metadata"}
                found |= json.loads(written)
        return found


def _one_chunk(column: pa.ChunkedArray) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column


def _numbers(items: pa.Array, modality: str, where: str) -> np.ndarray:
    kind = items.type
    if items.null_count or not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        found = f"{items.null_count} nulls" if items.null_count else str(kind)
        raise SegmentError(f"{where}: expected numbers as {modality} frames, found {found}")
    values: np.ndarray = items.to_numpy(zero_copy_only=False)
    return values


def _times(
    values: Mapping[str, Any], known: Identity, where: str
) -> tuple[float | None, float | None]:
    start, end = values.get("start"), values.get("end")
    if start is None and end is None:
        return known.start, known.end
    found = [float(each) for each in (start, end) if isinstance(each, (int, float))]
    if len(found) == 2 and 0 <= found[0] < found[1] < float("inf"):
        return found[0], found[1]
    raise SegmentError(
        f"{where}: from {describe(start)} to {describe(end)}; expected seconds with "
        "0 <= start < end, or neither"
    )
