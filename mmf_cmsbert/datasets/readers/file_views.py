"""Bytes and arrays that stay in their file until they are used.

They are read by position instead of mapping the file into memory: if another process truncates a
mapped file, the next access kills this process (SIGBUS). Here it raises an error.
"""

import math
import os
import sys
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from mmf_cmsbert.errors import DataError

# Bytes read at once from an array whose elements are scattered in the file, and the number of such
# windows that are kept, one for each array that is read in parallel.
_WINDOW, _WINDOWS = 1 << 22, 8


class ViewedFile:
    """A file that views read from. It is closed when the last view is deleted.

    Args:
        path: the path, for messages.
        file: the open file.

    Attributes:
        size: size of the file in bytes when it was opened.
    """

    def __init__(self, path: Path, file: BinaryIO):
        self._path, self._descriptor = path, file.fileno()
        self.size, self._changed = self._state()
        self._windows: OrderedDict[Any, np.ndarray] = OrderedDict()
        weakref.finalize(self, file.close)

    def read_into(self, buffer: Any, position: int) -> None:
        """Fill a writable buffer with the bytes from ``position`` on.

        Raises:
            DataError: the file has changed since it was opened, or cannot be read.
        """
        left = memoryview(buffer).cast("B")
        try:
            while left and (read := os.preadv(self._descriptor, [left], position)):
                left, position = left[read:], position + read
        except OSError as error:
            raise DataError(f"{self._path}: cannot be read ({error.strerror or error})") from error
        self.check_unchanged()
        if left:
            raise DataError(f"{self._path}: ends too early; copy or download it again")

    def check_unchanged(self) -> None:
        """Check that the size and modification time have not changed since the file was opened.

        Raises:
            DataError: the file has changed.
        """
        state = self._state()
        if state != (self.size, self._changed):
            raise DataError(
                f"{self._path}: changed while it was read ({self.size:,} bytes before, "
                f"{state[0]:,} now); start again when the file is complete"
            )

    def window(self, key: Any, read: Callable[[], np.ndarray]) -> np.ndarray:
        """Return ``read()``, cached under ``key`` until several other windows have been read."""
        if key not in self._windows:
            self._windows[key] = read()
            if len(self._windows) > _WINDOWS:
                self._windows.popitem(last=False)
        self._windows.move_to_end(key)
        return self._windows[key]

    def refusal(self, why: str) -> DataError:
        """Return the error for content that cannot be used."""
        return DataError(f"{self._path}: {why}")

    def _state(self) -> tuple[int, int]:
        status = os.fstat(self._descriptor)
        return status.st_size, status.st_mtime_ns


class FileBytes:
    """Bytes in a file, which are read by ``bytes(...)`` and by slicing.

    Attributes:
        file: the file.
        start: the position of the first byte.
    """

    __slots__ = ("_size", "file", "start")

    def __init__(self, file: ViewedFile, start: int, size: int):
        self.file, self.start, self._size = file, start, size

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return self[:]

    def __getitem__(self, part: slice) -> bytes:
        start, end, step = part.indices(self._size)
        buffer = bytearray(max(0, end - start))
        self.file.read_into(buffer, self.start + start)
        return bytes(buffer[::step])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (bytes, FileBytes)):
            return NotImplemented
        return self is other or (len(self) == len(other) and bytes(self) == bytes(other))

    __hash__ = None  # type: ignore[assignment]


