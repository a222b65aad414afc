"""What a partly fetched file is the beginning of."""

import re
from dataclasses import dataclass
from pathlib import Path

import requests

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import read_json

_LARGEST = 1 << 16


@dataclass
class Origin:
    """What the bytes of a ``.part`` are the beginning of."""

    address: str
    # The file's ETag or time of change: without one, nothing says that a rest belongs to it.
    version: str | None = None
    size: int | None = None


def read_origin(part: Path, address: str) -> Origin:
    """What the note beside ``part`` says, if it is about a file of this address."""
    try:
        origin = Origin(**read_json(note_beside(part), _LARGEST))
    except (DataError, OSError, ValueError, TypeError):
        return Origin(address)
    fits = (
        origin.address == address
        and isinstance(origin.version, (str, type(None)))
        and isinstance(origin.size, (int, type(None)))
    )
    return origin if fits else Origin(address)


def version_of(answer: requests.Response) -> str | None:
    """What ``If-Range`` takes: an ETag that vouches for every byte, or the time of change."""
    tag = answer.headers.get("ETag", "")
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified")


def announced_size(answer: requests.Response) -> int | None:
    """Bytes of the body, None where the server does not say so in a usable way."""
    length = answer.headers.get("Content-Length", "")
    return int(length) if re.fullmatch("[0-9]{1,18}", length) else None


def continues(answer: requests.Response, have: int, origin: Origin) -> bool:
    """Whether a part is the rest of what ``origin`` says, in case the server knows no If-Range."""
    span = answer.headers.get("Content-Range", "")
    return (
        span.startswith(f"bytes {have}-")
        and span.endswith(f"/{origin.size}")
        and version_of(answer) in (origin.version, None)
    )


def length_of(path: Path) -> int:
    """Bytes of a file, 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def note_beside(part: Path) -> Path:
    """The file that says what ``part`` is the beginning of."""
    return part.with_name(part.name + ".json")
