import numpy as np

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.single_frames import spread


def segment(**frames):
    return Segment("v[0]", "v", ("so", "very", "good"), frames, 1.0)


def test_each_word_gets_the_only_frame():
    vector = np.array([[1.0, 2.0]], np.float32)
    spread_out = spread(segment(visual=None, acoustic=vector))
    assert spread_out.frames["acoustic"].tolist() == [[1.0, 2.0]] * 3
    assert spread_out.frames.get("visual") is None


def test_more_frames_or_none_stay_as_they_are():
    two, none = np.ones((2, 4), np.float32), np.zeros((0, 3), np.float32)
    same = spread(segment(visual=two, acoustic=none))
    assert np.array_equal(same.frames["visual"], two) and same.frames["acoustic"].shape == (0, 3)
