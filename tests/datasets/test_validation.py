"""Segments that cannot be trained on are told apart, one clear message each."""

import numpy as np
import pytest

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.validation import check_split
from mmf_cmsbert.errors import DataError

WIDTHS = {"visual": 3, "acoustic": 2}


def segment(name="abc[0]", label=1.0, **frames):
    frames = {"visual": np.zeros((2, 3)), "acoustic": np.zeros((2, 2))} | frames
    return Segment(name, "abc", ("not", "great"), label=label, **frames)


def check(*segments, widths=WIDTHS, labelled=True):
    check_split(list(segments), widths, "/data/train.pkl", "dataset_config.mosi", labelled)


def refusal(*segments, **options):
    with pytest.raises(DataError) as error:
        check(*segments, **options)
    assert "/data/train.pkl" in str(error.value)
    return str(error.value)


def test_good_segments_pass():
    check(segment(label=-3.0), segment("abc[1]", label=3.0), segment("abc[2]", visual=None))


def test_an_empty_split():
    assert "no segments" in refusal()


def test_an_id_that_stands_twice():
    assert "abc[0] stands twice" in refusal(segment(), segment())


def test_another_width_than_declared_comes_with_the_override_to_type():
    message = refusal(segment(), segment("abc[1]", visual=np.zeros((2, 47))))
    assert "abc[1] has visual frames 47 wide" in message
    assert "dataset_config.mosi.features.visual is 3" in message
    assert "type dataset_config.mosi.features.visual=47" in message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_told_with_its_place(value):
    acoustic = np.zeros((2, 2))
    acoustic[1, 0] = value
    message = refusal(segment("abc[5]", acoustic=acoustic))
    assert f"abc[5], acoustic frame 1, column 0 is {value}" in message


def test_a_modality_that_is_not_used_is_not_looked_at():
    bad = segment(visual=np.full((2, 9), np.nan))
    check(bad, widths={"visual": None, "acoustic": 2})
    check(bad, widths={"visual": 0, "acoustic": 2})


@pytest.mark.parametrize("label", [3.2, -3.001, np.inf])
def test_a_label_out_of_range(label):
    assert f"abc[0] has the label {label:g}" in refusal(segment(label=label))
    assert "expected a sentiment in [-3, 3]" in refusal(segment(label=label), labelled=False)


def test_a_missing_label_is_an_error_only_where_labels_are_needed():
    assert "abc[0] has no label" in refusal(segment(label=None))
    check(segment(label=None), labelled=False)