class FileArray(np.lib.mixins.NDArrayOperatorsMixin):
    """A read-only array in a file, to be read element by element along its first axis.

    An element, or a slice of elements, is returned as an array in memory. All other operations,
    such as NumPy's functions and operators, read the whole array.

    Args:
        content: the bytes of the array.
        dtype: the type of its values, without Python objects.
        stored: the shape in the file, in row-major order.
        axes: the order of these axes in the array.

    Attributes:
        dtype: the type of its values.
        shape: the shape after the axes are reordered.
        ndim: the number of axes, at least one.
    """

    def __init__(
        self, content: FileBytes, dtype: np.dtype, stored: tuple[int, ...], axes: tuple[int, ...]
    ):
        self._content, self._stored, self._axes = content, stored, axes
        self.dtype, self.ndim = dtype, len(stored)
        self.shape = tuple(stored[axis] for axis in axes)
        first = axes[0]
        # An element consists of this number of contiguous runs, each of this number of bytes.
        self._runs = math.prod(stored[:first])
        self._run = math.prod(stored[first + 1 :]) * dtype.itemsize
        self._in_window = max(1, _WINDOW // (self._runs * self._run))

    # For isinstance checks by readers and by layouts of other packages, as in the proxies of wrapt
    # and unittest.mock.
    @property  # type: ignore[misc]  # read-only, unlike an object's own
    def __class__(self) -> type:
        return np.ndarray

    @property
    def size(self) -> int:
        """The number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The number of bytes of all values."""
        return len(self._content)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self), self._in_window):
            yield from self._read(start, min(start + self._in_window, len(self)))

    def __getitem__(self, key: Any) -> Any:
        first, *others = key if isinstance(key, tuple) else (key,)
        if isinstance(first, slice) and first.step in (None, 1):
            start, end, _ = first.indices(len(self))
            rest = (slice(None), *others)
            return self._read(start, max(start, end))[rest]
        if isinstance(first, (int, np.integer)) and not isinstance(first, bool):
            at = int(first) + len(self) * (first < 0)
            if 0 <= at < len(self):
                return self._element(at)[tuple(others)] if others else self._element(at)
        return np.asarray(self)[key]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = self._read(0, len(self))
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __array_ufunc__(self, function: Any, method: str, *inputs: Any, **options: Any) -> Any:
        read = (np.asarray(each) if type(each) is FileArray else each for each in inputs)
        return getattr(function, method)(*read, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # NumPy's interfaces to memory
            raise AttributeError(name)
        return getattr(np.asarray(self), name)

    def __bool__(self) -> bool:
        return bool(np.asarray(self))

    def __contains__(self, value: object) -> bool:
        return value in np.asarray(self)

    def __repr__(self) -> str:
        return f"<array of shape {self.shape} and type {self.dtype} in a file>"

    def _element(self, at: int) -> Any:
        if self._runs == 1:
            return self._read(at, at + 1)[0]
        start = at - at % self._in_window
        end = min(start + self._in_window, len(self))
        key = (self._content.start, self.dtype, self._stored, self._axes, start)
        return self._content.file.window(key, lambda: self._read(start, end))[at - start]

    def _read(self, start: int, end: int) -> np.ndarray:
        """Read the elements from ``start`` to ``end`` (exclusive)."""
        first, file = self._axes[0], self._content.file
        length = (end - start) * self._run
        buffer = np.empty(self._runs * length, np.uint8)
        if length == len(self) * self._run:
            file.read_into(buffer, self._content.start)
        else:
            for number in range(self._runs if length else 0):
                position = (number * len(self) + start) * self._run
                run = buffer[number * length : (number + 1) * length]
                file.read_into(run, self._content.start + position)
        if has_impossible_characters(buffer, self.dtype):
            raise file.refusal("text with characters that do not exist; copy the file again")
        buffer.flags.writeable = False  # a window is shared by several readers
        shape = (*self._stored[:first], end - start, *self._stored[first + 1 :])
        return np.ndarray(shape, self.dtype, buffer).transpose(self._axes)


def has_impossible_characters(content: Any, dtype: np.dtype) -> bool:
    """Return whether NumPy text contains invalid code points, which crash Python."""
    if dtype.kind != "U" or not len(content):
        return False
    points = np.frombuffer(content, np.dtype(np.uint32).newbyteorder(dtype.byteorder))
    return bool(points.max() > sys.maxunicode)
