"""The MISA layout: one pickle a split, a list of
``((word ids, visual, acoustic, words), label, "VIDEO[index]")``, word-aligned."""

from collections.abc import Iterator
from typing import Any

from mmf_cmsbert.datasets.readers.entries import MISA as ENTRY
from mmf_cmsbert.datasets.readers.entries import is_entry, read_entries
from mmf_cmsbert.datasets.readers.text import describe
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import DataError, SegmentError


def recognise(content: Any) -> bool:
    """Whether ``content`` is laid out so, by its first entry; MAG's entries pass too."""
    return isinstance(content, list) and (not content or is_entry(content[0]))


def read(content: Any, where: str) -> Iterator[Segment | SegmentError]:
    """The segments of a split, in the file's order; for a wrong entry the error that says why.

    Args:
        content: what the pickle holds.
        where: the file, for messages.

    Raises:
        DataError: no list of entries.
    """
    if not isinstance(content, list):
        raise DataError(f"{where}: expected a list of {ENTRY}, found {describe(content)}")
    yield from read_entries(content, ENTRY, f"{where}: entry")
