"""A modality that has one frame for a whole segment, given to each of its words."""

from dataclasses import replace

import numpy as np

from mmf_cmsbert.datasets.segment import MODALITIES, Segment

SINGLE_FRAMES = ("keep", "every_word")


def spread(segment: Segment) -> Segment:
    """The segment with a modality's only frame repeated for each word, as MAG reads it (our
    reading: MAG is defined on one frame a word, and says nothing of one vector a segment).

    Modalities with more frames, or none, stay as they are.
    """
    frames = {modality: getattr(segment, modality) for modality in MODALITIES}
    single = {m: each for m, each in frames.items() if each is not None and len(each) == 1}
    words = len(segment.words)
    return replace(segment, **{m: np.repeat(each, words, axis=0) for m, each in single.items()})
