"""The MAG layout: one pickle for all splits, a dict with the keys train, dev and test of lists of
``((words, visual, acoustic), label, segment id)``, word-aligned."""

from collections.abc import Iterator
from typing import Any

from mmf_cmsbert.datasets.readers.fields import describe, read_each, segment_of
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import DataError, SegmentError

ENTRY = "((words, visual, acoustic), label, segment id)"
SPLITS = {"train": "train", "val": "dev", "test": "test"}


def recognise(content: Any) -> bool:
    """Whether ``content`` is laid out so, by its keys and the first entry of a split."""
    if not isinstance(content, dict) or not set(content) & set(SPLITS.values()):
        return False
    splits = [content[key] for key in SPLITS.values() if key in content]
    return all(isinstance(split, (list, tuple)) for split in splits)


def read(content: Any, split: str, where: str) -> Iterator[Segment | SegmentError]:
    """The segments of one split, in the file's order, an error in the place of a wrong entry.

    Args:
        content: what the pickle holds.
        split: ``train``, ``val`` or ``test``.
        where: the file, for messages.

    Raises:
        DataError: no such split.
    """
    key = SPLITS[split]
    if not isinstance(content, dict) or not isinstance(content.get(key), (list, tuple)):
        found = sorted(map(str, content)) if isinstance(content, dict) else describe(content)
        raise DataError(
            f"{where}: expected a dict with a list under {key!r}, the {split} split; found {found}"
        )
    places = ((entry, f"{where}: {key} entry {i}") for i, entry in enumerate(content[key]))
    yield from read_each(_segment, places)


def _segment(entry: Any, where: str) -> Segment:
    if not (
        isinstance(entry, (tuple, list))
        and len(entry) == 3
        and isinstance(entry[0], (tuple, list))
        and len(entry[0]) == 3
    ):
        raise SegmentError(f"{where}: expected {ENTRY}, found {describe(entry)}")
    (words, visual, acoustic), label, name = entry
    return segment_of(name, words, visual, acoustic, label, where)
