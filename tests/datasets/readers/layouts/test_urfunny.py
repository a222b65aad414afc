"""UR-FUNNY's pickles, of both versions."""

import pickle

import numpy as np
import pytest
from written_corpora import pickled, urfunny_pickles

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.validation import the_segments
from mmf_cmsbert.errors import DataError, SegmentError


@pytest.fixture(params=[1, 2])
def folder(request, tmp_path):
    return urfunny_pickles(tmp_path / "urfunny", version=request.param)


def read(path, split="train", **options):
    return list(the_segments(read_files([path], split, **options)))


def content(folder, name):
    return pickle.loads((folder / f"{name}.pkl").read_bytes())


def test_the_folds_are_those_of_the_file(folder):
    assert find_source([folder]).layouts == ("urfunny",)
    folds = content(folder, "data_folds")
    for split, name in (("train", "train"), ("val", "dev"), ("test", "test")):
        assert [int(segment.id) for segment in read(folder, split)] == folds[name]


def test_a_punchline_has_its_class_words_and_a_frame_for_each_word(folder):
    for segment in read(folder):
        number = int(segment.id)
        assert segment.label == number % 2
        expected = content(folder, "openface_features_sdk")[number]["punchline_features"]
        assert len(segment.words) == len(expected)
        assert np.array_equal(segment.frames["visual"], expected.astype(np.float32))
        assert segment.frames["acoustic"].shape == (len(segment.words), 7)


def test_both_versions_give_the_same_words(tmp_path):
    first, second = (
        read(urfunny_pickles(tmp_path / str(v), version=v), "train", context=3) for v in (1, 2)
    )
    assert [s.words for s in first] == [s.words for s in second]


def test_the_context_brings_its_frames(folder):
    own, found = read(folder)[0], read(folder, context=1)[0]
    features = content(folder, "covarep_features_sdk")[1]
    words = len(features["context_features"][-1])
    assert found.words[words] == "[SEP]"
    assert found.words[words + 1 :] == own.words
    assert len(found.frames["acoustic"]) == len(found.words)
    assert np.array_equal(
        found.frames["acoustic"][:words], np.float32(features["context_features"][-1])
    )
    assert not found.frames["acoustic"][words].any()
    assert np.array_equal(found.frames["acoustic"][words + 1 :], own.frames["acoustic"])


def test_features_may_be_missing(folder):
    (folder / "openface_features_sdk.pkl").unlink()
    by_id = content(folder, "covarep_features_sdk")
    del by_id[1]
    pickled(folder / "covarep_features_sdk.pkl", by_id)
    first, second, *_ = read(folder)
    assert first.frames == {} and "visual" not in second.frames
    assert second.frames.get("acoustic") is not None


def test_a_listed_id_without_text_and_a_wrong_label_are_errors_of_their_segments(folder):
    folds, labels = content(folder, "data_folds"), content(folder, "humor_label_sdk")
    pickled(folder / "data_folds.pkl", folds | {"train": [1, 2, 99]})
    pickled(folder / "humor_label_sdk.pkl", labels | {2: 7})
    first, second, third = read_files([folder], "train")
    assert not isinstance(first, SegmentError)
    assert "2: label is int 7; expected 0 or 1" in str(second)
    assert "99: train lists it, and it has no text" in str(third)


def test_wrong_files_are_named(folder):
    pickled(folder / "data_folds.pkl", {"training": [1]})
    with pytest.raises(DataError, match=r"data_folds.pkl: no list of the train split; found 'tra"):
        read(folder)
    pickled(folder / "humor_label_sdk.pkl", [1, 0])
    pickled(folder / "data_folds.pkl", {"train": [1]})
    with pytest.raises(
        DataError, match=r"humor_label_sdk.pkl: expected a dict by id, found a list"
    ):
        read(folder)
