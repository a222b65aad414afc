"""Frames instead of an image's regions."""

import numpy as np
import torch

from mmf_cmsbert.processors.regions import as_regions


def test_few_frames_are_followed_by_zeros():
    frames = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    fields = as_regions(frames, 4)
    assert fields["image_feature_0"].tolist() == [[1, 2], [3, 4], [0, 0], [0, 0]]
    assert fields["image_info_0"]["max_features"] == 2


def test_many_frames_become_windows_of_their_mean():
    frames = np.array([[1.0], [3.0], [5.0], [7.0]], np.float32)
    fields = as_regions(frames, 2)
    assert fields["image_feature_0"].tolist() == [[2], [6]]
    assert fields["image_info_0"]["max_features"] == 2


def test_a_box_is_a_share_of_the_segments_time_in_full_height():
    boxes = as_regions(np.ones((4, 1), np.float32), 5)["image_info_0"]["bbox"]
    # left, top, right, bottom, area
    assert boxes.tolist() == [
        [0, 0, 0.25, 1, 0.25],
        [0.25, 0, 0.5, 1, 0.25],
        [0.5, 0, 0.75, 1, 0.25],
        [0.75, 0, 1, 1, 0.25],
        [0, 0, 0, 0, 0],
    ]


def test_a_segment_without_frames_has_no_region():
    fields = as_regions(np.empty((0, 3), np.float32), 2)
    assert torch.equal(fields["image_feature_0"], torch.zeros(2, 3))
    assert fields["image_info_0"]["max_features"] == 0
    assert not fields["image_info_0"]["bbox"].any()


def test_the_frames_themselves_are_left_alone():
    frames = np.ones((2, 1), np.float32)
    as_regions(frames, 2)["image_feature_0"][:] = 5
    assert frames.tolist() == [[1], [1]]
