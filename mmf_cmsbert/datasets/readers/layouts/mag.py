"""The MAG layout: one pickle for all splits, word-aligned.

It is a dict with the keys train, dev and test (or synonyms of these, see
:mod:`~mmf_cmsbert.datasets.readers.names`) of lists of
``((words, visual, acoustic), label, segment id)``.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets.readers.entries import MAG as ENTRY
from mmf_cmsbert.datasets.readers.entries import read_entries
from mmf_cmsbert.datasets.readers.layout import Request
from mmf_cmsbert.datasets.readers.pickled_layout import PickledLayout
from mmf_cmsbert.datasets.readers.pickled_splits import EXAMPLE, split_content, splits_in
from mmf_cmsbert.datasets.readers.registry import register_layout
from mmf_cmsbert.datasets.readers.streams import aligned_only
from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.errors import SegmentError


@register_layout("mag")
class MAG(PickledLayout):
    """A dict of splits, each a list of entries."""

    examples = (EXAMPLE,)
    content = f"a dict train, dev, test of lists of {ENTRY}"
    opening = (dict, list)
    rank = 1

    def recognise_content(self, content: Any) -> bool:
        """Return whether it is a dict with lists under the names of splits."""
        splits = splits_in(content)
        return bool(splits) and all(isinstance(each, (list, tuple)) for each in splits)

    def splits(self, path: Path, beside: Sequence[Path] = ()) -> Sequence[str]:
        """Return all splits; reading the file shows which ones it lacks."""
        return SPLITS

    def content_segments(
        self, content: Any, request: Request, where: str
    ) -> Iterator[Segment | SegmentError]:
        key, entries = split_content(content, request.split, (list, tuple), where)
        yield from aligned_only(read_entries(entries, ENTRY, f"{where}: {key} entry"), where)
