"""The dialogues of a split of IEMOCAP and MELD in pickles that may lack a list for validation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets.readers import video_lists
from mmf_cmsbert.datasets.readers.conversation_forms import Conversations
from mmf_cmsbert.errors import DataError

# The validation dialogues of IEMOCAP in COSMIC's files (Ghosal et al., Findings of EMNLP 2020).
_IEMOCAP = (
    "Ses01M_impro01",
    "Ses01M_script03_1",
    "Ses02F_impro02",
    "Ses02F_impro07",
    "Ses02M_script01_2",
    "Ses03F_impro01",
    "Ses03M_impro02",
    "Ses03M_impro08a",
    "Ses03M_script02_2",
    "Ses03M_script03_2",
    "Ses04F_impro07",
    "Ses04F_script02_1",
)
# MELD's dialogues are numbered through its splits: 1038 for training (one number is not used), 114
# for validation, 280 for test.
_MELD = range(1039, 1153)


def dialogues_of(found: Conversations, split: str, file: Path) -> list[Any]:
    """Return the dialogues of a split, in the order of its list.

    A ``splits.json`` beside the file comes first, then the lists of the file. Where these lack one
    for validation, the official one of MELD or that of COSMIC for IEMOCAP is taken out of training.

    Args:
        found: the content of the file.
        split: ``train``, ``val`` or ``test``.
        file: the file.

    Raises:
        DataError: no list of the split is known, or it is empty.
    """
    own = video_lists.own_lists([file])
    if own is not None:
        named = {str(dialogue): dialogue for dialogue in found.dialogues}
        wanted = video_lists.read_video_lists(own).get(split, ())
        chosen = [named[each] for each in wanted if each in named]
        if not chosen:
            raise DataError(f"{own}: none of the dialogues of {file} for the {split} split")
        return chosen
    if "val" in found.lists or split == "test":
        chosen = found.lists[split]
    else:
        validation = _validation(found.lists["train"], file)
        is_val = split == "val"
        chosen = [each for each in found.lists["train"] if (each in validation) == is_val]
    if not chosen:
        raise DataError(f"{file}: no dialogues for the {split} split; found {_counts(found)}")
    return chosen


def _validation(train: Sequence[Any], file: Path) -> set[Any]:
    for known in (_IEMOCAP, _MELD):
        if not set(known).isdisjoint(train):
            return set(known)
    raise DataError(
        f"{file}: lists dialogues for train and test, but none for val, and they are neither those "
        f"of IEMOCAP nor of MELD; write {video_lists.EXAMPLE.replace('VIDEO', 'DIALOGUE')} into "
        f"{video_lists.NAME} beside the file"
    )


def _counts(found: Conversations) -> str:
    return ", ".join(f"{len(each)} for {split}" for split, each in found.lists.items())
