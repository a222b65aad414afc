"""The MISA layout: one pickle for each split, word-aligned.

It is a list of ``((word ids, visual, acoustic, words), label, "VIDEO[index]")``.
"""

from collections.abc import Iterator
from typing import Any

from mmf_cmsbert.datasets.readers.entries import MISA as ENTRY
from mmf_cmsbert.datasets.readers.entries import is_entry, read_entries
from mmf_cmsbert.datasets.readers.layout import Request
from mmf_cmsbert.datasets.readers.pickled_layout import PickledLayout
from mmf_cmsbert.datasets.readers.registry import register_layout
from mmf_cmsbert.datasets.readers.streams import aligned_only
from mmf_cmsbert.datasets.readers.text import describe
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import DataError, SegmentError


@register_layout("misa")
class MISA(PickledLayout):
    """A list of entries. The file's name, or the list that names the file, gives the split."""

    examples = ("train.pkl, dev.pkl and test.pkl",)
    content = f"a list of {ENTRY}"
    opening = (list,)
    rank = 0

    def recognise_content(self, content: Any) -> bool:
        """Return whether it is a list whose first entry has the form of MISA or MAG."""
        return isinstance(content, list) and (not content or is_entry(content[0]))

    def content_segments(
        self, content: Any, request: Request, where: str
    ) -> Iterator[Segment | SegmentError]:
        if not isinstance(content, list):
            raise DataError(f"{where}: expected a list of {ENTRY}, found {describe(content)}")
        yield from aligned_only(read_entries(content, ENTRY, f"{where}: entry"), where)
