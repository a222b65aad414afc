"""The identity of a shard's input: a hash of its content, taken again only if it was touched."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mmf_cmsbert.datasets.readers.feature_folders import feature_folders
from mmf_cmsbert.datasets.readers.tables import SUFFIXES
from mmf_cmsbert.datasets.stores.manifest import NAME as MANIFEST
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import sha256_of


@dataclass(frozen=True)
class Identity:
    """The content of an input.

    Attributes:
        content: the SHA-256 of the file, or of the names, sizes and times of a folder's files; for
            a list with feature files beside it, of both.
        size: bytes of the file; 0 for a folder.
        mtime_ns: its time; 0 for a folder.
    """

    content: str
    size: int
    mtime_ns: int


def identify(path: Path, known: Identity | None = None) -> Identity:
    """Return the identity of a file or folder.

    Args:
        path: the input.
        known: an earlier identity, whose hash is used if size and time of the file are the same.

    Raises:
        DataError: it cannot be read.
    """
    try:
        if path.is_dir():
            return Identity(_of_folder(path), 0, 0)
        status = path.stat()
        size, mtime = status.st_size, status.st_mtime_ns
        if known is not None and (known.size, known.mtime_ns) == (size, mtime):
            own = known.content.partition("+")[0]
        else:
            own = sha256_of(path)
        beside = _of_features(path.parent) if path.suffix.lower() in SUFFIXES else ""
        return Identity(own + beside, size, mtime)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _of_folder(folder: Path) -> str:
    if (folder / MANIFEST).is_file():  # a store, whose manifest has a hash of the segments
        return sha256_of(folder / MANIFEST)
    return listing(folder, folder.rglob("*"))


@cache
def _of_features(folder: Path) -> str:
    """Return a hash of the feature files beside lists in a folder; empty if there are none."""
    folders = feature_folders(folder)
    files = (file for each in folders.values() for place in each for file in place.iterdir())
    return f"+{listing(folder, files)[:16]}" if folders else ""


def listing(folder: Path, files: Iterable[Path]) -> str:
    """Return a hash of the names, sizes and times of files."""
    digest = hashlib.sha256()
    for file in sorted(files):
        if file.is_file():
            status = file.stat()
            name = file.relative_to(folder).as_posix()
            digest.update(f"{name}\0{status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
