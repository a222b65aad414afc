"""Pooling long sequences into windows."""

import numpy as np
import pytest
from written_layouts import make_segments, with_frames

from mmf_cmsbert.datasets.windows import pool_windows, shorten


def by_loops(frames, longest):
    windows = [[] for _ in range(longest)]
    window = 0
    for i, frame in enumerate(frames):
        while window + 1 < longest and i >= (window + 1) * len(frames) // longest:
            window += 1
        windows[window].append([float(value) for value in frame])
    return [[sum(column) / len(rows) for column in zip(*rows, strict=True)] for rows in windows]


@pytest.mark.parametrize(("length", "longest"), [(7, 3), (10, 5), (10, 9), (501, 500), (23, 1)])
def test_every_frame_is_in_one_window(length, longest):
    frames = np.random.default_rng(0).normal(size=(length, 4)).astype(np.float32)
    pooled = pool_windows(frames, longest)
    assert pooled.dtype == np.float32
    assert np.allclose(pooled, by_loops(frames, longest), atol=1e-6)


def test_windows_of_numbers_worked_by_hand():
    frames = np.array([[1], [2], [3], [4], [5]], np.float32)
    assert pool_windows(frames, 2).tolist() == [[1.5], [4.0]]


@pytest.mark.parametrize("length", [0, 1, 3])
def test_a_sequence_that_is_short_enough_stays_itself(length):
    frames = np.ones((length, 2), np.float32)
    assert pool_windows(frames, 3) is frames


def test_a_segment_is_shortened_in_each_modality_by_itself():
    (segment,) = make_segments(np.random.default_rng(0), "train", count=1, aligned=False)
    longest = len(segment.frames["acoustic"]) - 1
    shorter = shorten(segment, longest)
    assert shorter.frames["visual"] is segment.frames["visual"]
    assert len(shorter.frames["acoustic"]) == longest
    assert shorter.words == segment.words
    for enough in (None, 500):
        assert shorten(segment, enough).frames["acoustic"] is segment.frames["acoustic"]
    assert shorten(with_frames(segment, visual=None), 2).frames.get("visual") is None
