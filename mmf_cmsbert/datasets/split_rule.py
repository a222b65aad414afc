"""Split segments that name no split, at random by their videos or by another property."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from mmf_cmsbert.datasets.readers.streams import Stream
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import SegmentError

_SPACE = 1 << 64


def in_split(
    segments: Stream, split: str, rule: Mapping[str, Any]
) -> Iterator[Segment | SegmentError]:
    """Yield the segments of a split, and errors in the training split only.

    Segments with the same value of ``by`` are in one split. The split depends on the seed and that
    value alone: further data leaves the split of earlier data as it is.

    Args:
        segments: all segments.
        split: ``train``, ``val`` or ``test``.
        rule: ``seed``; ``val`` and ``test``, shares of all values; ``by``: ``video``, ``segment``,
            or the name of a column that is kept as metadata.
    """
    for segment in segments:
        if isinstance(segment, SegmentError):
            if split == "train":
                yield segment
        elif split_of(_value(segment, rule["by"]), rule) == split:
            yield segment


def split_of(value: str, rule: Mapping[str, Any]) -> str:
    """Return the split of the segments with a value of ``by``."""
    digest = hashlib.sha256(f"{rule['seed']} {value}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / _SPACE
    if place < rule["test"]:
        return "test"
    return "val" if place < rule["test"] + rule["val"] else "train"


def _value(segment: Segment, by: str) -> str:
    if by in ("video", "segment"):
        return segment.video if by == "video" else segment.id
    if by not in segment.metadata:
        found = ", ".join(map(str, segment.metadata)) or "no further columns"
        raise SegmentError(
            f"segment {segment.id} has no {by!r}, by which the data is split; expected video, "
            f"segment, or one of its columns: {found}"
        )
    return str(segment.metadata[by])
