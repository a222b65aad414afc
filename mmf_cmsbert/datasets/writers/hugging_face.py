"""Write stores as a dataset that ``datasets.load_dataset(FOLDER)`` reads without this package.

Parquet shards with typed columns, and a card, ``README.md``, that says what is in them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.stores.columns import record_batch, schema
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
    """
    targets = {name for store in stores.values() for name in store.manifest.targets}
    columns = schema(widths, targets, checksums=False)
    (folder / FOLDER).mkdir()
    written = {
        split: _write_split(folder / FOLDER, split, store, columns, shard)
        for split, store in stores.items()
    }
    text = card(corpus, {_NAMES[split]: store.manifest for split, store in stores.items()})
    (folder / CARD).write_text(text, encoding="utf-8")
    return written


def _write_split(
    folder: Path, split: str, store: StoredSegments, columns: pa.Schema, shard: int
) -> list[Path]:
    paths: list[Path] = []
    writer, size = None, 0
    for rows in _rows(store):
        if writer is None or size >= shard:
            if writer is not None:
                writer.close()
            paths.append(folder / f"{split}.{len(paths)}")
            writer, size = pq.ParquetWriter(paths[-1], columns), 0
        batch = record_batch(rows, columns)
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
