"""What a segment must fulfil before anything is trained on it, each with one clear message.

These are streams: a segment that cannot be used comes out as the error that says why, in its place,
and the one who reads the stream decides whether to raise it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from mmf_cmsbert.datasets.readers.names import FIELD_NAMES
from mmf_cmsbert.datasets.segment import MODALITIES, Segment
from mmf_cmsbert.errors import DataError, DuplicateSegment, SegmentError

LOWEST, HIGHEST = -3.0, 3.0
NON_FINITE = ("error", "zero")
Stream = Iterable[Segment | SegmentError]


def once_each(segments: Stream, where: str) -> Iterator[Segment | SegmentError]:
    """The segments as they come, an error in the place of one whose id came before."""
    seen: set[str] = set()
    for segment in segments:
        if isinstance(segment, Segment):
            if segment.id in seen:
                segment = DuplicateSegment(
                    f"{where}: segment id {segment.id} stands twice in this split; expected each "
                    "once",
                    segment.id,
                )
            else:
                seen.add(segment.id)
        yield segment


def aligned_only(segments: Stream, where: str) -> Iterator[Segment | SegmentError]:
    """The segments as they come, an error in the place of one that has not one frame a word."""
    for segment in segments:
        if isinstance(segment, Segment) and (found := unaligned(segment)):
            segment = SegmentError(
                f"{where}: {found}; this layout is word-aligned, one frame a word. Align the file "
                "again, or leave the segment out"
            )
        yield segment


def unaligned(segment: Segment, modalities: Iterable[str] = MODALITIES) -> str | None:
    """That the segment has not one frame a word, in words, or None where it has."""
    for modality in modalities:
        frames = getattr(segment, modality)
        if frames is not None and len(frames) != len(segment.words):
            return (
                f"segment {segment.id} has {len(segment.words)} words but {len(frames)} "
                f"{modality} frames"
            )
    return None


def usable(
    segments: Stream,
    widths: Mapping[str, int | None] | None,
    where: str,
    key: str,
    labelled: bool,
    non_finite: str = "error",
) -> Iterator[Segment | SegmentError]:
    """The segments as they come, an error in the place of one that cannot be trained on or scored.

    Such is another width than declared, a value that is not finite, a label outside [-3, 3], or a
    missing label. Modalities that are not declared are left out of the segments.

    Args:
        segments: a split, all files together.
        widths: modality -> declared width; 0 or None where the corpus is used without it. None for
            all modalities, each in the width that comes first.
        where: the split's files, for messages.
        key: the dataset's configuration section, for messages, e.g. ``dataset_config.mosi``.
        labelled: whether every segment must have a label.
        non_finite: ``error``, or ``zero`` to put 0 for values that are not finite.
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
                    if widths is None:
                        _check_same_width(segment.id, modality, each, first, where)
                    else:
                        _check_width(segment.id, modality, each, widths[modality], where, key)
                    if non_finite == "zero":
                        frames[modality] = np.nan_to_num(each, posinf=0.0, neginf=0.0)
                    else:
                        _check_finite(segment.id, modality, each, where, key)
                segment = replace(segment, **(dict.fromkeys(MODALITIES) | frames))
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
            f"{frames[frame, column]}; expected finite numbers. Mend the file, or type "
            f"{key}.non_finite=zero to read zeros there"
        )


def the_segments(segments: Stream, skipped: list[str] | None = None) -> Iterator[Segment]:
    """The segments without the errors: the first is raised, or all are noted in ``skipped``."""
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
    """The segments as they come, raising a DataError where there is none.

    Args:
        segments: a split.
        where: its files, for the message.
        skipped: why segments were left out, complete once ``segments`` has been read.
    """
    empty = True
    for segment in segments:
        empty = False
        yield segment
    if empty and skipped:
        raise DataError(
            f"{where}: none of its {len(skipped)} segments can be used, the first because of "
            f"{skipped[0]}"
        )
    if empty:
        raise DataError(f"{where}: no segments in this split; expected at least one")
