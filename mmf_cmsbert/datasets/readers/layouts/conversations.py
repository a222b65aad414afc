"""The pickles of DialogueRNN, MMGCN, COSMIC and later work for IEMOCAP and MELD.

A tuple of dicts by dialogue (speakers, labels, features, sentences), each with a value for every
utterance, and the lists of the dialogues of each split. See :mod:`..conversation_forms`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers.context import Turn, with_context
from mmf_cmsbert.datasets.readers.conversation_forms import (
    Conversations,
    conversations_in,
    is_conversations,
)
from mmf_cmsbert.datasets.readers.conversation_splits import dialogues_of
from mmf_cmsbert.datasets.readers.fields import read_each, segment_of
from mmf_cmsbert.datasets.readers.layout import Request
from mmf_cmsbert.datasets.readers.pickled_layout import PickledLayout
from mmf_cmsbert.datasets.readers.registry import register_layout
from mmf_cmsbert.datasets.readers.text import describe, split_text
from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.errors import SegmentError


@register_layout("conversations")
class ConversationPickles(PickledLayout):
    """Utterances of dialogues, with one vector per utterance and modality.

    Labels are the names of the emotion and, in MELD, of the sentiment; of other corpora the number
    of the emotion. Frames are the acoustic and visual vectors; vectors of the text are not read.
    """

    examples = ("one pickle of conversations",)
    content = "a tuple of dicts by dialogue, and lists of dialogues"
    rank = 2

    def begins(self, containers: tuple[type, ...]) -> bool:
        return containers[:2] in ((tuple, dict), (list, dict))

    def recognise_content(self, content: Any) -> bool:
        return is_conversations(content)

    def count(self, content: Any, split: str) -> int:
        return 0

    def splits(self, path: Path, beside: Sequence[Path] = ()) -> Sequence[str]:
        """Return all splits; reading the file shows which ones it lacks."""
        return SPLITS

    def content_segments(
        self, content: Any, request: Request, where: str
    ) -> Iterator[Segment | SegmentError]:
        found = conversations_in(content, where)
        for dialogue in dialogues_of(found, request.split, Path(where)):
            utterances = range(len(found.fields["sentences"][dialogue]))
            yield from read_each(
                _segment, ((found, dialogue, i, request, where) for i in utterances)
            )


def _segment(found: Conversations, dialogue: Any, i: int, request: Request, where: str) -> Segment:
    where = f"{where}: dialogue {dialogue} utterance {i}"
    sentences = found.fields["sentences"][dialogue]
    values = {
        name: _value(each, dialogue, i, len(sentences), f"{where}: {name}")
        for name, each in found.fields.items()
        if name != "sentences"
    }
    name = values.get("ids")
    segment = segment_of(
        name=name if isinstance(name, str) else f"{dialogue}[{i}]",
        words=split_text(sentences[i], where),
        label=None,  # emotion and sentiment are named
        where=where,
        visual=_frame(values.get("visual")),
        acoustic=_frame(values.get("acoustic")),
    )
    labels = {
        name: _class(values.get(name), found.classes.get(name), f"{where}: {name}")
        for name in ("emotion", "sentiment")
    }
    known = {name: label for name, label in labels.items() if label is not None}
    segment = replace(
        segment, video=str(dialogue), metadata={**_speaker(values.get("speakers")), **known}
    )
    before = [Turn(split_text(each, where)) for each in sentences[max(0, i - request.context) : i]]
    return with_context(segment, before, request.context)


def _value(by_dialogue: Mapping[Any, Any], dialogue: Any, i: int, count: int, where: str) -> Any:
    values = by_dialogue.get(dialogue)
    if values is None:
        return None
    if not isinstance(values, (list, tuple, np.ndarray)) or len(values) != count:
        raise SegmentError(
            f"{where}: expected a value for each of the {count} utterances of the dialogue, found "
            f"{describe(values)}"
        )
    return values[i]


def _frame(vector: Any) -> Any:
    """Return the vector of an utterance ``(width,)`` as its only frame ``(1, width)``."""
    if isinstance(vector, np.ndarray) and vector.ndim == 1:
        return vector[None]
    return [vector] if isinstance(vector, (list, tuple)) else vector


def _class(value: Any, names: Sequence[str] | None, where: str) -> str | int | None:
    """Return the name of a class or, without names, its number; None for -1, an unknown class."""
    if value is None or (isinstance(value, (int, np.integer)) and value < 0):
        return None
    if not isinstance(value, (int, np.integer)) or (names and value >= len(names)):
        upto = f", from 0 to {len(names) - 1}" if names else ""
        raise SegmentError(f"{where} is {describe(value)}; expected the number of a class{upto}")
    return names[int(value)] if names else int(value)


def _speaker(value: Any) -> dict[str, Any]:
    """Return the speaker: M or F in IEMOCAP, one of nine numbers in MELD (one-hot)."""
    if isinstance(value, str):
        return {"speaker": value}
    if isinstance(value, (list, tuple, np.ndarray)) and 1 in list(value):
        return {"speaker": list(value).index(1)}
    return {}
