"""Read one computational sequence, a ``.csd`` file of CMU-MultimodalSDK.

It is HDF5 with ``<name>/data/<video>/{features,intervals}`` and ``<name>/metadata``.

HDF5 can contain links, also to other files, and can announce any size. Here links are not followed,
and sizes are checked before memory is allocated.
"""

import math
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np

from mmf_cmsbert.datasets.readers.file_views import ViewedFile
from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.files import open_regular

MAGIC = b"\x89HDF\r\n\x1a\n"
# Deflate compresses by a factor of 1032 at most; an hour of COVAREP has a fifth of the last number.
_MOST_SHRUNK, _SMALL, _LARGEST = 1100, 1 << 20, 1 << 28
_SHUFFLED, _LZF = h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_LZF
_DEFLATED, _SUMMED = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_FLETCHER32


class Sequence:
    """A computational sequence, open for reading.

    Attributes:
        path: the file.
        name: the name of the sequence in the file, such as ``words`` or ``COVAREP``.
        videos: the ids of its videos.
    """

    def __init__(self, file: h5py.File, path: Path, viewed: ViewedFile):
        self.path = path
        self._viewed, self._size = viewed, viewed.size
        names = list(file)
        if len(names) != 1 or not isinstance(names[0], str):
            raise DataError(
                f"{path}: expected one computational sequence, found {len(names)} objects"
            )
        self.name = names[0]
        root = _member(file, self.name, h5py.Group, str(path))
        self._data = _member(root, "data", h5py.Group, f"{path}: {self.name}")
        # h5py returns a name that is not UTF-8 as bytes; no video has such a name.
        self.videos = frozenset(name for name in self._data if isinstance(name, str))

    def read(self, video: str) -> tuple[np.ndarray, np.ndarray]:
        """Read features ``(rows, width)`` and float64 intervals ``(rows, 2)`` in seconds.

        The rows are in the order of the file, which in published files is not always by time.

        Raises:
            SegmentError: an interval is invalid, or their number differs from that of features.
            DataError: an array is missing or is a link, or the file has changed since it was
                opened.
        """
        where = f"{self.path}: video {video}"
        with _damage_reported(self.path):
            group = _member(self._data, video, h5py.Group, where)
            features = _member(group, "features", h5py.Dataset, where)
            intervals = _member(group, "intervals", h5py.Dataset, where)
            _check_array(features, f"{where}, features", self._size)
            _check_array(intervals, f"{where}, intervals", self._size)
        rows = features.shape[0]
        if intervals.dtype.kind not in "iuf" or intervals.shape != (rows, 2):
            raise SegmentError(
                f"{where}: expected an interval (start, end) for each of {rows} features, "
                f"found intervals of shape {intervals.shape} and type {intervals.dtype}"
            )
        with _damage_reported(self.path):
            features, intervals = features[()], intervals.astype(np.float64)[()]
        self._viewed.check_unchanged()  # HDF5 reads zeros beyond the end of a truncated file
        wrong = ~(np.isfinite(intervals).all(1) & (intervals[:, 0] <= intervals[:, 1]))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise SegmentError(
                f"{where}: interval {row} is {intervals[row].tolist()}; expected start and end in "
                "seconds"
            )
        return features, intervals

    def read_in_time(self, video: str) -> tuple[np.ndarray, np.ndarray]:
        """Read like :meth:`read`, sorted by the start of the intervals."""
        features, intervals = self.read(video)
        order = np.argsort(intervals[:, 0], kind="stable")
        return features[order], intervals[order]


@contextmanager
def open_sequence(path: Path) -> Iterator[Sequence]:
    """Open the computational sequence of a file during the block.

    Raises:
        DataError: the file cannot be read, is damaged, or is not a computational sequence.
    """
    with _opened(path) as (file, viewed):
        with _damage_reported(path):
            sequence = Sequence(file, path, viewed)
        yield sequence


@contextmanager
def open_arrays(path: Path) -> Iterator[Mapping[str, np.ndarray]]:
    """Open an HDF5 file of arrays ``(rows, width)`` by name during the block.

    Raises:
        DataError: the file cannot be read or is damaged, or an array is not such an array.
    """
    with _opened(path) as (file, viewed):
        yield _Arrays(file, path, viewed)


