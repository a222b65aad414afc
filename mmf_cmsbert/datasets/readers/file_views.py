"""Bytes and arrays that stay in their file until they are used.

They are read by position: where a file is mapped into memory and cut short by another process,
the next access ends the process (SIGBUS); here it raises an error.
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

# Bytes that are read at once of an array whose elements lie scattered over it, and how many such
# windows a file keeps: one for each of the arrays that are read side by side.
_WINDOW, _WINDOWS = 1 << 22, 8


class ViewedFile:
    """A file that views read from. It is closed when the last of them is gone.

    Args:
        path: for messages.
        file: the open file.

    Attributes:
        size: its bytes when it was opened.
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
        """Check that the file is as it was when it was opened, by its size and time of change.

        Raises:
            DataError: it has changed.
        """
        state = self._state()
        if state != (self.size, self._changed):
            raise DataError(
                f"{self._path}: changed while it was read ({self.size:,} bytes at first, "
                f"{state[0]:,} now); start again when it is complete"
            )

    def window(self, key: Any, read: Callable[[], np.ndarray]) -> np.ndarray:
        """``read()``, which is kept under ``key`` until some others have been read."""
        if key not in self._windows:
            self._windows[key] = read()
            if len(self._windows) > _WINDOWS:
                self._windows.popitem(last=False)
        self._windows.move_to_end(key)
        return self._windows[key]

    def refusal(self, why: str) -> DataError:
        """The error for content that cannot be used."""
        return DataError(f"{self._path}: {why}")

    def _state(self) -> tuple[int, int]:
        status = os.fstat(self._descriptor)
        return status.st_size, status.st_mtime_ns


class FileBytes:
    """Bytes in a file; ``bytes(...)`` and slices of it read them.

    Attributes:
        file: the file.
        start: the position of the first.
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
    """A read-only array in a file, for reading it element by element along its first axis.

    An element, or a slice of elements, is an array in memory; NumPy's functions, operators and
    whatever else is asked of it read the whole of it.

    Args:
        content: its bytes, as many as it needs.
        dtype: of plain values.
        stored: its shape in the file, row by row.
        axes: the order of these axes in the array.

    Attributes:
        dtype: of its values.
        shape: after the axes are put in order.
        ndim: how many axes it has; at least one.
    """

    def __init__(
        self, content: FileBytes, dtype: np.dtype, stored: tuple[int, ...], axes: tuple[int, ...]
    ):
        self._content, self._stored, self._axes = content, stored, axes
        self.dtype, self.ndim = dtype, len(stored)
        self.shape = tuple(stored[axis] for axis in axes)
        first = axes[0]
        # An element is this many runs of bytes, of this length.
        self._runs = math.prod(stored[:first])
        self._run = math.prod(stored[first + 1 :]) * dtype.itemsize
        self._in_window = max(1, _WINDOW // (self._runs * self._run))

    # So that isinstance says it is an array, as for other proxies (those of wrapt and of
    # unittest.mock): readers, and layouts of other packages, ask.
    @property  # type: ignore[misc]  # read-only, unlike an object's own
    def __class__(self) -> type:
        return np.ndarray

    @property
    def size(self) -> int:
        """The number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of all values."""
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
        if name.startswith("__"):  # by which NumPy asks for memory that it could use
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
        """The elements ``start`` to ``end``, in memory."""
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
        buffer.flags.writeable = False  # a window serves several readers
        shape = (*self._stored[:first], end - start, *self._stored[first + 1 :])
        return np.ndarray(shape, self.dtype, buffer).transpose(self._axes)


def has_impossible_characters(content: Any, dtype: np.dtype) -> bool:
    """Whether numbers in NumPy's text are no characters; Python relies on it that they are."""
    if dtype.kind != "U" or not len(content):
        return False
    points = np.frombuffer(content, np.dtype(np.uint32).newbyteorder(dtype.byteorder))
    return bool(points.max() > sys.maxunicode)
