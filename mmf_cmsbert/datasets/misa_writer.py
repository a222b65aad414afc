"""Writing segments in the MISA layout, for the programs of others."""

import os
import pickle
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mmf_cmsbert.datasets.segment import MODALITIES, Segment
from mmf_cmsbert.datasets.validation import unaligned
from mmf_cmsbert.errors import DataError

FILES = {"train": "train.pkl", "val": "dev.pkl", "test": "test.pkl"}
# MISA's vocabularies begin with the unknown word and the padding.
_FIRST_WORD_ID = 2


@dataclass
class Written:
    """What went into the files besides the segments themselves.

    Attributes:
        files: split -> its pickle.
        filled: modality -> how many segments have not got it, and got zeros.
        word_ids: word -> the id that stands for it.
    """

    files: dict[str, Path] = field(default_factory=dict)
    filled: Counter[str] = field(default_factory=Counter)
    word_ids: dict[str, int] = field(default_factory=dict)


def write_misa(
    folder: Path, splits: Mapping[str, Iterable[Segment]], widths: Mapping[str, int]
) -> Written:
    """Write ``train.pkl``, ``dev.pkl`` and ``test.pkl``, one segment in memory at a time.

    Word ids count the words of all splits as they come, from 2 on. MISA knows no missing modality:
    such a segment gets zeros. An unknown label is NaN. Videos, and times, have no place there.

    Args:
        folder: where to; it exists.
        splits: split -> its segments.
        widths: modality -> columns.

    Raises:
        DataError: a segment that is not word-aligned, or a modality of which no width is known.
    """
    for modality in MODALITIES:
        if not widths.get(modality):
            raise DataError(
                f"no segment has {modality} frames, and MISA's layout wants some for every word; "
                "type --to store, which needs none"
            )
    written = Written()
    for split, segments in splits.items():
        path = written.files[split] = folder / FILES[split]
        with open(path, "wb") as file:
            pickler = _Pickler(file)
            file.write(pickle.PROTO + b"\x03" + pickle.EMPTY_LIST + pickle.MARK)
            for segment in segments:
                pickler.save(_entry(segment, widths, written))
            file.write(pickle.APPENDS + pickle.STOP)
            file.flush()
            os.fsync(file.fileno())
    return written


def _entry(segment: Segment, widths: Mapping[str, int], written: Written) -> tuple:
    if found := unaligned(segment):
        raise DataError(
            f"{found}; MISA's layout holds one frame a word. Type --to store, which holds frames "
            "at any rate, or, for .csd files, --alignment word"
        )
    frames = {}
    for modality in MODALITIES:
        given = getattr(segment, modality)
        if given is None:
            written.filled[modality] += 1
            given = np.zeros((len(segment.words), widths[modality]))
        frames[modality] = np.ascontiguousarray(given, np.float32)
    known = written.word_ids
    ids = [known.setdefault(word, len(known) + _FIRST_WORD_ID) for word in segment.words]
    label = np.nan if segment.label is None else segment.label
    return (
        (np.array(ids, np.int64), frames["visual"], frames["acoustic"], list(segment.words)),
        np.array([[label]], np.float32),
        segment.id,
    )


_RECONSTRUCT = np.empty(0).__reduce__()[0]


class _Pickler(pickle._Pickler):
    """Parts of one pickle: without a memo, which would hold on to every array written."""

    def __init__(self, file):
        super().__init__(file, protocol=3)  # no frames, which would have to end with the parts
        self.fast = True

    def save_global(self, obj, name=None):
        if obj is _RECONSTRUCT:  # the module as numpy 1 calls it; numpy 2 knows both names
            self.write(pickle.GLOBAL + b"numpy.core.multiarray\n_reconstruct\n")
        else:
            super().save_global(obj, name)
