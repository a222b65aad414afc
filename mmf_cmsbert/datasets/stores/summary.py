"""The manifest's summary of the segments, collected while they are written."""

import hashlib
from collections import Counter
from typing import Any

from mmf_cmsbert.datasets.segment import Segment, in_order, unaligned


class StoreSummary:
    """Counts, widths, extremes and a hash of segments that are added one by one.

    Attributes:
        widths: modality -> columns, for the modalities that occurred so far.
        targets: further target -> number of segments that have a known value of it.
    """

    def __init__(self) -> None:
        self._content = hashlib.sha256()
        self._segments = self._labels = 0
        self._label_sum = 0.0
        self.widths: dict[str, int] = {}
        self.targets: dict[str, int] = {}
        self._longest: dict[str, int] = {"words": 0}
        self._present: Counter[str] = Counter()
        self._unaligned: str | None = None

    def add(self, segment: Segment, checksum: int) -> None:
        """Add a segment and its :func:`~mmf_cmsbert.datasets.segment.checksum`."""
        self._content.update(checksum.to_bytes(4, "big"))
        self._segments += 1
        if segment.label is not None:
            self._labels += 1
            self._label_sum += segment.label
        for name, values in segment.targets.items():
            known = any(value == value for value in values)  # not NaN
            self.targets[name] = self.targets.get(name, 0) + known
        self._longest["words"] = max(self._longest["words"], len(segment.words))
        for modality, frames in segment.frames.items():
            self._present[modality] += 1
            self.widths[modality] = frames.shape[1]
            self._longest[modality] = max(self._longest.get(modality, 0), len(frames))
        self._unaligned = self._unaligned or unaligned(segment)

    def found(self) -> dict[str, Any]:
        """Return the fields of the manifest."""
        modalities = in_order(self._present)
        return {
            "content": self._content.hexdigest(),
            "segments": self._segments,
            "labels": self._labels,
            "label_mean": self._label_sum / self._labels if self._labels else None,
            "widths": {m: self.widths[m] for m in modalities},
            "targets": self.targets,
            "longest": {name: self._longest[name] for name in ("words", *modalities)},
            "missing": {m: self._segments - self._present[m] for m in modalities},
            "unaligned": self._unaligned,
        }
