"""An entry of MISA's and MAG's pickles: a segment's words with their frames, its label, its id."""

from collections.abc import Iterator
from typing import Any

from mmf_cmsbert.datasets.readers.fields import read_each, segment_of
from mmf_cmsbert.datasets.readers.text import describe
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import SegmentError

MISA = "((word ids, visual, acoustic, words), label, segment id)"
MAG = "((words, visual, acoustic), label, segment id)"


def is_entry(entry: Any) -> bool:
    """Return whether ``entry`` has the form of either layout."""
    return (
        isinstance(entry, (tuple, list))
        and len(entry) == 3
        and isinstance(entry[0], (tuple, list))
        and len(entry[0]) in (3, 4)
    )


def read_entries(
    entries: list[Any] | tuple[Any, ...], form: str, where: str
) -> Iterator[Segment | SegmentError]:
    """Yield the segments in order, and an error object for each invalid entry.

    Args:
        entries: the entries of a split.
        form: the form of an entry in this layout, for messages.
        where: the split's location, for messages.
    """
    places = ((entry, form, f"{where} {i}") for i, entry in enumerate(entries))
    yield from read_each(_segment, places)


def _segment(entry: Any, form: str, where: str) -> Segment:
    if not is_entry(entry):
        raise SegmentError(f"{where}: expected {form}, found {describe(entry)}")
    parts, label, name = entry
    # MISA's word ids are not used: the files have no vocabulary for them.
    words, visual, acoustic = parts if len(parts) == 3 else (parts[3], parts[1], parts[2])
    return segment_of(name, words, label, where, visual=visual, acoustic=acoustic)
