"""Repeat a modality's only frame in a segment for each of its words."""

from dataclasses import replace
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.segment import MODALITIES, Segment


def spread(segment: Segment) -> Segment:
    """Repeat a modality's only frame for each word of a segment, for MAG.

    This is our interpretation: MAG is defined for one frame per word, not for one vector per
    segment. Modalities with more frames, or none, are unchanged.
    """
    frames = {modality: getattr(segment, modality) for modality in MODALITIES}
    single = {m: each for m, each in frames.items() if each is not None and len(each) == 1}
    words = len(segment.words)
    spread_out: dict[str, Any] = {m: np.repeat(each, words, axis=0) for m, each in single.items()}
    return replace(segment, **spread_out)
