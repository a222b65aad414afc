"""Running figures for one split of a corpus."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mmf_cmsbert.config.schemas.targets import SENTIMENT, Target
from mmf_cmsbert.datasets.inspection.frame_statistics import FrameStatistics
from mmf_cmsbert.datasets.inspection.label_figures import LabelFigures
from mmf_cmsbert.datasets.segment import Segment, unaligned
from mmf_cmsbert.errors import DuplicateSegment, SegmentError

# Ids such as clip_0, which may belong to one video or not.
_NUMBERED = re.compile(r"(.*[^0-9])[0-9]+")


class SplitFigures:
    """Figures of segments that are added one by one; frames are not stored.

    Args:
        targets: what is predicted, the main target first.

    Attributes:
        ids: the ids of all segments.
        videos: the videos that they are cut from.
        texts: distinct texts, ignoring case and space -> id of the first segment.
    """

    def __init__(self, targets: Mapping[str, Target] = SENTIMENT) -> None:
        self.ids: set[str] = set()
        self.videos: set[str] = set()
        self.texts: dict[str, str] = {}
        self._unreadable: list[str] = []
        self._duplicates: list[str] = []
        self._labels = {name: LabelFigures(target) for name, target in targets.items()}
        self._unaligned: list[str] = []
        self._lengths: dict[str, Counter[int]] = {"words": Counter()}
        self._longest: dict[str, tuple[int, str]] = {}
        self._present: Counter[str] = Counter()
        self._frames: dict[str, dict[int, FrameStatistics]] = {}
        self._metadata: Counter[str] = Counter()
        self._numbered: dict[str, list[str]] = {}

    def add(self, segment: Segment | SegmentError) -> None:
        """Add a segment, or the error yielded instead of it."""
        if isinstance(segment, SegmentError):
            if isinstance(segment, DuplicateSegment):
                self._duplicates.append(segment.segment_id)
            else:
                self._unreadable.append(str(segment))
            return
        self.ids.add(segment.id)
        self.videos.add(segment.video)
        self.texts.setdefault(" ".join(" ".join(segment.words).casefold().split()), segment.id)
        self._metadata.update(map(str, segment.metadata))
        if segment.video == segment.id and (match := _NUMBERED.fullmatch(segment.id)):
            self._numbered.setdefault(match[1], []).append(segment.id)
        for number, (name, figures) in enumerate(self._labels.items()):
            figures.add(segment.id, segment.values_of(name, number == 0))
        if unaligned(segment):
            self._unaligned.append(segment.id)
        self._add_length("words", segment.id, len(segment.words))
        for modality, frames in segment.frames.items():
            self._present[modality] += 1
            self._add_length(modality, segment.id, len(frames))
            width = frames.shape[1]
            by_width = self._frames.setdefault(modality, {})
            if width not in by_width:
                by_width[width] = FrameStatistics(width)
            by_width[width].add(segment.id, frames)

    def _add_length(self, name: str, segment_id: str, length: int) -> None:
        self._lengths.setdefault(name, Counter())[length] += 1
        self._longest[name] = max(
            (length, segment_id), self._longest.get(name, (-1, "")), key=lambda each: each[0]
        )

    @property
    def modalities(self) -> set[str]:
        """The modalities that at least one segment has."""
        return set(self._frames)

    def found(self, modalities: Sequence[str]) -> dict[str, Any]:
        """Return the figures, as built-in types.

        Args:
            modalities: the modalities of all splits.
        """
        labels, *further = self._labels.values()
        return {
            "segments": len(self.ids),
            "videos": len(self.videos),
            "unreadable_segments": self._unreadable,
            "duplicate_ids": self._duplicates,
            "labels": labels.found(),
            "targets": {
                name: figures.found()
                for name, figures in zip(list(self._labels)[1:], further, strict=True)
            },
            "lengths": {
                name: _summary(self._lengths[name])
                for name in ("words", *modalities)
                if self._lengths.get(name)
            },
            "longest": {
                name: {"segment": segment, "length": length}
                for name, (length, segment) in self._longest.items()
            },
            "unaligned": self._unaligned,
            "metadata": dict(self._metadata),
            "no_video": [i for ids in self._numbered.values() if len(ids) > 1 for i in ids],
            "missing": {m: len(self.ids) - self._present[m] for m in modalities},
            "frames": {
                m: [each.found() for _, each in sorted(self._frames.get(m, {}).items())]
                for m in modalities
            },
        }


def _summary(lengths: Mapping[int, int]) -> dict[str, int]:
    """Return quantiles by nearest rank."""
    return {
        "min": min(lengths),
        "median": _quantile(lengths, 0.5),
        "p95": _quantile(lengths, 0.95),
        "max": max(lengths),
    }


def _quantile(lengths: Mapping[int, int], share: float) -> int:
    wanted, seen = share * sum(lengths.values()), 0
    for length in sorted(lengths):
        seen += lengths[length]
        if seen >= wanted:
            return length
    return max(lengths)
