"""Files: known by the hash of their content, and written whole or not at all."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from tqdm import tqdm

_BLOCK, _WORTH_A_BAR = 1 << 22, 1 << 28


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex; it is read once as long as its size and time stay the same.

    Raises:
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
    with open(path, "rb") as file, bar:
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
