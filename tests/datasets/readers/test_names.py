"""Synonyms of names of splits and fields."""

import pytest

from mmf_cmsbert.datasets.readers.names import (
    field_named,
    fields_of,
    split_in,
    split_keys,
    split_named,
)
from mmf_cmsbert.errors import DataError


@pytest.mark.parametrize("name", ["dev", "val", "valid", "validation", "DEV", " Valid ", b"val"])
def test_the_validation_split_has_many_names(name):
    assert split_named(name) == "val"


@pytest.mark.parametrize("name", ["", "tset", "training", None, 3, ("train",)])
def test_other_names_are_no_split(name):
    assert split_named(name) is None


def test_a_split_in_the_words_of_a_name():
    assert split_in("misa_dev") == split_in("MOSI-Validation.v2") == "val"
    assert split_in("train_test") is split_in("devotion") is None


@pytest.mark.parametrize(
    ("name", "field"),
    [("regression_labels", "label"), ("Labels", "label"), ("raw_text", "text"), ("ID", "id")]
    + [("Vision", "visual"), ("audio-lengths", "acoustic_lengths"), ("start time", "start")],
)
def test_fields_have_many_names(name, field):
    assert field_named(name) == field
    assert field_named("classification_labels") is None


def test_two_keys_for_one_split_are_refused_unless_they_hold_the_same():
    split = []
    assert split_keys({"dev": split, "valid": split, "config": {}}, "f") == {"val": "dev"}
    with pytest.raises(DataError, match="f: 'dev' and 'VALID' both name the val split"):
        split_keys({"dev": [], "VALID": []}, "f")


def test_two_names_of_a_field_must_agree():
    def same(one, other):
        return one == other

    wanted = ("label", "text")
    assert fields_of({"label": 1, "labels": 1, "other": 2}, "f", wanted, same) == {"label": 1}
    assert fields_of({"label": None, "labels": 1}, "f", wanted, same) == {"label": 1}
    with pytest.raises(DataError, match="line 3: 'label' and 'Labels' both give the label.*rename"):
        fields_of({"label": 1, "Labels": 2}, "line 3", wanted, same)
