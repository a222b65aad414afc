"""Read segment ids, and the video that a segment is cut from."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers.canonical import CORPORA, canonical_videos
from mmf_cmsbert.datasets.readers.text import (
    BYTES,
    LONGEST_ID,
    decoded,
    describe,
    has_text,
    not_too_long,
    writable,
)
from mmf_cmsbert.datasets.segment import SPLITS
from mmf_cmsbert.errors import SegmentError

_NUMBER_AT_END = re.compile(r"(.+)_\d+(?:\.\d+)?")
_YOUTUBE = re.compile(r"[A-Za-z0-9_-]{11}")
# Lower-case words of eleven letters, such as recording_a, are unlikely to be YouTube ids.
_PLAIN_NAME = re.compile(r"[a-z]+([_-][a-z]+)*")
_NUMBERED = re.compile(r"\d{5,}")  # videos of CMU-MOSEI that are not from YouTube


@dataclass(frozen=True)
class Identity:
    """The properties that an id gives for its segment.

    Attributes:
        id: unique in its corpus.
        video: the video that it is cut from.
        start: seconds into the video, or None.
        end: seconds into the video, or None.
    """

    id: str
    video: str
    start: float | None = None
    end: float | None = None


def identity(value: Any, where: str) -> Identity:
    """Read an id from a file's value: text, bytes, a whole number, or a row of these.

    A row of two is a video and its clip. A row of three is a video with start and end in seconds,
    as in MulT's files; if these are not seconds, they are only parts of the id.

    Raises:
        SegmentError: the value is none of these.
    """
    if isinstance(value, np.ndarray):
        value = value.reshape(-1).tolist() if value.ndim and value.size > 1 else _only(value)
    if not isinstance(value, (list, tuple)):
        if isinstance(value, (float, np.floating)):
            raise _no_id(value, where)
        name = _text(value, where)
        return Identity(name, video_of(name))
    if len(value) not in (1, 2, 3):
        raise _no_id(value, where)
    parts = [_text(part, where) for part in value]
    if len(parts) == 1:
        return Identity(parts[0], video_of(parts[0]))
    if len(parts) == 2:
        return Identity("$_$".join(parts), parts[0])
    start, end = map(_seconds, parts[1:])
    timed = start is not None and end is not None and 0 <= start < end
    return Identity("_".join(parts), parts[0], *((start, end) if timed else ()))


def video_of(segment_id: str) -> str:
    """Return the video that a segment is cut from, by its id.

    Known forms are ``VIDEO[index]`` and ``VIDEO$_$clip`` for any video, and ``VIDEO_clip`` if
    ``VIDEO`` is a video of CMU-MOSI or CMU-MOSEI or has the form of their ids (11 characters as on
    YouTube, or at least 5 digits). Any other id counts as a separate video, because ``clip_0`` and
    ``clip_1`` need not belong to one video.
    """
    if match := re.fullmatch(r"(.+)\[\d+\]", segment_id):
        return match[1]
    if "$_$" in segment_id:
        return segment_id.rsplit("$_$", 1)[0]
    # YouTube's ids may themselves end in an underscore and digits.
    if segment_id in _canonical() or len(segment_id) == 11:
        return segment_id
    name = segment_id
    for _ in range(2):  # a clip, or a start and an end
        if not (match := _NUMBER_AT_END.fullmatch(name)):
            break
        name = match[1]
        if _is_video(name):
            return name
    return segment_id


def _is_video(name: str) -> bool:
    if name in _canonical() or _NUMBERED.fullmatch(name):
        return True
    return bool(_YOUTUBE.fullmatch(name)) and not _PLAIN_NAME.fullmatch(name)


@cache
def _canonical() -> frozenset[str]:
    return frozenset(v for corpus in CORPORA for s in SPLITS for v in canonical_videos(corpus, s))


def _only(value: np.ndarray) -> Any:
    return value.reshape(-1)[0] if value.size == 1 else value


def _text(value: Any, where: str) -> str:
    if isinstance(value, np.ndarray):
        value = _only(value)
    if isinstance(value, BYTES):
        value = decoded(value, f"{where}: the segment id")
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        value = str(value) if abs(value) < 2**63 else value
    if not isinstance(value, str) or not has_text(value):
        raise _no_id(value, where)
    not_too_long(value, LONGEST_ID, f"{where}: the segment id")
    writable(value, f"{where}: the segment id")
    return str(value).strip()


def _no_id(value: Any, where: str) -> SegmentError:
    return SegmentError(
        f"{where}: expected a segment id such as 'VIDEO[0]', or a row of a video with its clip or "
        f"with its start and end, found {describe(value)}"
    )


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
