"""What happens to every segment after it was read, in training and in prediction alike."""

from mmf_cmsbert.datasets.normalise import by_segment as normalised_by_segment
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.single_frames import spread
from mmf_cmsbert.datasets.windows import shorten


def prepared(
    segment: Segment, max_frames: int | None, by_segment: bool, every_word: bool
) -> Segment:
    """The segment as the network reads it.

    Args:
        segment: as a file has it.
        max_frames: how many frames a modality may have, longer ones are pooled; None for all.
        by_segment: whether each column is normalised over the segment's own frames.
        every_word: whether a modality's only frame is given to each word.
    """
    segment = shorten(segment, max_frames)
    segment = normalised_by_segment(segment) if by_segment else segment
    return spread(segment) if every_word else segment
