"""Record batches of an Arrow file of segments, read by position.

If a memory-mapped file is cut or overwritten while it is in use, a signal ends the process. Here
every byte is copied before use, and a short read or a wrong checksum reveals such a change.
"""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from mmf_cmsbert.datasets.segment import MODALITIES, Segment
from mmf_cmsbert.files import open_regular

PLAIN = {
    "id": pa.string(),
    "video": pa.string(),
    "words": pa.list_(pa.string()),
    "label": pa.float64(),
    "start": pa.float64(),
    "end": pa.float64(),
    "checksum": pa.uint32(),
}
# Flattened frames; the manifest has their width.
_FRAMES = pa.list_(pa.float32())
_COLUMNS = [*PLAIN.items(), *((modality, _FRAMES) for modality in MODALITIES)]
# Metadata as JSON, null if empty; stores of the first versions lack this column.
SCHEMA = pa.schema([*_COLUMNS, ("metadata", pa.string())])
_SCHEMAS = (SCHEMA, pa.schema(_COLUMNS))
# Errors raised by reading a damaged Arrow file. Most of Arrow's errors are ValueErrors, not all.
DAMAGE = (
    pa.ArrowException,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    OverflowError,
    MemoryError,
    RecursionError,
)
# A batch has at most 64 segments; a longer read means a damaged file.
LARGEST_READ = 1 << 29


class RecordBatches:
    """The batches of an Arrow file with :data:`SCHEMA`, which is not memory-mapped.

    Everything but the frames of a batch is kept in memory after its first use.

    Args:
        path: the file.

    Attributes:
        size: its size in bytes.
        counts: number of segments in each batch.

    Raises:
        DAMAGE: the file is damaged, of another kind, or cannot be read.
    """

    def __init__(self, path: Path):
        self._file = _PositionalFile(path)
        self.size = self._file.size
        self._reader = self._opened()
        if not any(map(self._reader.schema.equals, _SCHEMAS)):
            raise ValueError(f"columns {', '.join(self._reader.schema.names)[:100]}")
        # One small column is enough to count the rows of a batch.
        counted = self._opened(included_fields=[SCHEMA.get_field_index("checksum")])
        numbers = range(counted.num_record_batches)
        self.counts = [counted.get_batch(number).num_rows for number in numbers]
        self._batches: dict[int, _Batch] = {}

    def segment(self, number: int, row: int, widths: Mapping[str, int]) -> tuple[Segment, int]:
        """Return a segment of a batch, and the checksum that was stored with it.

        Raises:
            DAMAGE: the batch is damaged, or the file was cut or cannot be read.
        """
        if number not in self._batches:
            self._file.last_reads.clear()
            batch = self._reader.get_batch(number)
            self._batches[number] = _Batch(batch, self._file)
            self._file.last_reads.clear()
        return self._batches[number].segment(row, widths)

    def _opened(self, **options: list[int]) -> pa.ipc.RecordBatchFileReader:
        file = pa.PythonFile(self._file, mode="r")
        return pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(**options))


class _Batch:
    """The cached part of a record batch: its rows without frames, and the frames' positions."""

    def __init__(self, batch: pa.RecordBatch, file: "_PositionalFile"):
        batch.validate(full=True)  # offsets are trusted from here on
        self._file = file
        self._frames = {}
        for modality in MODALITIES:
            column = batch.column(modality)
            values = column.values.to_numpy()  # without a copy, or ArrowInvalid
            start = file.position_of(values.ctypes.data) if len(values) else 0
            offsets = start + values.itemsize * column.offsets.to_numpy().astype(np.int64)
            self._frames[modality] = offsets, column.is_valid().to_numpy(zero_copy_only=False)
        # Words stay in Arrow to save memory, serialised so that the frames' memory can be freed.
        words = batch.select(["words"])
        self._words = pa.ipc.read_record_batch(words.serialize(), words.schema).column(0)
        others = [n for n in batch.schema.names if n not in (*MODALITIES, "words")]
        self._others = batch.select(others).to_pylist()

    def segment(self, row: int, widths: Mapping[str, int]) -> tuple[Segment, int]:
        plain = dict(self._others[row])
        written = plain.pop("checksum")
        plain["words"] = tuple(self._words[row].as_py())
        plain["metadata"] = json.loads(plain.get("metadata") or "{}")
        if not isinstance(plain["metadata"], dict):
            raise ValueError("metadata is not an object")
        for modality, (offsets, present) in self._frames.items():
            plain[modality] = None
            if present[row]:
                values = self._file.floats(*offsets[row : row + 2].tolist())
                plain[modality] = values.reshape(-1, widths[modality])
        return Segment(**plain), written


class _PositionalFile(io.RawIOBase):
    """A regular file read by position, with the interface of Arrow's readers; fork-safe.

    Attributes:
        size: its size in bytes when it was opened.
        last_reads: position and content of the reads since this list was cleared.
    """

    def __init__(self, path: Path):
        self._file = open_regular(path)
        self.size = os.fstat(self._file.fileno()).st_size
        self.last_reads: list[tuple[int, np.ndarray]] = []
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = start + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        size = max(0, self.size - self._at) if size < 0 else size
        if size > LARGEST_READ or self._at + size > self.size:
            raise ValueError(f"{size:,} bytes announced at {self._at:,} of {self.size:,}")
        content = os.pread(self._file.fileno(), size, self._at)
        self.last_reads.append((self._at, np.frombuffer(content, np.uint8)))
        self._at += len(content)
        return content

    def position_of(self, address: int) -> int:
        """Return the position in the file of a byte that the last reads put at a memory address."""
        for position, content in self.last_reads:
            offset = address - content.ctypes.data
            if 0 <= offset < len(content):
                return position + offset
        raise ValueError("compressed columns")

    def floats(self, start: int, end: int) -> np.ndarray:
        """Return the float32 numbers between two positions, in memory of their own."""
        values = np.empty((end - start) // 4, np.float32)
        if os.preadv(self._file.fileno(), [values.data], start) != values.nbytes:
            raise ValueError(f"cut short, from {self.size:,} bytes")
        return values

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
