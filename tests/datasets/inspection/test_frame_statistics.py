"""Statistics of columns, computed without storing frames."""

import numpy as np
import pytest

from mmf_cmsbert.datasets.inspection.frame_statistics import FrameStatistics


def figures(*segments):
    statistics = FrameStatistics(segments[0].shape[1])
    for number, frames in enumerate(segments):
        statistics.add(f"s{number}", np.asarray(frames, np.float32))
    return statistics.found()


@pytest.fixture
def segments():
    rng = np.random.default_rng(5)
    scales, offsets = np.array([1, 1e-3, 50, 1, 1]), np.array([1000, 0, -3, 0, 0])
    parts = [rng.normal(size=(n, 5)) * scales + offsets for n in (1, 7, 30, 2)]
    return [part.astype(np.float32) for part in parts]


def test_moments_are_those_of_all_frames_put_together(segments):
    columns = figures(*segments)["columns"]
    together = np.concatenate(segments).astype(np.float64)
    np.testing.assert_allclose(columns["mean"], together.mean(0), rtol=1e-6)
    np.testing.assert_allclose(columns["std"], together.std(0), rtol=1e-5)
    np.testing.assert_allclose(columns["min"], together.min(0))
    np.testing.assert_allclose(columns["max"], together.max(0))


def test_values_that_are_not_finite_are_counted_and_left_out_of_the_moments(segments):
    segments[1][2, 0] = np.nan
    segments[2][3, 1] = -np.inf
    segments[2][4, 1] = np.inf
    for segment in segments:
        segment[:, 4] = np.nan
    found = figures(*segments)
    together = np.concatenate(segments).astype(np.float64)
    assert (found["nan"], found["inf"]) == (1 + 40, 2)
    assert found["not_finite_segments"] == ["s0", "s1", "s2", "s3"]
    assert found["columns"]["mean"][0] == pytest.approx(np.nanmean(together[:, 0]))
    finite = together[np.isfinite(together[:, 1]), 1]
    assert found["columns"]["std"][1] == pytest.approx(finite.std(), rel=1e-5)
    assert found["columns"]["mean"][4] is found["columns"]["max"][4] is None
    assert found["zero_columns"] == found["constant_columns"] == []


def test_columns_without_content_and_columns_that_are_copies(segments):
    for segment in segments:
        segment[:, 1] = 0.0
        segment[:, 3] = 2.5
        segment[:, 4] = segment[:, 2]
    found = figures(*segments)
    assert found["zero_columns"] == [1]
    assert found["constant_columns"] == [3]
    assert found["equal_columns"] == [[2, 4]]


def test_columns_that_are_equal_in_one_segment_alone_are_no_copies(segments):
    segments[0][:] = 1.0
    segments[1][:, 0] = segments[1][:, 2]
    segments[3][:, 2] = segments[3][:, 4]
    assert figures(*segments)["equal_columns"] == []


def test_two_groups_of_copies_stay_apart():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 6, 1))
    frames = np.hstack((one, other, one, other, one))
    frames[0] = 0.0  # all are equal here
    assert figures(frames[:1], frames[1:])["equal_columns"] == [[0, 2, 4], [1, 3]]


def test_minus_zero_is_zero():
    frames = np.array([[0.0, -0.0, 1.0], [1.0, 1.0, 0.0]])
    assert figures(frames)["equal_columns"] == [[0, 1]]


def test_frames_of_zeros_are_counted(segments):
    segments[2][5:9] = 0.0
    found = figures(*segments)
    assert (found["segments"], found["frames"], found["zero_frames"]) == (4, 40, 4)


def test_centred_segments_are_told_from_others(segments):
    found = figures(*segments)
    assert (found["judged_segments"], found["centred_segments"]) == (2, 0)  # two are too short
    centred = [segment - segment.mean(0, dtype=np.float64) for segment in segments]
    found = figures(*centred)
    assert (found["judged_segments"], found["centred_segments"]) == (2, 2)
