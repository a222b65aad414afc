"""Repeat a modality's only frame in a segment for each of its words."""

from dataclasses import replace

import numpy as np

from mmf_cmsbert.datasets.segment import Segment


def spread(segment: Segment) -> Segment:
    """Repeat a modality's only frame for each word of a segment, for MAG.

    This is our interpretation: MAG is defined for one frame per word, not for one vector per
    segment. Modalities with more frames, or none, are unchanged.
    """
    words = len(segment.words)
    spread_out = {
        m: np.repeat(each, words, axis=0) if len(each) == 1 else each
        for m, each in segment.frames.items()
    }
    return replace(segment, frames=spread_out)
