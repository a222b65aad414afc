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
    """Whether ``entry`` is shaped as either."""
    return (
        isinstance(entry, (tuple, list))
        and len(entry) == 3
        and isinstance(entry[0], (tuple, list))
        and len(entry[0]) in (3, 4)
    )


def read_entries(
    entries: list[Any] | tuple[Any, ...], form: str, where: str
) -> Iterator[Segment | SegmentError]:
    """Their segments in order; for a wrong entry the error that says why.

    Args:
        entries: of a split.
        form: how an entry of this layout looks, for messages.
        where: the split's place, for messages.
    """
    places = ((entry, form, f"{where} {i}") for i, entry in enumerate(entries))
    yield from read_each(_segment, places)


def _segment(entry: Any, form: str, where: str) -> Segment:
    if not is_entry(entry):
        raise SegmentError(f"{where}: expected {form}, found {describe(entry)}")
    parts, label, name = entry
    # MISA's word ids have no vocabulary.
    words, visual, acoustic = parts if len(parts) == 3 else (parts[3], parts[1], parts[2])
    return segment_of(name, words, visual, acoustic, label, where)
