"""The origin of a partly downloaded file."""

import re
from dataclasses import dataclass
from pathlib import Path

import requests

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import read_json

_LARGEST = 1 << 16


@dataclass
class Origin:
    """The file whose first bytes are in a ``.part`` file.

    Attributes:
        address: its URL.
        version: its ETag or modification time; without one the download cannot be continued.
        size: its size in bytes, if known.
    """

    address: str
    version: str | None = None
    size: int | None = None


def read_origin(part: Path, address: str) -> Origin:
    """Read the origin saved beside ``part``; a new one if it is missing or of another address."""
    try:
        origin = Origin(**read_json(origin_file(part), _LARGEST))
    except (DataError, OSError, ValueError, TypeError):
        return Origin(address)
    fits = (
        origin.address == address
        and isinstance(origin.version, (str, type(None)))
        and isinstance(origin.size, (int, type(None)))
    )
    return origin if fits else Origin(address)


def version_of(answer: requests.Response) -> str | None:
    """Return the value for ``If-Range``: a strong ETag, or the modification time."""
    tag = answer.headers.get("ETag", "")
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified")


def announced_size(answer: requests.Response) -> int | None:
    """Return the size of the body in bytes; None if the server does not announce it."""
    length = answer.headers.get("Content-Length", "")
    return int(length) if re.fullmatch("[0-9]{1,18}", length) else None


def continues(answer: requests.Response, have: int, origin: Origin) -> bool:
    """Return whether a partial answer continues the file, also if the server ignores If-Range."""
    span = answer.headers.get("Content-Range", "")
    return (
        span.startswith(f"bytes {have}-")
        and span.endswith(f"/{origin.size}")
        and version_of(answer) in (origin.version, None)
    )


def length_of(path: Path) -> int:
    """Return the size of a file in bytes, 0 if it does not exist."""
    return path.stat().st_size if path.is_file() else 0


def origin_file(part: Path) -> Path:
    """Return the path of the file with the origin of ``part``."""
    return part.with_name(part.name + ".json")
