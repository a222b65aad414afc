"""Segments in an Arrow file that is read segment by segment, not loaded.

A store is a folder with ``segments.arrow``, an Arrow stream of record batches, which the library
``datasets`` opens too, and ``manifest.json``. Opening it reads little, and all processes of a
machine share the system's cache of it. It is written completely or not at all. A store of shards
has, instead of the file, a folder ``shards`` of stores.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets.segment import Segment, checksum
from mmf_cmsbert.datasets.stores.batch_writer import BatchWriter
from mmf_cmsbert.datasets.stores.manifest import NAME as MANIFEST
from mmf_cmsbert.datasets.stores.manifest import SHARDED, Manifest, read_manifest
from mmf_cmsbert.datasets.stores.record_batches import DAMAGE, LARGEST_READ, BatchCache
from mmf_cmsbert.datasets.stores.shards import LAST_UNTYPED, NAME, Shard, Shards
from mmf_cmsbert.datasets.stores.summary import StoreSummary
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import write_error
from mmf_cmsbert.utils import unfinished

# The unit of reading: small enough to read quickly, large enough to keep their number low.
_BATCH_SEGMENTS, _BATCH_BYTES = 64, 1 << 23
# So that no batch exceeds the largest read.
_LARGEST_SEGMENT = LARGEST_READ // 2


class StoredSegments(Sequence[Segment]):
    """The segments of a store, each read and checked on access.

    Attributes:
        folder: the store.
        manifest: its manifest.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.manifest = found = read_manifest(folder)
        try:
            shards = found.format == SHARDED
            self._stored = Shards(folder, found) if shards else Shard(folder, found, BatchCache())
            if self._stored.size != found.size:
                raise ValueError(f"{self._stored.size:,} bytes, {found.size:,} expected")
            if self._stored.length != found.segments:
                raise ValueError(f"{self._stored.length} of {found.segments} segments")
        except DAMAGE as error:
            raise _broken(folder, error) from error

    def to_datasets(self) -> Any:
        """Return the segments as a ``datasets.Dataset`` over the store's file, without a copy.

        The same as ``datasets.Dataset.from_file`` with the path of ``segments.arrow``; shards
        follow each other. Its columns are typed: frames are lists of lists of float32 with the
        width in the type. The files are memory-mapped, so they must not be changed while the
        dataset is in use. Checksums are not compared.

        Raises:
            DataError: the package ``datasets`` is not installed, or the store has an older format.
        """
        if self.manifest.format <= LAST_UNTYPED:
            raise DataError(
                f"{self.folder}: a store of format {self.manifest.format}, which datasets cannot "
                f"open; write a new one: cmsbert data convert {self.folder} --output FOLDER"
            )
        try:
            from datasets import Dataset, concatenate_datasets
        except ImportError as error:
            raise DataError(
                "the package datasets is not installed; type pip install datasets"
            ) from error
        folders = [name for name, _, _ in self.manifest.shards] or ["."]
        files = [str(self.folder / name / NAME) for name in folders]
        return concatenate_datasets([Dataset.from_file(file) for file in files])

    def __reduce__(self) -> tuple[Any, ...]:
        # A spawned process opens the file itself.
        return StoredSegments, (self.folder,)

    def __len__(self) -> int:
        return self._stored.length

    def __getitem__(self, index: int) -> Segment:  # type: ignore[override]  # takes no slice
        return self.checked(index)[0]

    def checked(self, index: int) -> tuple[Segment, int]:
        """Return a segment and its checksum.

        Raises:
            DataError: the store is damaged.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        try:
            segment, written = self._stored.segment(index)
        except DAMAGE as error:
            raise _broken(self.folder, error) from error
        if written != checksum(segment):
            raise _broken(self.folder, f"segment {index}: wrong checksum")
        return segment, written


def _broken(folder: Path, why: Any) -> DataError:
    return DataError(
        f"{folder}: damaged store ({str(why)[:200]}); remove the folder, and convert the corpus "
        "again (a run does so automatically)"
    )


def write_store(folder: Path, segments: Iterable[Segment], **origin: Any) -> None:
    """Write a store into an empty folder, the manifest last.

    Args:
        folder: an existing, empty folder.
        segments: its segments, read one at a time; frames are float32, of one width.
        origin: fields of the :class:`Manifest` that do not follow from the segments: ``sources``,
            ``settings``, and optionally ``synthetic`` and ``skipped``, a list that may grow while
            ``segments`` is read.
    """
    summary = StoreSummary()
    path = folder / NAME
    with BatchWriter(path) as writer:
        for batch in _batches(segments):
            checksums = [checksum(segment) for segment in batch]
            for segment, each in zip(batch, checksums, strict=True):
                summary.add(segment, each)
            writer.write(batch, checksums, summary.widths, summary.targets)
    size, batches = path.stat().st_size, writer.batches
    Manifest(**origin, **summary.found(), size=size, batches=batches).write(folder)


def _batches(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    batch: list[Segment] = []
    size = 0
    for segment in segments:
        batch.append(segment)
        own = sum(each.nbytes for each in segment.frames.values())
        if own > _LARGEST_SEGMENT:
            raise DataError(
                f"segment {segment.id} has {own:,} bytes of frames; expected at most "
                f"{_LARGEST_SEGMENT:,}. Cut the segment, or set max_frames=NUMBER of the dataset "
                "to average its frames"
            )
        size += own
        if len(batch) == _BATCH_SEGMENTS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to write a store into, which replaces ``folder`` at the end.

    If the block raises, ``folder`` is unchanged and the new folder is removed.

    Raises:
        DataError: ``folder`` exists and is not a store, or cannot be written.
    """
    if folder.exists() and not _is_store(folder):
        raise DataError(
            f"{folder} exists and is not a store, so no store is written there. Name another "
            "folder, or move it away"
        )
    new = [parent for parent in folder.parents if not parent.exists()]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.replaced_folder(folder) as replacement:
            yield replacement
    except OSError as error:
        raise write_error(error, folder) or DataError(
            f"{folder}: the store cannot be written ({error.strerror or error})"
        ) from error
    finally:
        for parent in new:
            with suppress(OSError):  # not empty
                parent.rmdir()


def _is_store(folder: Path) -> bool:
    return folder.is_dir() and {each.name for each in folder.iterdir()} <= {
        NAME,
        MANIFEST,
        "old",
        "shards",
    }
