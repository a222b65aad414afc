"""Segments are checked while they are read: invalid ones become errors."""

import numpy as np

from mmf_cmsbert.datasets.readers.streams import aligned_only, once_each
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import SegmentError


def segment(name="abc[0]", **frames):
    frames = {"visual": np.zeros((2, 3)), "acoustic": np.zeros((2, 2))} | frames
    return Segment(name, "abc", ("not", "great"), frames, 1.0)


def test_an_id_that_stands_twice_is_an_error_the_second_time():
    one, two, error = segment(), segment("abc[1]"), SegmentError("damaged")
    found = list(once_each([one, error, segment(), two], "/data/train.pkl"))
    assert found[:2] == [one, error]
    assert "/data/train.pkl: segment id abc[0] occurs twice" in str(found[2])
    assert found[3] is two


def test_a_segment_that_is_not_aligned_is_an_error_in_its_place():
    good, bad = segment(), segment("abc[1]", acoustic=np.zeros((3, 2)))
    found = list(aligned_only([bad, good], "/data/train.pkl"))
    assert "abc[1] has 2 words but 3 acoustic frames" in str(found[0])
    assert found[1] is good
