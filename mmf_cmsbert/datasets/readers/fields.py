"""The fields of a segment out of whatever a pickle holds for them."""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import SegmentError

_YOUTUBE_ID_LENGTH = 11
_NUMBERS = (int, float, np.integer, np.floating)
# Long bytes of a pickle stay in its file, as a view.
BYTES = (bytes, memoryview)
Read = TypeVar("Read")


def read_each(read: Callable[..., Read], entries: Iterable[tuple]) -> Iterator[Read | SegmentError]:
    """``read(*entry)`` of each entry, or the SegmentError that it raised, in its place."""
    for entry in entries:
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
    name = text_id(name, where)
    where = f"{where} ({name})"
    return Segment(
        id=name,
        video=video_of(name),
        words=word_list(words, where),
        visual=frame_array(visual, "visual", where),
        acoustic=frame_array(acoustic, "acoustic", where),
        label=sentiment(label, where),
    )


def describe(value: Any) -> str:
    """What ``value`` is, in a few words; cheap whatever it is."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    if isinstance(value, (list, tuple, dict)):
        kinds = sorted({type(item).__name__ for item in islice(value, 8)})
        return f"a {type(value).__name__} of {len(value)} ({', '.join(kinds)})"
    if isinstance(value, (str, bytes)):
        return f"{type(value).__name__} {value[:40]!r}"
    if isinstance(value, int) and abs(value) >= 2**63:
        return "a huge whole number"
    return "None" if value is None else f"{type(value).__name__} {value!r:.40}"


def text_id(value: Any, where: str) -> str:
    """The id of a segment as text; ids are text, bytes or whole numbers in the corpora."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, BYTES):
        value = decoded(value, f"{where}: the segment id")
    if isinstance(value, (str, int, np.integer)) and str(value).strip():
        _check_text(str(value), f"{where}: the segment id")
        return str(value).strip()
    raise SegmentError(
        f"{where}: expected a segment id such as 'VIDEO[0]', found {describe(value)}"
    )


def video_of(segment_id: str) -> str:
    """The video that a segment is cut from, by its id.

    Known styles are ``VIDEO[index]``, ``VIDEO$_$clip`` and ``VIDEO_clip``; any other id is taken
    for a video of its own.
    """
    if match := re.fullmatch(r"(.+)\[\d+\]", segment_id):
        return match[1]
    if "$_$" in segment_id:
        return segment_id.rsplit("$_$", 1)[0]
    # The video ids of YouTube may themselves end in an underscore and digits.
    if len(segment_id) != _YOUTUBE_ID_LENGTH and (match := re.fullmatch(r"(.+)_\d+", segment_id)):
        return match[1]
    return segment_id


def word_list(value: Any, where: str) -> tuple[str, ...]:
    """Words from a list or array of text or bytes."""
    if not isinstance(value, (list, tuple, np.ndarray)) or getattr(value, "ndim", 1) == 0:
        raise SegmentError(f"{where}: expected a list of words, found {describe(value)}")
    words = []
    for word in value:
        if isinstance(word, np.ndarray) and word.size == 1:  # how words leave an HDF5 file
            word = word.reshape(-1)[0]
        if isinstance(word, BYTES):
            word = decoded(word, f"{where}: a word")
        if not isinstance(word, str):
            raise SegmentError(f"{where}: expected words as text, found {describe(word)}")
        _check_text(word, f"{where}: a word")
        words.append(str(word))
    if not words:
        raise SegmentError(f"{where}: the segment has no words")
    return tuple(words)


def frame_array(value: Any, modality: str, where: str) -> np.ndarray | None:
    """Frames as float32 ``(frames, width)``; None, a missing modality, where there are none."""
    if value is None:
        return None
    # Arrays only: lists of the same row over and over would grow far beyond the file.
    numbers = isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
    if not numbers or (value.ndim != 2 and value.size):
        raise SegmentError(
            f"{where}: expected the {modality} frames as an array of numbers (frames, width), "
            f"found {describe(value)}"
        )
    if not value.size:
        return None
    with np.errstate(over="ignore"):  # what float32 cannot hold is inf, and told as such later
        return np.require(value, np.float32, "A")


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


def _check_text(value: str, what: str) -> None:
    """Raise for text that cannot be written: lone surrogates, code points that do not exist."""
    try:
        value.encode("utf-8")
    except (UnicodeEncodeError, SystemError, ValueError) as error:
        raise SegmentError(f"{what} is no text that can be written as UTF-8") from error


def decoded(value: bytes | memoryview, what: str) -> str:
    """UTF-8 text, or a SegmentError that opens with ``what``."""
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise SegmentError(f"{what} is no UTF-8 text: {bytes(value[:40])!r}") from error
