"""The pickles of conversations that circulate: a tuple of dicts by dialogue, without names.

The number of dicts before, and of lists of dialogues after them, tells the form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers.text import describe
from mmf_cmsbert.errors import DataError

_AUDIO_VISUAL = "ids speakers emotion text acoustic visual sentences"
_FOUR_TEXTS = "ids speakers emotion text text2 text3 text4 acoustic visual sentences"
_FORMS = (
    f"{_AUDIO_VISUAL} train test",  # DialogueRNN: IEMOCAP
    "ids speakers emotion text acoustic sentences train test sentiment",  # DialogueRNN: MELD
    f"{_AUDIO_VISUAL} train test sentiment",  # MMGCN: MELD
    f"{_FOUR_TEXTS} train test",  # SDT: IEMOCAP
    f"{_FOUR_TEXTS} train test sentiment",  # SDT: MELD
    "speakers emotion sentences train test val",  # COSMIC: IEMOCAP
    "speakers emotion sentiment sentences train test val",  # COSMIC: MELD
    "speakers emotion text text2 text3 text4 sentences train test val",  # with RoBERTa's vectors
    "speakers emotion sentiment text text2 text3 text4 sentences train test val",
)
_LISTS = ("train", "val", "test")
# Names of the numbers in these files.
_IEMOCAP = {"emotion": ("happy", "sad", "neutral", "angry", "excited", "frustrated")}
_MELD = {
    "emotion": ("neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger"),
    "sentiment": ("neutral", "positive", "negative"),
}
_SESSION = "Ses0"  # begins the names of IEMOCAP's dialogues


def _shape(parts: Sequence[bool]) -> tuple[int, int, int]:
    """Return the number of dicts, of lists after them, and of dicts after those."""
    first = parts.index(False) if False in parts else len(parts)
    last = parts.index(True, first) if True in parts[first:] else len(parts)
    return first, last - first, len(parts) - last


_BY_SHAPE = {
    _shape([name not in _LISTS for name in form.split()]): tuple(form.split()) for form in _FORMS
}


@dataclass(frozen=True)
class Conversations:
    """The content of such a pickle.

    Attributes:
        fields: the name of each dict -> dialogue -> a value for each utterance.
        lists: split -> its dialogues; ``val`` is missing where the pickle has no list of it.
    """

    fields: Mapping[str, Mapping[Any, Any]]
    lists: Mapping[str, list[Any]]

    @property
    def classes(self) -> Mapping[str, Sequence[str]]:
        """The names of the classes of emotion and sentiment; empty for an unknown corpus."""
        if "sentiment" in self.fields:
            return _MELD
        return _IEMOCAP if str(next(iter(self.dialogues), "")).startswith(_SESSION) else {}

    @property
    def dialogues(self) -> list[Any]:
        """All dialogues in the order of the file."""
        return list(self.fields["sentences"])


def is_conversations(content: Any) -> bool:
    """Return whether it has one of the forms."""
    return _form(content) is not None


def conversations_in(content: Any, where: str) -> Conversations:
    """Name the parts of a pickle.

    Args:
        content: the content of the pickle.
        where: the file, for messages.

    Raises:
        DataError: it has none of the forms, or its sentences are no text.
    """
    form = _form(content)
    if form is None:
        raise DataError(
            f"{where}: expected a tuple of dicts by dialogue, then the lists of the dialogues of "
            f"each split, as in {_FORMS[0]}; found {describe(content)}"
        )
    named = dict(zip(form, content, strict=True))
    for name in _LISTS:
        if name in named and isinstance(named[name], np.ndarray):
            named[name] = named[name].tolist()
    lists = {name: list(named.pop(name)) for name in _LISTS if name in named}
    for dialogue, sentences in named["sentences"].items():
        if not _is_list(sentences) or not all(isinstance(each, str) for each in sentences):
            raise DataError(
                f"{where}: expected the sentences of dialogue {dialogue!r} as a list of texts in "
                f"part {form.index('sentences') + 1} of {len(form)} ({' '.join(form)}), found "
                f"{describe(sentences)}"
            )
    for split, each in lists.items():
        if unknown := [name for name in each if name not in named["sentences"]]:
            raise DataError(f"{where}: {split} lists dialogue {unknown[0]!r}, which has no text")
    return Conversations(named, lists)


def _form(content: Any) -> tuple[str, ...] | None:
    if not isinstance(content, (tuple, list)) or len(content) < len(_BY_SHAPE[3, 3, 0]):
        return None
    if not all(isinstance(part, dict) or _is_list(part) for part in content):
        return None
    parts = [isinstance(part, dict) for part in content]
    shape = _shape(parts)
    return _BY_SHAPE.get(shape) if sum(shape) == len(parts) else None


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1)
