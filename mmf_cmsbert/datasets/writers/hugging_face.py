"""Write stores as a dataset that ``datasets.load_dataset(FOLDER)`` reads without this package.

Parquet shards with typed columns, and a card, ``README.md``, that says what is in them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mmf_cmsbert.datasets.segment import MODALITIES, Segment
from mmf_cmsbert.datasets.stores.dataset_view import features
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.datasets.writers.dataset_card import card

FOLDER, CARD = "data", "README.md"
FILES = (FOLDER, CARD)
# The hub's names of the splits
_NAMES = {"train": "train", "val": "validation", "test": "test"}
_ROWS = 100
# Bytes of words and frames in a shard; Parquet of float32 is about as large.
SHARD = 500_000_000


def write_dataset(
    folder: Path,
    stores: Mapping[str, StoredSegments],
    widths: Mapping[str, int],
    corpus: str,
    shard: int = SHARD,
) -> dict[str, list[Path]]:
    """Write the stores of a corpus as Parquet shards and a card.

    Args:
        folder: an existing folder.
        stores: split -> its store.
        widths: modality -> columns of its frames, for the modalities that there are.
        corpus: the corpus, for the card.
        shard: bytes after which another file begins.

    Returns:
        Split -> its shards.

    Raises:
        DataError: the package ``datasets`` is not installed.
    """
    schema = features(widths).arrow_schema
    (folder / FOLDER).mkdir()
    written = {
        split: _write_split(folder / FOLDER, split, store, schema, shard)
        for split, store in stores.items()
    }
    text = card(corpus, {_NAMES[split]: store.manifest for split, store in stores.items()})
    (folder / CARD).write_text(text, encoding="utf-8")
    return written


def _write_split(
    folder: Path, split: str, store: StoredSegments, schema: pa.Schema, shard: int
) -> list[Path]:
    paths: list[Path] = []
    writer, size = None, 0
    for rows in _rows(store):
        if writer is None or size >= shard:
            if writer is not None:
                writer.close()
            paths.append(folder / f"{split}.{len(paths)}")
            writer, size = pq.ParquetWriter(paths[-1], schema), 0
        batch = record_batch(rows, schema)
        writer.write_batch(batch)
        size += batch.nbytes
    if writer is not None:
        writer.close()
    count = len(paths)
    final = [folder / f"{_NAMES[split]}-{n:05}-of-{count:05}.parquet" for n in range(count)]
    for path, name in zip(paths, final, strict=True):
        path.rename(name)
    return final


def _rows(store: StoredSegments) -> Iterator[list[Segment]]:
    for start in range(0, len(store), _ROWS):
        yield [store[index] for index in range(start, min(start + _ROWS, len(store)))]


def record_batch(segments: Sequence[Segment], schema: pa.Schema) -> pa.RecordBatch:
    """Put segments into the columns of :func:`features`.

    Args:
        segments: some segments.
        schema: the Arrow schema of the features.
    """
    columns = []
    for name, kind in zip(schema.names, schema.types, strict=True):
        if name in MODALITIES:
            columns.append(_frames([getattr(each, name) for each in segments], kind))
        elif name == "metadata":
            texts = [json.dumps(dict(s.metadata)) if s.metadata else None for s in segments]
            columns.append(pa.array(texts, kind))
        else:
            columns.append(pa.array([getattr(each, name) for each in segments], kind))
    return pa.record_batch(columns, schema=schema)


def _frames(frames: Sequence[np.ndarray | None], kind: pa.DataType) -> pa.Array:
    """A column of lists of frames; null for a missing modality."""
    offsets = np.cumsum([0, *(0 if each is None else len(each) for each in frames)])
    there = [each.reshape(-1) for each in frames if each is not None]
    values = pa.array(np.concatenate(there) if there else np.empty(0, np.float32), pa.float32())
    width = kind.value_type.list_size
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()),
        pa.FixedSizeListArray.from_arrays(values, width),
        type=kind,
        mask=pa.array([each is None for each in frames], pa.bool_()),
    )
