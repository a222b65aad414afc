"""Checks of segments before training or scoring, each with one clear message.

The generators yield an error object for each segment that cannot be used; the caller decides
whether to raise it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from mmf_cmsbert.config.schemas.targets import (
    SENTIMENT,
    MultilabelTarget,
    RegressionTarget,
    Target,
    main,
)
from mmf_cmsbert.datasets.readers.names import FIELD_NAMES
from mmf_cmsbert.datasets.readers.streams import Stream
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import DataError, SegmentError


def usable(
    segments: Stream,
    widths: Mapping[str, int | None] | None,
    where: str,
    key: str,
    labelled: bool,
    non_finite: str = "error",
    targets: Mapping[str, Target] = SENTIMENT,
) -> Iterator[Segment | SegmentError]:
    """Yield the segments in order, with an error object for each one that cannot be used.

    Errors are: a width other than declared, a value that is not finite, a label outside the limits
    or classes of its target, and a missing label of the main target. Modalities that are not
    declared are removed from the segments.

    Args:
        segments: a split, all files together.
        widths: modality -> declared width; 0 or None to leave the modality out. None for all
            modalities, each with the width of the first segment that has it.
        where: the split's files, for messages.
        key: the dataset's configuration section, for messages, e.g. ``dataset_config.mosi``.
        labelled: whether every segment must have a label.
        non_finite: ``error``, or ``zero`` to replace values that are not finite by 0.
        targets: what is predicted, the main target first. Other targets are removed.
    """
    first: dict[str, int] = {}
    # The label of the main target is ``label``, unless it has several labels.
    name, target = main(targets)
    kept_apart = set(targets) - (set() if isinstance(target, MultilabelTarget) else {name})
    for segment in segments:
        if isinstance(segment, Segment):
            try:
                _check_labels(segment, where, labelled, targets)
                frames = {
                    m: each for m, each in segment.frames.items() if widths is None or widths.get(m)
                }
                for modality, each in frames.items():
                    width = None if widths is None else widths[modality]
                    if width is None:
                        _check_same_width(segment.id, modality, each, first, where)
                    else:
                        _check_width(segment.id, modality, each, width, where, key)
                    if non_finite == "zero":
                        frames[modality] = np.nan_to_num(each, posinf=0.0, neginf=0.0)
                    else:
                        _check_finite(segment.id, modality, each, where, key)
                known = {n: each for n, each in segment.targets.items() if n in kept_apart}
                segment = replace(segment, targets=known, frames=frames)
            except SegmentError as error:
                segment = error
        yield segment


def _check_labels(
    segment: Segment, where: str, labelled: bool, targets: Mapping[str, Target]
) -> None:
    first = main(targets)[0]
    for name, target in targets.items():
        values = segment.values_of(name, name == first)
        if values is None or all(map(math.isnan, values)):
            if labelled and name == first:
                raise SegmentError(
                    f"{where}: segment {segment.id} has no label (none or NaN); training and "
                    f"validation need {_expected(name, target)} for every segment, under one of "
                    f"the names {', '.join(dict.fromkeys((*FIELD_NAMES['label'], name)))}"
                )
        elif not _is_valid(values, target):
            what = "label" if name == first else name
            shown = ", ".join(f"{value:g}" for value in values)
            raise SegmentError(
                f"{where}: segment {segment.id} has the {what} {shown}; expected "
                f"{_expected(name, target)}"
            )


def _is_valid(values: Sequence[float], target: Target) -> bool:
    if isinstance(target, MultilabelTarget):
        return len(values) == target.outputs and all(
            value in (0, 1) or math.isnan(value) for value in values
        )
    if len(values) != 1:
        return False
    if isinstance(target, RegressionTarget):
        return math.isnan(values[0]) or target.low <= values[0] <= target.high
    return math.isnan(values[0]) or values[0] in range(target.outputs)


def _expected(name: str, target: Target) -> str:
    if isinstance(target, RegressionTarget):
        return f"{'an' if name[0] in 'aeiou' else 'a'} {name} in [{target.low:g}, {target.high:g}]"
    return target.expected()


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
