"""Segments for layouts with exactly one visual and one acoustic frame per word."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from mmf_cmsbert.datasets.segment import FACE_VOICE, Segment, unaligned
from mmf_cmsbert.errors import DataError


@dataclass
class Written:
    """The result of writing a corpus.

    Attributes:
        files: split -> its file.
        filled: modality -> number of segments that lack it and got zeros.
        unlabelled: split -> number of segments without a label, which is written as NaN.
        notes: sentences for the user about these files.
    """

    files: dict[str, Path] = field(default_factory=dict)
    filled: Counter[str] = field(default_factory=Counter)
    unlabelled: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def check_widths(widths: Mapping[str, int], layout: str) -> None:
    """Raise a DataError unless each modality has a width.

    Args:
        widths: modality -> columns.
        layout: the layout's name, for the message.
    """
    if others := [modality for modality in widths if modality not in FACE_VOICE]:
        raise DataError(
            f"{layout}'s layout holds visual and acoustic frames only, and the segments also have "
            f"{', '.join(others)}; type --to store or --to datasets, which keep every modality"
        )
    for modality in FACE_VOICE:
        if not widths.get(modality):
            raise DataError(
                f"no segment has {modality} frames, and {layout}'s layout needs one for every "
                "word; type --to store, which does not need them"
            )


def aligned_frames(
    segment: Segment, widths: Mapping[str, int], layout: str, written: Written
) -> dict[str, np.ndarray]:
    """Return each modality's frames, float32 ``(words, width)``; zeros for a missing modality.

    Raises:
        DataError: the segment does not have one frame per word.
    """
    if found := unaligned(segment):
        raise DataError(
            f"{found}; {layout}'s layout needs one frame per word. Type --to store, which keeps "
            "any number of frames; or align the words: --alignment word for .csd files, "
            "--single-frame every_word for one vector per segment"
        )
    frames = {}
    for modality in FACE_VOICE:
        given = segment.frames.get(modality)
        if given is None:
            written.filled[modality] += 1
            given = np.zeros((len(segment.words), widths[modality]))
        frames[modality] = np.ascontiguousarray(given, np.float32)
    return frames


def label_of(segment: Segment, split: str, written: Written) -> float:
    """Return the label; count a missing one and return NaN."""
    if segment.label is None:
        written.unlabelled[split] += 1
        return float("nan")
    return segment.label


def flush(file: IO[bytes]) -> None:
    """Flush the file to disk, before it is renamed."""
    file.flush()
    os.fsync(file.fileno())
