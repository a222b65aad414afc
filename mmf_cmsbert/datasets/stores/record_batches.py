"""Record batches of a store's Arrow file, read by position.

If a memory-mapped file is cut or overwritten while it is in use, a signal ends the process. Here
every byte is copied before use, and a short read or a wrong checksum reveals such a change.
"""

import io
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mmf_cmsbert.datasets.segment import FACE_VOICE, Segment
from mmf_cmsbert.datasets.stores.columns import CHECKSUM, TARGET, numbers, schema
from mmf_cmsbert.files import open_regular

# The columns of formats 1 and 2: frames are flat, and the first stores have no metadata.
_OLD = [
    *((each.name, each.type) for each in schema({}) if each.name != "metadata"),
    *((modality, pa.list_(pa.float32())) for modality in FACE_VOICE),
]
_OLD_SCHEMAS = (pa.schema([*_OLD, ("metadata", pa.string())]), pa.schema(_OLD))
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
MOST_BATCHES = 1 << 12


class BatchCache:
    """The batches that were used last, of one or several files.

    Args:
        most: number of batches that are kept. Without their frames, 64 segments take some 100 kB.
    """

    def __init__(self, most: int = MOST_BATCHES):
        self._most = most
        self._batches: OrderedDict[tuple[Path, int], _Batch] = OrderedDict()

    def get(self, file: Path, number: int, make: "Callable[[], _Batch]") -> "_Batch":
        """Return a batch of a file, which is made unless it is kept."""
        key = file, number
        found = self._batches.get(key)
        if found is None:
            found = self._batches[key] = make()
            if len(self._batches) > self._most:
                self._batches.popitem(last=False)
        else:
            self._batches.move_to_end(key)
        return found


class RecordBatches:
    """The batches of a store's file, which is not memory-mapped.

    Everything but the frames of a batch is kept in memory after its use.

    Args:
        path: the file.
        widths: modality -> columns of its frames, for the modalities that there are.
        batches: position and number of segments of each batch of an Arrow stream; None for an Arrow
            file of format 1 or 2, which has them at its end.
        targets: the further targets that there are.
        cache: keeps the batches.

    Attributes:
        size: its size in bytes.
        counts: number of segments in each batch.

    Raises:
        DAMAGE: the file is damaged, of another kind, or cannot be read.
    """

    def __init__(
        self,
        path: Path,
        widths: Mapping[str, int],
        batches: Sequence[Sequence[int]] | None,
        targets: Collection[str] = (),
        cache: BatchCache | None = None,
    ):
        self._path, self._cache = path, cache or BatchCache()
        self._file = _PositionalFile(path)
        self.size = self._file.size
        self._widths = widths
        self._source: _Stream | _OldFile
        if batches is None:
            self._source = _OldFile(self._file)
        else:
            self._source = _Stream(self._file, schema(widths, targets), batches)
        self.counts = self._source.counts

    def segment(self, number: int, row: int) -> tuple[Segment, int]:
        """Return a segment of a batch, and the checksum that was stored with it.

        Raises:
            DAMAGE: the batch is damaged, or the file was cut or cannot be read.
        """
        return self._cache.get(self._path, number, lambda: self._read(number)).segment(
            row, self._file
        )

    def _read(self, number: int) -> "_Batch":
        self._file.last_reads.clear()
        found = _Batch(self._source.batch(number), self._file, self._widths)
        self._file.last_reads.clear()
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _Stream:
    """An Arrow stream, whose batches are where the manifest says."""

    def __init__(self, file: "_PositionalFile", columns: pa.Schema, batches: Sequence[Any]):
        self._file = pa.PythonFile(file, mode="r")
        self._columns = pa.ipc.open_stream(self._file).schema
        if not self._columns.equals(columns):
            raise ValueError(f"columns {', '.join(self._columns.names)[:100]}")
        self._starts = [start for start, _ in batches]
        self.counts = [count for _, count in batches]

    def batch(self, number: int) -> pa.RecordBatch:
        self._file.seek(self._starts[number])
        batch = pa.ipc.read_record_batch(pa.ipc.read_message(self._file), self._columns)
        if batch.num_rows != self.counts[number]:
            raise ValueError(f"batch {number} has {batch.num_rows} segments")
        return batch


class _OldFile:
    """An Arrow file of format 1 or 2."""

    def __init__(self, file: "_PositionalFile"):
        self._file = pa.PythonFile(file, mode="r")
        self._reader = self._opened()
        if not any(map(self._reader.schema.equals, _OLD_SCHEMAS)):
            raise ValueError(f"columns {', '.join(self._reader.schema.names)[:100]}")
        # One small column is enough to count the rows of a batch.
        counted = self._opened(included_fields=[self._reader.schema.get_field_index(CHECKSUM)])
        numbers = range(counted.num_record_batches)
        self.counts = [counted.get_batch(number).num_rows for number in numbers]

    def batch(self, number: int) -> pa.RecordBatch:
        return self._reader.get_batch(number)

    def _opened(self, **options: list[int]) -> pa.ipc.RecordBatchFileReader:
        return pa.ipc.open_file(self._file, options=pa.ipc.IpcReadOptions(**options))


class _Batch:
    """The cached part of a record batch: its rows without frames, and the frames' positions."""

    def __init__(self, batch: pa.RecordBatch, file: "_PositionalFile", widths: Mapping[str, int]):
        batch.validate(full=True)  # offsets are trusted from here on
        self._widths = widths
        self._frames = {}
        for modality, width in widths.items():
            column = batch.column(modality)
            nested = pa.types.is_fixed_size_list(column.type.value_type)
            values = numbers(column.values.values if nested else column.values, np.float32)
            start = file.position_of(values.ctypes.data) if len(values) else 0
            step = values.itemsize * (width if nested else 1)
            offsets = start + step * numbers(column.offsets, np.int32).astype(np.int64)
            self._frames[modality] = offsets, column.is_valid().to_pylist()
        # Words stay in Arrow to save memory, serialised so that the frames' memory can be freed.
        words = batch.select(["words"])
        self._words = pa.ipc.read_record_batch(words.serialize(), words.schema).column(0)
        others = [n for n in batch.schema.names if n not in (*FACE_VOICE, *widths, "words")]
        self._others = batch.select(others).to_pylist()

    def segment(self, row: int, file: "_PositionalFile") -> tuple[Segment, int]:
        plain = dict(self._others[row])
        written = plain.pop(CHECKSUM)
        plain["words"] = tuple(self._words[row].as_py())
        metadata = plain.get("metadata")
        plain["metadata"] = json.loads(metadata) if metadata else {}
        if not isinstance(plain["metadata"], dict):
            raise ValueError("metadata is not an object")
        columns = [name for name in plain if name.startswith(TARGET)]
        values = {name.removeprefix(TARGET): plain.pop(name) for name in columns}
        plain["targets"] = {n: tuple(each) for n, each in values.items() if each is not None}
        plain["frames"] = {
            modality: file.floats(*offsets[row : row + 2].tolist()).reshape(
                -1, self._widths[modality]
            )
            for modality, (offsets, present) in self._frames.items()
            if present[row]
        }
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
        if len(content) < size:
            raise ValueError(f"cut short, from {self.size:,} bytes")
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
