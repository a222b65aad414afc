"""The record type that all layouts are read into."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy import ascontiguousarray, ndarray

MODALITIES = ("visual", "acoustic")
SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False, slots=True)
class Segment:
    """One utterance of a video: words, visual and acoustic frames, and its sentiment.

    Attributes:
        id: unique in its corpus.
        video: the video that it is cut from.
        words: the spoken words in order.
        visual: float32 ``(frames, width)``, or None if the modality is missing.
        acoustic: float32 ``(frames, width)``, or None if the modality is missing.
        label: sentiment in [-3, 3], or None if unknown.
        start: seconds into the video, or None.
        end: seconds into the video, or None.
        metadata: other fields of the corpus, not used in training.
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
    """Return the CRC-32 of everything in a segment."""
    text: tuple[Any, ...] = (segment.id, segment.video, segment.words, segment.label)
    text += (segment.start, segment.end)
    if segment.metadata:  # without metadata the checksum equals that of format 1
        text += (sorted(segment.metadata.items()),)
    found = zlib.crc32(repr(text).encode())
    for frames in (segment.visual, segment.acoustic):
        if frames is not None:
            found = zlib.crc32(ascontiguousarray(frames).data, found)
    return found


def unaligned(segment: Segment, modalities: Iterable[str] = MODALITIES) -> str | None:
    """Return a message if a modality does not have one frame per word, else None."""
    for modality in modalities:
        frames = getattr(segment, modality)
        if frames is not None and len(frames) != len(segment.words):
            return (
                f"segment {segment.id} has {len(segment.words)} words but {len(frames)} "
                f"{modality} frames"
            )
    return None
