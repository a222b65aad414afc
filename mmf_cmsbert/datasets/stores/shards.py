"""The files of a store: one, or the shards of a store of shards, read as one."""

from bisect import bisect_right
from collections import OrderedDict
from itertools import accumulate
from pathlib import Path

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.stores.manifest import SHARDED, Manifest, read_manifest
from mmf_cmsbert.datasets.stores.record_batches import BatchCache, RecordBatches

NAME = "segments.arrow"
# Formats up to this one state the types and widths of columns in the manifest alone.
LAST_UNTYPED = 2
# Shards whose files are open. A process may open some 1,000 files.
_MOST_OPEN = 256


class Shard:
    """The segments of one file.

    Args:
        folder: the folder with the file.
        found: its manifest.
        cache: keeps the batches.

    Attributes:
        size: bytes of the file.
        length: number of segments.

    Raises:
        DAMAGE: the file is damaged or missing.
    """

    def __init__(self, folder: Path, found: Manifest, cache: BatchCache):
        batches = found.batches if found.format > LAST_UNTYPED else None
        self._batches = RecordBatches(folder / NAME, found.widths, batches, found.targets, cache)
        self.size = self._batches.size
        self._starts = [0, *accumulate(self._batches.counts)]
        self.length = self._starts[-1]

    def segment(self, index: int) -> tuple[Segment, int]:
        """Return a segment, and the checksum that was stored with it.

        Raises:
            DAMAGE: the file is damaged.
        """
        number = bisect_right(self._starts, index) - 1
        return self._batches.segment(number, index - self._starts[number])

    def close(self) -> None:
        """Close the file."""
        self._batches.close()


class Shards:
    """The segments of a store of shards, with the interface of :class:`Shard`.

    Shards are opened when they are used, and those that were used last stay open.

    Args:
        folder: the store.
        found: its manifest.

    Raises:
        OSError: a shard is missing.
    """

    def __init__(self, folder: Path, found: Manifest):
        self._folder, self._shards = folder, found.shards
        self.size = sum((folder / name / NAME).stat().st_size for name, _, _ in found.shards)
        self._starts = [0, *accumulate(count for _, count, _ in found.shards)]
        self.length = self._starts[-1]
        self._cache = BatchCache()
        self._open: OrderedDict[int, Shard] = OrderedDict()

    def segment(self, index: int) -> tuple[Segment, int]:
        """Return a segment, and the checksum that was stored with it.

        Raises:
            DataError: the shard's manifest is damaged.
            DAMAGE: the shard is damaged, or another one than when the store was written.
        """
        number = bisect_right(self._starts, index) - 1
        if number not in self._open:
            self._open[number] = self._opened(number)
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(number)
        return self._open[number].segment(index - self._starts[number])

    def _opened(self, number: int) -> Shard:
        name, count, content = self._shards[number]
        found = read_manifest(self._folder / name)
        if (found.content, found.segments) != (content, count) or found.format == SHARDED:
            raise ValueError(f"the shard {name} has been replaced")
        shard = Shard(self._folder / name, found, self._cache)
        if (shard.size, shard.length) != (found.size, count):
            raise ValueError(f"the shard {name} has {shard.length} of {count} segments")
        return shard
