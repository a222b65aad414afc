"""The MMSA layout: one pickle for all splits.

It is a dict with the keys train, valid and test of dicts over the segments: ``raw_text``,
``vision``, ``audio``, ``id``, ``regression_labels``, and in unaligned files ``vision_lengths`` and
``audio_lengths``. MulT's files are alike. Synonyms are in
:mod:`~mmf_cmsbert.datasets.readers.names`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets.readers.fields import read_each
from mmf_cmsbert.datasets.readers.layout import Request
from mmf_cmsbert.datasets.readers.mmsa_split import MMSASplit
from mmf_cmsbert.datasets.readers.pickled_layout import PickledLayout
from mmf_cmsbert.datasets.readers.pickled_splits import EXAMPLE, split_content, splits_in
from mmf_cmsbert.datasets.readers.registry import register_layout
from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.errors import SegmentError


@register_layout("mmsa")
class MMSA(PickledLayout):
    """A dict of splits, each a dict of fields over its segments.

    Words come from ``raw_text``. The file does not name the vocabulary of the ids in
    ``text_bert``: they are used only without text, and with a matching vocabulary; see
    :class:`~mmf_cmsbert.datasets.readers.bert_ids.Vocabulary`. If lengths are given, rows after
    them are padding, whatever their values. Aligned files give no lengths: their rows are words,
    word pieces (see :mod:`~mmf_cmsbert.datasets.readers.piece_rows`) or frames (see
    :meth:`~mmf_cmsbert.datasets.readers.mmsa_split.MMSASplit.frames`).
    """

    examples = (EXAMPLE,)
    content = "a dict train, valid, test of dicts with id, raw_text, vision, audio"
    opening = (dict, dict)
    rank = 2

    def recognise_content(self, content: Any) -> bool:
        """Return whether it is a dict with dicts under the names of splits."""
        splits = splits_in(content)
        return bool(splits) and all(isinstance(each, dict) for each in splits)

    def splits(self, path: Path, beside: Sequence[Path] = ()) -> Sequence[str]:
        """Return all splits; reading the file shows which ones it lacks."""
        return SPLITS

    def content_segments(
        self, content: Any, request: Request, where: str
    ) -> Iterator[Segment | SegmentError]:
        key, content = split_content(content, request.split, (dict,), where)
        split = MMSASplit(content, f"{where}: {key}", request.vocabulary)
        yield from read_each(split.segment, ((i,) for i in range(split.count)))
