"""What a corpus must fulfil before anything is trained on it, each with one clear message."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from mmf_cmsbert.datasets.segment import MODALITIES, Segment
from mmf_cmsbert.errors import DataError

LOWEST, HIGHEST = -3.0, 3.0


def once_each(segments: Iterable[Segment], where: str) -> Iterator[Segment]:
    """The segments as they come, raising at the first whose id came before."""
    seen: set[str] = set()
    for segment in segments:
        if segment.id in seen:
            raise DataError(
                f"{where}: segment id {segment.id} stands twice in this split; expected each once"
            )
        seen.add(segment.id)
        yield segment


def unaligned(
    segments: Iterable[Segment], modalities: Iterable[str] = MODALITIES
) -> str | None:
    """The first segment that has not one frame a word, in words, or None where all have."""
    modalities = tuple(modalities)
    for segment in segments:
        for modality in modalities:
            frames = getattr(segment, modality)
            if frames is not None and len(frames) != len(segment.words):
                return (
                    f"segment {segment.id} has {len(segment.words)} words but {len(frames)} "
                    f"{modality} frames"
                )
    return None


def check_aligned(segments: list[Segment], where: str) -> None:
    """Raise unless each word has one frame of every modality that the segment has."""
    if found := unaligned(segments):
        raise DataError(
            f"{where}: {found}; this layout is word-aligned, one frame a word. Align the file "
            "again, or leave the segment out"
        )


def check_split(
    segments: list[Segment], widths: Mapping[str, int | None], where: str, key: str, labelled: bool
) -> None:
    """Raise unless the segments of a split can be trained on or scored.

    Args:
        segments: the split, all files together.
        widths: modality -> declared width; 0 or None where the corpus is used without it.
        where: the split's files, for messages.
        key: the dataset's configuration section, for messages, e.g. ``dataset_config.mosi``.
        labelled: whether every segment must have a label.

    Raises:
        DataError: an empty split, an id that stands twice, another width than declared, a value
            that is not finite, a label outside [-3, 3], or a missing label.
    """
    if not segments:
        raise DataError(f"{where}: no segments in this split; expected at least one")
    for segment in once_each(segments, where):
        _check_label(segment, where, labelled)
        for modality in MODALITIES:
            frames = getattr(segment, modality)
            if widths.get(modality) and frames is not None:
                _check_width(segment.id, modality, frames, widths[modality], where, key)
                _check_finite(segment.id, modality, frames, where)


def _check_label(segment: Segment, where: str, labelled: bool) -> None:
    label = segment.label
    if label is None:
        if labelled:
            raise DataError(
                f"{where}: segment {segment.id} has no label (none or NaN); training and "
                "validation need a sentiment in [-3, 3] for every segment"
            )
    elif not LOWEST <= label <= HIGHEST:
        raise DataError(
            f"{where}: segment {segment.id} has the label {label:g}; expected a sentiment in "
            "[-3, 3]"
        )


def _check_width(
    name: str, modality: str, frames: np.ndarray, width: int, where: str, key: str
) -> None:
    found = frames.shape[1]
    if found != width:
        raise DataError(
            f"{where}: segment {name} has {modality} frames {found} wide, but "
            f"{key}.features.{modality} is {width}. If the file is the right one, type "
            f"{key}.features.{modality}={found}"
        )


def _check_finite(name: str, modality: str, frames: np.ndarray, where: str) -> None:
    finite = np.isfinite(frames)
    if not finite.all():
        frame, column = np.argwhere(~finite)[0]
        raise DataError(
            f"{where}: segment {name}, {modality} frame {frame}, column {column} is "
            f"{frames[frame, column]}; expected finite numbers. Mend the file, for example with "
            "numpy.nan_to_num"
        )
