"""The record that every layout is read into."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy import ascontiguousarray, ndarray

MODALITIES = ("visual", "acoustic")
SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False, slots=True)
class Segment:
    """One utterance of a video: what was said, seen and heard, and the sentiment given to it.

    Attributes:
        id: unique in its corpus.
        video: the video that it is cut from.
        words: the spoken words in order.
        visual: float32 ``(frames, width)``, or None where the modality is missing.
        acoustic: float32 ``(frames, width)``, or None where the modality is missing.
        label: sentiment in [-3, 3], or None where it is unknown.
        start: seconds into the video, or None.
        end: seconds into the video, or None.
        metadata: what else a corpus says of it; nothing is trained on this.
    """

    id: str
    video: str
    words: tuple[str, ...]
    visual: ndarray | None
    acoustic: ndarray | None
    label: float | None
    start: float | None = None
    end: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def checksum(segment: Segment) -> int:
    """CRC-32 of everything in a segment."""
    text: tuple = (segment.id, segment.video, segment.words, segment.label)
    text += (segment.start, segment.end)
    if segment.metadata:  # segments without have the checksum that they always had
        text += (sorted(segment.metadata.items()),)
    found = zlib.crc32(repr(text).encode())
    for frames in (segment.visual, segment.acoustic):
        if frames is not None:
            found = zlib.crc32(ascontiguousarray(frames), found)
    return found


def unaligned(segment: Segment, modalities: Iterable[str] = MODALITIES) -> str | None:
    """A message if a modality does not have one frame a word, else None."""
    for modality in modalities:
        frames = getattr(segment, modality)
        if frames is not None and len(frames) != len(segment.words):
            return (
                f"segment {segment.id} has {len(segment.words)} words but {len(frames)} "
                f"{modality} frames"
            )
    return None
