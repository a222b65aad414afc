"""Segments that cannot be used for training are refused, each with one clear message."""

import numpy as np
import pytest

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.validation import (
    not_empty,
    the_segments,
    usable,
)
from mmf_cmsbert.errors import DataError, SegmentError

WIDTHS = {"visual": 3, "acoustic": 2}


def segment(name="abc[0]", label=1.0, **frames):
    frames = {"visual": np.zeros((2, 3)), "acoustic": np.zeros((2, 2))} | frames
    return Segment(name, "abc", ("not", "great"), frames, label)


def check(*segments, widths=WIDTHS, labelled=True, non_finite="error"):
    where, key = "/data/train.pkl", "dataset_config.mosi"
    return list(the_segments(usable(segments, widths, where, key, labelled, non_finite)))


def refusal(*segments, **options):
    with pytest.raises(SegmentError) as error:
        check(*segments, **options)
    assert "/data/train.pkl" in str(error.value)
    return str(error.value)


def test_good_segments_pass_as_they_are():
    given = [segment(label=-3.0), segment("abc[1]", label=3.0), segment("abc[2]", visual=None)]
    for one, other in zip(given, check(*given), strict=True):
        assert (one.id, one.words, one.label) == (other.id, other.words, other.label)
        assert one.frames.keys() == other.frames.keys()
        assert all(other.frames[m] is each for m, each in one.frames.items())


def test_an_empty_split():
    with pytest.raises(DataError, match="/data/train.pkl: no segments in this split"):
        list(not_empty([], "/data/train.pkl"))
    assert list(not_empty([1, 2], "/data/train.pkl")) == [1, 2]


def test_errors_can_be_noted_in_place_of_being_raised():
    bad, good = segment("abc[1]", label=9.0), segment()
    skipped = []
    stream = usable([bad, good], WIDTHS, "/data/train.pkl", "dataset_config.mosi", True)
    assert [s.id for s in the_segments(stream, skipped)] == ["abc[0]"]
    assert len(skipped) == 1
    assert "abc[1] has the label 9" in skipped[0]


def test_another_width_than_declared_comes_with_the_override_to_type():
    message = refusal(segment(), segment("abc[1]", visual=np.zeros((2, 47))))
    assert "abc[1] has visual frames 47 wide" in message
    assert "dataset_config.mosi.features.visual is 3" in message
    assert "type dataset_config.mosi.features.visual=47" in message


def test_where_no_width_is_declared_all_have_the_first_ones():
    late = segment("abc[1]", visual=np.zeros((2, 9)))
    assert check(segment(visual=None), late, widths=None)[1].frames["visual"].shape == (2, 9)
    message = refusal(late, segment("abc[2]"), widths=None)
    assert "abc[2] has visual frames 3 wide" in message
    assert "before it are 9" in message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_told_with_its_place(value):
    acoustic = np.zeros((2, 2))
    acoustic[1, 0] = value
    message = refusal(segment("abc[5]", acoustic=acoustic))
    assert f"abc[5], acoustic frame 1, column 0 is {value}" in message


def test_values_that_are_not_finite_can_be_read_as_zeros():
    acoustic = np.array([[np.nan, 1.0], [-np.inf, np.inf]], np.float32)
    (found,) = check(segment(acoustic=acoustic), non_finite="zero")
    assert found.frames["acoustic"].tolist() == [[0.0, 1.0], [0.0, 0.0]]
    assert np.isnan(acoustic[0, 0])  # values that were read are kept


@pytest.mark.parametrize("width", [None, 0])
def test_a_modality_that_is_not_used_is_not_looked_at_and_left_out(width):
    bad = segment(visual=np.full((2, 9), np.nan))
    (found,) = check(bad, widths={"visual": width, "acoustic": 2})
    assert found.frames.get("visual") is None
    assert found.frames["acoustic"] is bad.frames["acoustic"]


@pytest.mark.parametrize("label", [3.2, -3.001, np.inf])
def test_a_label_out_of_range(label):
    assert f"abc[0] has the label {label:g}" in refusal(segment(label=label))
    assert "expected a sentiment in [-3, 3]" in refusal(segment(label=label), labelled=False)


def test_a_missing_label_is_an_error_only_where_labels_are_needed():
    assert "abc[0] has no label" in refusal(segment(label=None))
    check(segment(label=None), labelled=False)
