"""Files: opened only if regular, identified by a hash of their content, and replaced atomically."""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from tqdm import tqdm

from mmf_cmsbert.errors import DataError, UserError
from mmf_cmsbert.utils import json_text
from mmf_cmsbert.utils.unfinished import name_for

_BLOCK, _WORTH_A_BAR = 1 << 22, 1 << 28
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
    stat.S_IFDIR: "a folder",
}
_FULL = {
    errno.ENOSPC: "no space is left on the disk; free some, or write to another folder",
    errno.EDQUOT: "the disk quota is used up; free some space, or write to another folder",
    errno.EFBIG: "it would exceed the limit on file sizes; raise it (ulimit -f unlimited)",
    errno.EROFS: "the file system is read-only; write to another folder",
    errno.EIO: "the disk reports an input/output error",
}
# Opening a pipe must not wait for a writer, nor opening a terminal take it over.
_NO_WAITING = os.O_NONBLOCK | os.O_NOCTTY


class NotRegularFile(DataError):
    """A path names a pipe, socket, device or folder where a file is expected."""


class FileTooLarge(DataError):
    """A file is larger than the limit for its kind."""


def check_regular(path: str | os.PathLike[str]) -> None:
    """Check that ``path`` is a regular file, or a link to one, without opening it.

    For libraries that open files by name; prefer :func:`open_regular`, with which the file cannot
    be exchanged between check and opening.

    Raises:
        NotRegularFile: it is a pipe, socket, device or folder.
        OSError: there is no such file, or it cannot be reached.
    """
    _check(path, os.stat(path))


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file, or a link to one, for reading bytes.

    Opening a named pipe would wait forever, and reading a device never ends.

    Raises:
        NotRegularFile: it is a pipe, socket, device or folder.
        OSError: there is no such file, or it cannot be read.
    """
    check_regular(path)  # opening some devices has effects
    return open(path, "rb", opener=_open)


def read_regular(path: str | os.PathLike[str], most: int) -> bytes:
    """Read a regular file of at most ``most`` bytes.

    Raises:
        NotRegularFile: it is a pipe, socket, device or folder.
        FileTooLarge: it is larger.
        OSError: there is no such file, or it cannot be read.
    """
    blocks, left = [], most
    with open_regular(path) as file:
        # In blocks, because a read allocates the requested size.
        while left >= 0 and (block := file.read(min(_BLOCK, left + 1))):
            blocks.append(block)
            left -= len(block)
    if left < 0:
        raise FileTooLarge(f"{path}: larger than {most:,} bytes, the most that is read of it")
    return b"".join(blocks)


def read_json(path: str | os.PathLike[str], most: int) -> Any:
    """Read a JSON file of at most ``most`` bytes.

    Raises:
        NotRegularFile: it is a pipe, socket, device or folder.
        FileTooLarge: it is larger.
        DataError: its objects would take more memory than :func:`.json_text.parse` allows.
        ValueError: it is not JSON, or nested too deeply.
        OSError: there is no such file, or it cannot be read.
    """
    return json_text.parse(read_regular(path, most), os.fspath(path))


def _open(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | _NO_WAITING)
    try:
        _check(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check(path: str | os.PathLike[str], status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no regular file")
        raise NotRegularFile(f"{os.fspath(path)}: expected a file, found {kind}")


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hex, cached while its size and time are unchanged.

    Raises:
        NotRegularFile: it is a pipe, socket, device or folder.
        OSError: the file cannot be read.
    """
    status = path.stat()
    return _sha256(path.absolute(), status.st_size, status.st_mtime_ns)


@cache
def _sha256(path: Path, size: int, _mtime_ns: int) -> str:
    digest = hashlib.sha256()
    # None: on a terminal only.
    quiet = True if size < _WORTH_A_BAR else None
    name = f"hashing {path.name}"
    bar = tqdm(total=size, unit="B", unit_scale=True, desc=name, disable=quiet)
    with open_regular(path) as file, bar:
        while block := file.read(_BLOCK):
            digest.update(block)
            bar.update(len(block))
    return digest.hexdigest()


_CANNOT = "cannot be written: "


class WriteError(UserError, OSError):
    """A file cannot be written; the message names it and the reason.

    Args:
        path: the file.
        error: the system's error.
    """

    def __init__(self, path: str | os.PathLike[str], error: OSError):
        reason = _FULL.get(error.errno or 0, error.strerror or str(error))
        super().__init__(f"{os.fspath(path)} {_CANNOT}{reason}")
        self.errno, self.strerror = error.errno, reason

    def __str__(self) -> str:
        return str(self.args[0])


def is_write_error(message: str) -> bool:
    """Whether a message, from the log or the record of a run, is that of a :class:`WriteError`."""
    return f" {_CANNOT}" in message


def write_error(error: OSError, path: str | os.PathLike[str] | None = None) -> WriteError | None:
    """Convert an error to a :class:`WriteError`; None if it is not about writing.

    Args:
        error: the system's error.
        path: the file being written, if the error does not name it.
    """
    if isinstance(error, WriteError):
        return error
    if error.errno in _FULL:
        return WriteError(path or error.filename or "a file", error)
    return None


@contextmanager
def system_errors() -> Iterator[None]:
    """Raise the system's error where a library reports it as another error, or only as text.

    Libraries written in Rust (safetensors, tokenizers) add the number of the system's error.

    Raises:
        OSError: instead of such an error.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        if not (found := re.search(r"\(os error (\d+)\)", str(error))):
            raise
        raise OSError(int(found[1]), os.strerror(int(found[1]))) from error


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; the file written there replaces ``path`` at the end.

    If the end is not reached, ``path`` is unchanged and the temporary file is removed.

    Raises:
        WriteError: the disk or a quota is full, a limit is reached, or the folder cannot be
            written to.
    """
    unfinished = name_for(path)
    try:
        yield unfinished
        os.replace(unfinished, path)
    except BaseException as error:
        with suppress(OSError):
            unfinished.unlink()
        if not isinstance(error, OSError) or isinstance(error, UserError):
            raise
        if error.errno in _FULL or error.filename in (str(unfinished), unfinished):
            raise WriteError(path, error) from error
        raise


def replace_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 to ``path``, completely or not at all.

    Raises:
        WriteError: as for :func:`replaced_file`.
    """
    with replaced_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="")


def overwrite_text(path: Path, text: str) -> bool:
    """Overwrite a file with ``text`` without using more disk space.

    Returns:
        Whether that was possible; otherwise the file is unchanged.
    """
    content = text.encode()
    with suppress(OSError), open(path, "r+b") as file:
        if len(content) <= os.fstat(file.fileno()).st_blocks * 512:
            file.write(content)
            file.truncate()
            return True
    return False
