"""Write the Arrow stream of a store."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.stores.columns import record_batch, schema


class BatchWriter:
    """Writes segments as record batches of an Arrow stream. A context manager.

    The stream's schema states the width of each modality, so if a modality or a further target
    first occurs in a later batch, the stream is written again with its column.

    Args:
        path: the file.

    Attributes:
        batches: position in the file and number of segments of each batch.
    """

    def __init__(self, path: Path):
        self.batches: list[tuple[int, int]] = []
        self._path = path
        self._widths: dict[str, int] = {}
        self._targets: set[str] = set()
        self._open()

    def __enter__(self) -> "BatchWriter":
        return self

    def __exit__(self, kind: Any, *error: Any) -> None:
        if kind is None:
            self._close()
            return
        with suppress(OSError, pa.ArrowInvalid):  # the stream cannot be ended where it broke off
            self._close()

    def write(
        self,
        segments: Sequence[Segment],
        checksums: Sequence[int],
        widths: Mapping[str, int],
        targets: Collection[str] = (),
    ) -> None:
        """Write a batch.

        Args:
            segments: its segments.
            checksums: the checksum of each of them.
            widths: modality -> width, for the modalities that occurred so far.
            targets: the further targets that occurred so far.
        """
        if widths.keys() - self._widths or set(targets) - self._targets:
            self._widen(widths, targets)
        self._append(record_batch(segments, self._schema, checksums))

    def _widen(self, widths: Mapping[str, int], targets: Collection[str]) -> None:
        self._close()
        self._widths, self._targets = dict(widths), set(targets)
        earlier = self._path.with_suffix(".earlier")
        self._path.rename(earlier)
        self.batches = []
        self._open()
        with pa.OSFile(str(earlier)) as source, pa.ipc.open_stream(source) as reader:
            for batch in reader:
                self._append(self._with_all_columns(batch))
        earlier.unlink()

    def _with_all_columns(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = [
            batch.column(each.name)
            if each.name in batch.schema.names
            else pa.nulls(batch.num_rows, each.type)
            for each in self._schema
        ]
        return pa.record_batch(columns, schema=self._schema)

    def _open(self) -> None:
        self._schema = schema(self._widths, self._targets)
        self._sink = pa.OSFile(str(self._path), "wb")
        self._writer = pa.ipc.new_stream(self._sink, self._schema)
        # The schema is written with the first batch.
        self._end = self._schema.serialize().size

    def _append(self, batch: pa.RecordBatch) -> None:
        self.batches.append((self._end, batch.num_rows))
        self._writer.write_batch(batch)
        self._end = self._sink.tell()

    def _close(self) -> None:
        try:
            self._writer.close()
        finally:
            self._sink.close()
