"""The MAG layout: one pickle for all splits, a dict with the keys train, dev and test (or other
names of these, see :mod:`.names`) of lists of ``((words, visual, acoustic), label, segment id)``,
word-aligned."""

from collections.abc import Iterator
from typing import Any

from mmf_cmsbert.datasets.readers.entries import MAG as ENTRY
from mmf_cmsbert.datasets.readers.entries import read_entries
from mmf_cmsbert.datasets.readers.pickled_splits import split_content, splits_in
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import SegmentError


def recognise(content: Any) -> bool:
    """Whether ``content`` is laid out so, by the keys of its splits."""
    splits = splits_in(content)
    return bool(splits) and all(isinstance(each, (list, tuple)) for each in splits)


def read(content: Any, split: str, where: str) -> Iterator[Segment | SegmentError]:
    """The segments of one split, in the file's order; for a wrong entry the error that says why.

    Args:
        content: what the pickle holds.
        split: ``train``, ``val`` or ``test``.
        where: the file, for messages.

    Raises:
        DataError: no such split.
    """
    key, entries = split_content(content, split, (list, tuple), where)
    yield from read_entries(entries, ENTRY, f"{where}: {key} entry")
