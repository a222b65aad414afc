"""Words of previous utterances before a segment's."""

import numpy as np
import pytest

from mmf_cmsbert.datasets.readers.context import Turn, context_length, with_context
from mmf_cmsbert.datasets.segment import Segment

BEFORE = [
    Turn(["long", "ago"]),
    Turn(["hello", "\u200b"], {"visual": np.array([[1.0, 2.0], [7.0, 7.0]], np.float32)}),
    Turn(["you"]),
]


@pytest.fixture
def segment():
    return Segment(
        "a",
        "v",
        ("good", "film"),
        {"visual": np.full((2, 2), 5.0), "acoustic": np.ones((3, 4))},
        1.0,
    )


def test_no_context_is_the_segment_itself(segment):
    assert with_context(segment, BEFORE, 0) is segment
    assert with_context(segment, [], 2) is segment
    assert with_context(segment, [Turn(["\u200b"])], 2) is segment


def test_the_last_utterances_come_first_each_with_a_separator(segment):
    words = with_context(segment, BEFORE, 2).words
    assert words == ("hello", "[SEP]", "you", "[SEP]", "good", "film")
    assert context_length(words) == 4
    assert len(with_context(segment, BEFORE, 9).words) == 9


def test_frames_of_words_are_those_of_the_context_or_zeros(segment):
    found = with_context(segment, BEFORE, 2)
    assert found.frames["visual"].tolist() == [[1, 2], [0, 0], [0, 0], [0, 0], [5, 5], [5, 5]]
    assert found.frames["acoustic"] is segment.frames["acoustic"]  # not one frame per word


def test_words_without_a_separator_have_no_context():
    assert context_length(("good", "film")) == 0
