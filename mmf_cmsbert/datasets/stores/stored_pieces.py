"""The word pieces of a store's segments, computed once for each tokenizer and cached on disk."""

import hashlib
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from mmf_cmsbert.datasets.stores.columns import numbers
from mmf_cmsbert.datasets.stores.record_batches import DAMAGE
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import FileTooLarge, read_regular, replaced_file, write_error

# Two numbers of four bytes per word piece: up to 8,192 pieces per segment.
_MOST_BYTES, _MOST_BYTES_EACH = 1 << 20, 1 << 16
# Their offsets have 32 bits.
_MOST_PIECES = (1 << 31) - 1
_INDICES = pa.list_(pa.int32())
_SCHEMA = pa.schema(
    {"input_ids": _INDICES, "word_index": _INDICES, "truncated": pa.bool_()}.items()
)


class StoredPieces(Sequence[Mapping[str, np.ndarray]]):
    """Word pieces of segments: for each ``input_ids`` and ``word_index``, int64 ``(pieces,)``.

    Attributes:
        truncated: number of truncated segments.
    """

    def __init__(self, path: Path, length: int):
        # Not memory-mapped, because a mapped file that is cut or overwritten ends the process.
        content = read_regular(path, _MOST_BYTES + length * _MOST_BYTES_EACH)
        batch = pa.ipc.open_file(content).get_batch(0)
        batch.validate(full=True)
        if not batch.schema.equals(_SCHEMA) or batch.num_rows != length:
            raise ValueError(f"{path}: {batch.num_rows} rows")
        if batch.schema.metadata[b"checksum"] != _checksum(batch):
            raise ValueError(f"{path}: wrong checksum")
        self._columns = {
            name: tuple(
                numbers(each, np.int32)
                for each in (batch.column(name).offsets, batch.column(name).values)
            )
            for name in ("input_ids", "word_index")
        }
        self.truncated = batch.column("truncated").true_count
        self._length = length

    def __len__(self) -> int:
        return self._length

    # It takes no slice.
    def __getitem__(self, index: int) -> dict[str, np.ndarray]:  # type: ignore[override]
        return {
            name: values[offsets[index] : offsets[index + 1]].astype(np.int64)
            for name, (offsets, values) in self._columns.items()
        }


class PieceProcessor(Protocol):
    """Cuts words into pieces.

    Attributes:
        fingerprint: identifies everything that its results depend on.
    """

    fingerprint: str

    def __call__(self, item: Mapping[str, Any]) -> Mapping[str, Any]: ...


def stored_pieces(
    segments: StoredSegments, processor: PieceProcessor, folder: Path, progress: str
) -> StoredPieces:
    """Return the word pieces of all ``segments``, from the cache in ``folder`` if possible.

    Args:
        segments: a store.
        processor: returns the pieces of ``{"words": words}``; its ``fingerprint`` identifies
            everything that its results depend on.
        folder: the folder of the cache.
        progress: title of the progress bar.

    Raises:
        DataError: ``folder`` cannot be written.
    """
    made_from = f"{segments.manifest.content} {processor.fingerprint}"
    path = folder / f"pieces-{hashlib.sha256(made_from.encode()).hexdigest()[:16]}.arrow"
    try:
        return StoredPieces(path, len(segments))
    except (*DAMAGE, FileTooLarge):
        # Missing or damaged.
        pass
    words = (segments[i].words for i in range(len(segments)))
    bar = tqdm(words, progress, total=len(segments), unit=" segments", disable=None)
    batch = _batch(processor({"words": each}) for each in bar)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            replaced_file(path) as unfinished,
            pa.OSFile(str(unfinished), "wb") as sink,
            pa.ipc.new_file(sink, batch.schema) as file,
        ):
            file.write_batch(batch)
    except OSError as error:
        raise write_error(error, path) or DataError(
            f"{path}: cannot be written ({error.strerror or error})"
        ) from error
    return StoredPieces(path, len(segments))


def _batch(pieces: Iterable[Mapping[str, Any]]) -> pa.RecordBatch:
    # Plain int32 buffers: the arrays of all segments would take several times their memory.
    values = {name: array("i") for name in ("input_ids", "word_index")}
    ends, truncated = array("i", [0]), bytearray()
    for each in pieces:
        for name, found in values.items():
            found.frombytes(each[name].astype(np.int32).tobytes())
        count = len(values["input_ids"])
        if count > _MOST_PIECES:
            raise DataError(
                f"a split with more than {_MOST_PIECES:,} word pieces cannot be indexed (after "
                f"{len(truncated):,} segments); divide its files among several datasets"
            )
        ends.append(count)
        truncated.append(each["truncated"])
    offsets = pa.array(np.frombuffer(ends, np.int32))
    columns = [
        pa.ListArray.from_arrays(offsets, pa.array(np.frombuffer(found, np.int32)))
        for found in values.values()
    ]
    columns.append(pa.array(np.frombuffer(truncated, np.bool_)))
    batch = pa.record_batch(columns, schema=_SCHEMA)
    return batch.replace_schema_metadata({"checksum": _checksum(batch)})


def _checksum(batch: pa.RecordBatch) -> bytes:
    found = 0
    for name in ("input_ids", "word_index"):
        column = batch.column(name)
        for part in (column.offsets, column.values):
            found = zlib.crc32(numbers(part, np.int32).data, found)
    return str(found).encode()
