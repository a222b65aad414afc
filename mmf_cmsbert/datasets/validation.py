"""Checks of segments before training or scoring, each with one clear message.

The generators yield an error object for each segment that cannot be used; the caller decides
whether to raise it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers.names import FIELD_NAMES
from mmf_cmsbert.datasets.readers.streams import Stream
from mmf_cmsbert.datasets.segment import MODALITIES, Segment
from mmf_cmsbert.errors import DataError, SegmentError

LOWEST, HIGHEST = -3.0, 3.0


def usable(
    segments: Stream,
    widths: Mapping[str, int | None] | None,
    where: str,
    key: str,
    labelled: bool,
    non_finite: str = "error",
) -> Iterator[Segment | SegmentError]:
    """Yield the segments in order, with an error object for each one that cannot be used.

    Errors are: a width other than declared, a value that is not finite, a label outside [-3, 3],
    and a missing label. Modalities that are not declared are removed from the segments.

    Args:
        segments: a split, all files together.
        widths: modality -> declared width; 0 or None to leave the modality out. None for all
            modalities, each with the width of the first segment that has it.
        where: the split's files, for messages.
        key: the dataset's configuration section, for messages, e.g. ``dataset_config.mosi``.
        labelled: whether every segment must have a label.
        non_finite: ``error``, or ``zero`` to replace values that are not finite by 0.
    """
    first: dict[str, int] = {}
    for segment in segments:
        if isinstance(segment, Segment):
            try:
                _check_label(segment, where, labelled)
                used = [m for m in MODALITIES if widths is None or widths.get(m)]
                frames = {m: getattr(segment, m) for m in used}
                for modality, each in frames.items():
                    if each is None:
                        continue
                    width = None if widths is None else widths[modality]
                    if width is None:
                        _check_same_width(segment.id, modality, each, first, where)
                    else:
                        _check_width(segment.id, modality, each, width, where, key)
                    if non_finite == "zero":
                        frames[modality] = np.nan_to_num(each, posinf=0.0, neginf=0.0)
                    else:
                        _check_finite(segment.id, modality, each, where, key)
                kept: dict[str, Any] = dict.fromkeys(MODALITIES) | frames
                segment = replace(segment, **kept)
            except SegmentError as error:
                segment = error
        yield segment


def _check_label(segment: Segment, where: str, labelled: bool) -> None:
    label = segment.label
    if label is None:
        if labelled:
            raise SegmentError(
                f"{where}: segment {segment.id} has no label (none or NaN); training and "
                "validation need a sentiment in [-3, 3] for every segment, under one of the names "
                f"{', '.join(FIELD_NAMES['label'])}"
            )
    elif not LOWEST <= label <= HIGHEST:
        raise SegmentError(
            f"{where}: segment {segment.id} has the label {label:g}; expected a sentiment in "
            "[-3, 3]"
        )


def _check_width(
    name: str, modality: str, frames: np.ndarray, width: int, where: str, key: str
) -> None:
    found = frames.shape[1]
    if found != width:
        raise SegmentError(
            f"{where}: segment {name} has {modality} frames {found} wide, but "
            f"{key}.features.{modality} is {width}. If the file is the right one, type "
            f"{key}.features.{modality}={found}"
        )


def _check_same_width(
    name: str, modality: str, frames: np.ndarray, first: dict[str, int], where: str
) -> None:
    width = first.setdefault(modality, frames.shape[1])
    if frames.shape[1] != width:
        raise SegmentError(
            f"{where}: segment {name} has {modality} frames {frames.shape[1]} wide, but those of "
            f"the segments before it are {width}; expected one width"
        )


def _check_finite(name: str, modality: str, frames: np.ndarray, where: str, key: str) -> None:
    finite = np.isfinite(frames)
    if not finite.all():
        frame, column = np.argwhere(~finite)[0]
        raise SegmentError(
            f"{where}: segment {name}, {modality} frame {frame}, column {column} is "
            f"{frames[frame, column]}; expected finite numbers. Correct the file, or type "
            f"{key}.non_finite=zero to read it as 0"
        )


def the_segments(segments: Stream, skipped: list[str] | None = None) -> Iterator[Segment]:
    """Yield the segments; raise the first error, or append all errors to ``skipped``."""
    for segment in segments:
        if isinstance(segment, Segment):
            yield segment
        elif skipped is None:
            raise segment
        else:
            skipped.append(str(segment))


def not_empty(
    segments: Iterable[Segment], where: str, skipped: Sequence[str] | None = None
) -> Iterator[Segment]:
    """Yield the segments; raise a DataError if there is none.

    Args:
        segments: a split.
        where: its files, for the message.
        skipped: messages for skipped segments, complete once ``segments`` has been read.
    """
    empty = True
    for segment in segments:
        empty = False
        yield segment
    if empty and skipped:
        raise DataError(
            f"{where}: none of its {len(skipped)} segments can be used. The first error: "
            f"{skipped[0]}"
        )
    if empty:
        raise DataError(f"{where}: no segments in this split; expected at least one")