class _Arrays(Mapping[str, np.ndarray]):
    def __init__(self, file: h5py.File, path: Path, viewed: ViewedFile):
        self._file, self._path, self._viewed = file, path, viewed

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._file:
            raise KeyError(name)
        where = f"{self._path}: {name}"
        with _damage_reported(self._path):
            dataset = _member(self._file, name, h5py.Dataset, str(self._path))
            _check_array(dataset, where, self._viewed.size)
            array: np.ndarray = dataset[()]
        self._viewed.check_unchanged()
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._file)

    def __len__(self) -> int:
        return len(self._file)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[h5py.File, ViewedFile]]:
    with _damage_reported(path):
        opened = open_regular(path)
    with opened:
        with _damage_reported(path):
            viewed = ViewedFile(path, opened)
            file = h5py.File(_name_of(opened, path), "r")
        with file:
            yield file, viewed


def _name_of(opened: BinaryIO, path: Path) -> Path:
    """Return a path by which HDF5 opens the already open file, even if ``path`` was replaced.

    HDF5 can also read from a file object, but then treats missing bytes at the end as zeros, and
    each read calls Python. On systems without ``/dev/fd`` the path is returned.
    """
    name = Path(f"/dev/fd/{opened.fileno()}")
    return name if name.exists() else path


@contextmanager
def _damage_reported(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not a complete HDF5 file ({type(error).__name__}: {str(error)[:200]}); copy "
            "or download it again"
        ) from error


def _member(group: h5py.Group, name: str, kind: type, where: str) -> h5py.Group | h5py.Dataset:
    link = group.get(name, getlink=True)
    if link is None:
        found = ", ".join(str(key)[:40] for key, _ in zip(group, range(5), strict=False))
        raise DataError(f"{where}: expected {name!r}, found {found or 'nothing'}")
    if not isinstance(link, h5py.HardLink):
        raise DataError(f"{where}: {name!r} is a link, and links are not followed")
    member = group[name]
    if not isinstance(member, kind):
        raise DataError(
            f"{where}: expected {name!r} as a {kind.__name__.lower()}, found a "
            f"{type(member).__name__.lower()}"
        )
    return member


def _check_array(dataset: h5py.Dataset, where: str, file_size: int) -> None:
    if dataset.external or dataset.is_virtual:
        raise DataError(f"{where}: the content is in other files, which are not read")
    dtype, shape = dataset.dtype, dataset.shape
    if h5py.check_string_dtype(dtype) and dtype.kind == "O":
        # Rows can refer to the same text, so that the required memory is not known in advance.
        raise DataError(
            f"{where}: text of variable length is not read; expected text of fixed length, as in "
            "the published files. Write it again, for example with numpy's type 'S32'"
        )
    if dtype.kind not in "biufS" or shape is None or len(shape) != 2:
        raise DataError(
            f"{where}: expected an array (rows, width) of numbers, or of text of fixed length, "
            f"found shape {shape} and type {dtype}"
        )
    size = math.prod(shape) * dtype.itemsize
    chunk = math.prod(dataset.chunks or (0,)) * dtype.itemsize
    # Several chunks can refer to the same bytes of the file.
    stored = min(dataset.id.get_storage_size(), file_size)
    if max(size, chunk) > min(_LARGEST, _MOST_SHRUNK * stored + _SMALL):
        raise DataError(
            f"{where}: {max(size, chunk):,} bytes announced, {stored:,} stored; expected at most "
            f"{_LARGEST:,} for a video, and no more than can be compressed to the stored bytes"
        )
    if dataset.chunks:
        _check_packing(dataset, chunk, where)


def _check_packing(dataset: h5py.Dataset, chunk: int, where: str) -> None:
    """Refuse filters and chunks that require unlimited memory, because HDF5 decompresses fully.

    Args:
        dataset: an array in chunks.
        chunk: the bytes of a decompressed chunk.
        where: the array, for messages.
    """
    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    packing = [each for each in filters if each != _SUMMED]
    if packing not in (
        [],
        [_SHUFFLED],
        [_DEFLATED],
        [_LZF],
        [_SHUFFLED, _DEFLATED],
        [_SHUFFLED, _LZF],
    ):
        raise DataError(
            f"{where}: compressed by HDF5's filters {filters}; expected gzip or lzf. Write it "
            "again, for example with h5py's compression='gzip'"
        )
    if _DEFLATED not in packing:
        return
    large: list[tuple[int, ...]] = []
    dataset.id.chunk_iter(
        lambda each: large.append(each.chunk_offset) if each.size > _SMALL // 8 else None
    )
    for offset in large:
        unpacker = zlib.decompressobj()
        _, packed = dataset.id.read_direct_chunk(offset)
        try:
            length = len(unpacker.decompress(packed, chunk + 1))
        except zlib.error:  # HDF5 reports it, too
            continue
        if length > chunk:
            raise DataError(
                f"{where}: a chunk decompresses to more than its {chunk:,} bytes; refused"
            )
