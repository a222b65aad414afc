"""Files: opened only if regular, identified by a hash of their content, and replaced atomically."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

from mmf_cmsbert.errors import DataError

_BLOCK, _WORTH_A_BAR = 1 << 22, 1 << 28
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
    stat.S_IFDIR: "a folder",
}
# Opening a pipe must not wait for a writer, nor opening a terminal take it over.
_NO_WAITING = os.O_NONBLOCK | os.O_NOCTTY


class NotRegularFile(DataError):
    """A path names a pipe, socket, device or folder where a file is expected."""


class FileTooLarge(DataError):
    """A file is larger than its kind can sensibly be."""


def check_regular(path: str | os.PathLike) -> None:
    """Check that ``path`` is a regular file, or a link to one, without opening it.

    For libraries that open files by name themselves; :func:`open_regular` leaves no time in which
    the file can be exchanged.

    Raises:
        NotRegularFile: it is a pipe, socket, device or folder.
        OSError: there is no such file, or it cannot be reached.
    """
    _check(path, os.stat(path))


def open_regular(path: str | os.PathLike) -> BinaryIO:
    """Open a regular file, or a link to one, for reading bytes.

    Opening a named pipe would wait for ever, and reading a device never ends.

    Raises:
        NotRegularFile: it is a pipe, socket, device or folder.
        OSError: there is no such file, or it cannot be read.
    """
    check_regular(path)  # opening some devices has effects
    return open(path, "rb", opener=_open)


def read_regular(path: str | os.PathLike, most: int) -> bytes:
    """The content of a regular file of at most ``most`` bytes.

    Raises:
        NotRegularFile: it is a pipe, socket, device or folder.
        FileTooLarge: it is larger.
        OSError: there is no such file, or it cannot be read.
    """
    blocks, left = [], most
    with open_regular(path) as file:
        # By blocks: reading makes room for as much as it is asked for.
        while left >= 0 and (block := file.read(min(_BLOCK, left + 1))):
            blocks.append(block)
            left -= len(block)
    if left < 0:
        raise FileTooLarge(f"{path}: larger than {most:,} bytes, the most that is read of it")
    return b"".join(blocks)


def _open(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | _NO_WAITING)
    try:
        _check(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check(path: str | os.PathLike, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no regular file")
        raise NotRegularFile(f"{os.fspath(path)}: expected a file, found {kind}")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex; it is read once as long as its size and time stay the same.

    Raises:
        NotRegularFile: it is a pipe, socket, device or folder.
        OSError: the file cannot be read.
    """
    status = path.stat()
    return _sha256(path.absolute(), status.st_size, status.st_mtime_ns)


@cache
def _sha256(path: Path, size: int, _mtime_ns: int) -> str:
    digest = hashlib.sha256()
    # None: only where a person watches.
    quiet = True if size < _WORTH_A_BAR else None
    name = f"hashing {path.name}"
    bar = tqdm(total=size, unit="B", unit_scale=True, desc=name, disable=quiet)
    with open_regular(path) as file, bar:
        while block := file.read(_BLOCK):
            digest.update(block)
            bar.update(len(block))
    return digest.hexdigest()


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """A name beside ``path`` to write a file under, which takes the place of ``path`` at the end.

    Where the end is not reached, ``path`` is as it was and the other file is gone.

    Raises:
        OSError: it cannot take that place.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield unfinished
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
