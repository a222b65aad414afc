"""The record type that all layouts are read into."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy import ascontiguousarray, ndarray

# Layouts with two fixed modalities have these; they come first in stores, checksums and models.
FACE_VOICE = ("visual", "acoustic")
SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False, slots=True)
class Segment:
    """One utterance of a video: words, the frames of other modalities, and its sentiment.

    Attributes:
        id: unique in its corpus.
        video: the video that it is cut from.
        words: the spoken words in order.
        frames: modality -> float32 ``(frames, width)``. Missing modalities, and None values, are
            left out.
        label: of the main target, or None if unknown: a number such as the sentiment, or the index
            of a class. None if the main target has several labels, which are in ``targets``.
        start: seconds into the video, or None.
        end: seconds into the video, or None.
        metadata: other fields of the corpus, not used in training.
        targets: further target -> its value: one number, the index of a class, or 0 or 1 for each
            label; NaN if unknown. Targets that are not known of the segment are absent.
    """

    id: str
    video: str
    words: tuple[str, ...]
    frames: Mapping[str, ndarray]
    label: float | None
    start: float | None = None
    end: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    targets: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def values_of(self, name: str, is_main: bool) -> tuple[float, ...] | None:
        """Return the label of a target, None if it is unknown.

        Args:
            name: the target's name.
            is_main: whether it is the main target.
        """
        if is_main and self.label is not None:
            return (self.label,)
        return self.targets.get(name)

    def __post_init__(self) -> None:
        if any(each is None for each in self.frames.values()):
            kept = {name: each for name, each in self.frames.items() if each is not None}
            object.__setattr__(self, "frames", kept)


def in_order(modalities: Iterable[str]) -> list[str]:
    """Return each modality once: visual, acoustic, then the others by name."""
    names = set(modalities)
    return [*(m for m in FACE_VOICE if m in names), *sorted(names.difference(FACE_VOICE))]


def checksum(segment: Segment) -> int:
    """Return the CRC-32 of everything in a segment."""
    text: tuple[Any, ...] = (segment.id, segment.video, segment.words, segment.label)
    text += (segment.start, segment.end)
    if segment.metadata:  # without metadata the checksum equals that of format 1
        text += (sorted(segment.metadata.items()),)
    if segment.targets:  # nor further targets
        text += (sorted((name, *map(float, values)) for name, values in segment.targets.items()),)
    found = zlib.crc32(repr(text).encode())
    for modality in in_order(segment.frames):
        if modality not in FACE_VOICE:  # whose names are not part of the checksum, as in format 1
            found = zlib.crc32(modality.encode(), found)
        found = zlib.crc32(ascontiguousarray(segment.frames[modality]).data, found)
    return found


def unaligned(segment: Segment) -> str | None:
    """Return a message if a modality does not have one frame per word, else None."""
    for modality in in_order(segment.frames):
        frames = segment.frames[modality]
        if len(frames) != len(segment.words):
            return (
                f"segment {segment.id} has {len(segment.words)} words but {len(frames)} "
                f"{modality} frames"
            )
    return None
