"""Segments out of the fields that a layout holds for them."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from mmf_cmsbert.datasets.readers.array_file import LARGEST
from mmf_cmsbert.datasets.readers.segment_ids import identity
from mmf_cmsbert.datasets.readers.text import describe, spoken, word_list
from mmf_cmsbert.datasets.segment import MODALITIES, Segment
from mmf_cmsbert.errors import SegmentError

_NUMBERS = (int, float, np.integer, np.floating)
# How often the frames of a list may repeat, beyond a few.
_MOST_REPEATED, _SMALL = 16, 1 << 20
Read = TypeVar("Read")


def read_each(
    read: Callable[..., Read], entries: Iterable[tuple[Any, ...]]
) -> Iterator[Read | SegmentError]:
    """``read(*entry)`` of each entry; where that raises a SegmentError, the error itself."""
    for entry in entries:
        found: Read | SegmentError
        try:
            found = read(*entry)
        except SegmentError as error:
            found = error
        yield found


def segment_of(
    name: Any, words: Any, visual: Any, acoustic: Any, label: Any, where: str
) -> Segment:
    """A segment of what a pickle holds for its id, words, frames and label.

    Raises:
        SegmentError: a field that is not what it should be; the message opens with ``where``.
    """
    known = identity(name, where)
    where = f"{where} ({known.id})"
    segment = Segment(
        id=known.id,
        video=known.video,
        words=tuple(word_list(words, where)),
        visual=frame_array(visual, "visual", where),
        acoustic=frame_array(acoustic, "acoustic", where),
        label=sentiment(label, where),
        start=known.start,
        end=known.end,
    )
    return without_blank_words(segment, where)


def without_blank_words(segment: Segment, where: str) -> Segment:
    """The segment without its blank words (see :func:`~.text.has_text`), in every layout alike.

    Where a modality has one frame a word, the frames of blank words go with them, so that the
    others stay aligned. Frames at another rate stay as they are.

    Raises:
        SegmentError: it has no other words.
    """
    kept = spoken(segment.words, where)
    if len(kept) == len(segment.words):
        return segment
    frames = {modality: getattr(segment, modality) for modality in MODALITIES}
    aligned = {
        modality: each[kept]
        for modality, each in frames.items()
        if each is not None and len(each) == len(segment.words)
    }
    return replace(segment, words=tuple(segment.words[i] for i in kept), **aligned)


def frame_array(value: Any, modality: str, where: str) -> np.ndarray | None:
    """Frames as float32 ``(frames, width)``; None, a missing modality, where there are none.

    Args:
        value: an array of numbers ``(frames, width)``, or a list or an array of frames, each
            numbers.
        modality: for messages.
        where: the segment's place, for messages.
    """
    if value is None:
        return None
    frames = value if _is_numbers(value) else _stacked(value)
    if frames is None or (frames.ndim != 2 and frames.size):
        raise SegmentError(
            f"{where}: expected the {modality} frames as an array of numbers (frames, width), "
            f"found {describe(value)}; a list of frames, all of one width, is read too"
        )
    if not frames.size:
        return None
    if frames.nbytes > LARGEST:
        raise SegmentError(
            f"{where}: {frames.nbytes:,} bytes of {modality} frames; expected at most {LARGEST:,} "
            "of a segment. Cut the segment, or pool its frames"
        )
    with np.errstate(over="ignore"):  # values beyond float32 become inf, reported later
        return np.require(frames, np.float32, "A")


def _is_numbers(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "biuf"


def _stacked(value: Any) -> np.ndarray | None:
    """A list of frames, or an array of objects, as one array; None where it is none of these."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind != "O" or value.ndim not in (1, 2):
            return None
        value = value.tolist() if value.ndim == 1 else list(value)
    if not isinstance(value, (list, tuple)):
        return None
    if not value:
        return np.empty((0, 0))
    rows = {id(row): row for row in value}
    width = np.size(value[0]) if isinstance(value[0], np.ndarray) else len(_sized(value[0]))
    # A list can name one long row many times, and so would grow far beyond its file.
    if len(value) * width > _MOST_REPEATED * len(rows) * width + _SMALL:
        return None
    frames: dict[int, np.ndarray] = {}
    for number, row in rows.items():
        frame = _row(row, width)
        if frame is None:
            return None
        frames[number] = frame
    return np.stack([frames[id(row)] for row in value])


def _row(row: Any, width: int) -> np.ndarray | None:
    """A frame ``(width,)`` of an array or a list of numbers, else None."""
    if not _is_numbers(row):
        items = row.tolist() if isinstance(row, np.ndarray) and row.ndim == 1 else row
        if not isinstance(items, (list, tuple)) or not all(isinstance(i, _NUMBERS) for i in items):
            return None
        try:
            row = np.array(items, np.float64)
        except OverflowError:
            return None
    return row if row.shape == (width,) else None


def _sized(value: Any) -> list[Any] | tuple[Any, ...]:
    return value if isinstance(value, (list, tuple)) else ()


def sentiment(value: Any, where: str) -> float | None:
    """Sentiment from a number or a label vector, where it comes first; None where it is unknown.

    CMU-MOSEI's label vectors hold sentiment and then six emotions.
    """
    found = describe(value)
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)
    for _ in range(2):  # (1,), (7,) or (1, 7)
        if isinstance(value, (list, tuple, np.ndarray)) and len(value) in (1, 7):
            value = value[0]
    if value is None:
        return None
    try:
        label = float(value) if isinstance(value, _NUMBERS) else None
    except OverflowError:
        label = None
    if label is None:
        raise SegmentError(
            f"{where}: expected a label of one number (CMU-MOSI) or seven (CMU-MOSEI), "
            f"found {found}"
        )
    return None if math.isnan(label) else label
