"""Normalisation of frames."""

import math

import numpy as np
import pytest
from written_layouts import make_segments, with_frames

from mmf_cmsbert.datasets.normalise import by_segment, corpus_statistics


@pytest.fixture
def segments():
    return make_segments(np.random.default_rng(0), "train", aligned=False)


def mean_and_deviation(rows, column):
    values = [float(row[column]) for row in rows]
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def test_corpus_statistics_are_those_of_all_frames(segments):
    segments[1] = with_frames(segments[1], visual=None)
    statistics = corpus_statistics(segments)
    for modality in ("visual", "acoustic"):
        frames = [s.frames.get(modality) for s in segments]
        rows = [row for each in frames if each is not None for row in each]
        for column, (mean, scale) in enumerate(zip(*statistics[modality], strict=True)):
            assert (mean, scale) == pytest.approx(mean_and_deviation(rows, column))


def test_a_segments_columns_get_zero_mean_and_unit_variance(segments):
    segment = by_segment(segments[0])
    assert segment.frames["visual"].dtype == np.float32
    assert segment.words == segments[0].words
    for column in range(5):
        mean, deviation = mean_and_deviation(segment.frames["visual"], column)
        assert mean == pytest.approx(0, abs=1e-6)
        assert deviation == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("value", [0.0, 3.0, 0.1, 1e9])
def test_a_constant_column_becomes_zero_rather_than_noise(segments, value):
    visual = segments[0].frames["visual"].copy()
    visual[:, 2] = value
    segment = with_frames(segments[0], visual=visual)
    assert np.abs(by_segment(segment).frames["visual"][:, 2]).max() < 1e-6
    assert corpus_statistics([segment])["visual"][1][2] == 1


def test_missing_modalities_stay_missing(segments):
    segment = with_frames(segments[0], visual=None, acoustic=np.zeros((0, 4), np.float32))
    assert by_segment(segment).frames.get("visual") is None
    assert len(by_segment(segment).frames["acoustic"]) == 0
    assert corpus_statistics([segment]) == {}
