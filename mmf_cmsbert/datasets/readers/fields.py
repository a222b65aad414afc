"""Build and check segments from the fields of a layout."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from mmf_cmsbert.datasets.readers.array_file import LARGEST
from mmf_cmsbert.datasets.readers.segment_ids import identity
from mmf_cmsbert.datasets.readers.text import describe, spoken, word_list
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import SegmentError

_NUMBERS = (int, float, np.integer, np.floating)
# In the order of CMU-MOSEI's label vectors, after sentiment.
EMOTIONS = ("happy", "sad", "anger", "surprise", "disgust", "fear")
_LABELS = len(EMOTIONS) + 1
# The largest factor by which repeated frames may enlarge a list, beyond _SMALL numbers.
_MOST_REPEATED, _SMALL = 16, 1 << 20
Read = TypeVar("Read")


def read_each(
    read: Callable[..., Read], entries: Iterable[tuple[Any, ...]]
) -> Iterator[Read | SegmentError]:
    """Yield ``read(*entry)`` for each entry, or the SegmentError that it raises."""
    for entry in entries:
        found: Read | SegmentError
        try:
            found = read(*entry)
        except SegmentError as error:
            found = error
        yield found


def segment_of(name: Any, words: Any, label: Any, where: str, **frames: Any) -> Segment:
    """Make a segment from a file's values for its id, words, label and frames.

    Args:
        name: the id, which also names the video and may have times.
        words: a list of words.
        label: a number, or a label vector of CMU-MOSEI; None or NaN if unknown.
        where: the segment's location, for messages.
        **frames: modality -> ``(frames, width)``; None for a missing modality.

    Raises:
        SegmentError: a field is invalid; the message begins with ``where``.
    """
    known = identity(name, where)
    where = f"{where} ({known.id})"
    segment = Segment(
        id=known.id,
        video=known.video,
        words=tuple(word_list(words, where)),
        frames=frame_arrays(frames, where),
        label=sentiment(label, where),
        start=known.start,
        end=known.end,
        targets=emotions(label),
    )
    return without_blank_words(segment, where)


def without_blank_words(segment: Segment, where: str) -> Segment:
    """Remove the blank words of a segment (see :func:`~.text.has_text`), in every layout.

    If a modality has one frame per word, the frames of blank words are removed too, so that the
    others stay aligned. Other frames are unchanged.

    Raises:
        SegmentError: it has no other words.
    """
    kept = spoken(segment.words, where)
    if len(kept) == len(segment.words):
        return segment
    frames = {
        modality: each[kept] if len(each) == len(segment.words) else each
        for modality, each in segment.frames.items()
    }
    return replace(segment, words=tuple(segment.words[i] for i in kept), frames=frames)


def frame_arrays(values: Mapping[str, Any], where: str) -> dict[str, np.ndarray]:
    """Convert the frames of each modality with :func:`frame_array`, and omit missing ones."""
    found = {modality: frame_array(value, modality, where) for modality, value in values.items()}
    return {modality: frames for modality, frames in found.items() if frames is not None}


def frame_array(value: Any, modality: str, where: str) -> np.ndarray | None:
    """Convert frames to float32 ``(frames, width)``; None (a missing modality) if there are none.

    Args:
        value: an array of numbers ``(frames, width)``, or a list or an array of frames, each a
            list or an array of numbers.
        modality: for messages.
        where: the segment's location, for messages.
    """
    if value is None:
        return None
    frames = value if _is_numbers(value) else _stacked(value)
    if frames is None or (frames.ndim != 2 and frames.size):
        raise SegmentError(
            f"{where}: expected the {modality} frames as an array of numbers (frames, width), "
            f"found {describe(value)}; a list of frames of equal width is accepted too"
        )
    if not frames.size:
        return None
    if frames.nbytes > LARGEST:
        raise SegmentError(
            f"{where}: {frames.nbytes:,} bytes of {modality} frames; expected at most {LARGEST:,} "
            "for a segment. Cut the segment, or average its frames"
        )
    with np.errstate(over="ignore"):  # values beyond float32 become inf, reported later
        return np.require(frames, np.float32, "A")


def _is_numbers(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "biuf"


def _stacked(value: Any) -> np.ndarray | None:
    """Stack a list of frames, or an array of objects, to one array; None for anything else."""
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
    # A list can repeat one long row many times, and so grow far beyond its file.
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
    """Convert an array or a list of numbers to a frame ``(width,)``; None for anything else."""
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
    """Return the sentiment from a number or a label vector; None if unknown.

    CMU-MOSEI's label vectors hold sentiment first, then six emotions.
    """
    found = describe(value)
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)
    for _ in range(2):  # (1,), (7,) or (1, 7)
        if isinstance(value, (list, tuple, np.ndarray)) and len(value) in (1, _LABELS):
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


def emotions(value: Any) -> dict[str, tuple[float, ...]]:
    """Return sentiment and emotions of CMU-MOSEI's label vector as targets; empty without them.

    Each emotion is 1 if its intensity is above 0, as in the published scores, else 0, and NaN if it
    is unknown.
    """
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)
    if isinstance(value, (list, tuple)) and len(value) == 1:  # (1, 7)
        value = value[0]
    if not isinstance(value, (list, tuple, np.ndarray)) or len(value) != _LABELS:
        return {}
    found = [float(each) for each in value if isinstance(each, _NUMBERS)]
    if len(found) != _LABELS:
        return {}
    present = [each if math.isnan(each) else float(each > 0) for each in found[1:]]
    names = ("sentiment", *EMOTIONS)
    return {n: (each,) for n, each in zip(names, (found[0], *present), strict=True)}
