"""The MISA layout: one pickle a split, a list of
``((word ids, visual, acoustic, words), label, "VIDEO[index]")``, word-aligned."""

from collections.abc import Iterator
from typing import Any

from mmf_cmsbert.datasets.readers.fields import describe, read_each, segment_of
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import DataError, SegmentError

ENTRY = "((word ids, visual, acoustic, words), label, segment id)"


def recognise(content: Any) -> bool:
    """Whether ``content`` is laid out so, by its first entry."""
    return isinstance(content, list) and (not content or _well_formed(content[0]))


def read(content: Any, where: str) -> Iterator[Segment | SegmentError]:
    """The segments of a split, in the file's order, an error in the place of a wrong entry.

    The word ids have no vocabulary: they are ignored.

    Args:
        content: what the pickle holds.
        where: the file, for messages.

    Raises:
        DataError: no list of entries.
    """
    if not isinstance(content, list):
        raise DataError(f"{where}: expected a list of {ENTRY}, found {describe(content)}")
    places = ((entry, f"{where}: entry {i}") for i, entry in enumerate(content))
    yield from read_each(_segment, places)


def _well_formed(entry: Any) -> bool:
    return (
        isinstance(entry, (tuple, list))
        and len(entry) == 3
        and isinstance(entry[0], (tuple, list))
        and len(entry[0]) == 4
    )


def _segment(entry: Any, where: str) -> Segment:
    if not _well_formed(entry):
        raise SegmentError(f"{where}: expected {ENTRY}, found {describe(entry)}")
    (_word_ids, visual, acoustic, words), label, name = entry
    return segment_of(name, words, visual, acoustic, label, where)
