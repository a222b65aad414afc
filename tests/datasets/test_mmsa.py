"""MMSA's aligned and unaligned pickles."""

import pickle

import numpy as np
import pytest
from written_layouts import make_segments, mmsa_split

from mmf_cmsbert.datasets.layouts import read_split
from mmf_cmsbert.errors import DataError


@pytest.fixture
def segments():
    return make_segments(np.random.default_rng(0), "train", count=4, aligned=False)


@pytest.fixture
def read(tmp_path):
    def read(fields, split="train", layout="auto"):
        path = tmp_path / "mmsa.pkl"
        path.write_bytes(pickle.dumps({"train": fields, "valid": fields, "test": fields}))
        return read_split(path, split, layout)

    return read


@pytest.mark.parametrize("layout", ["auto", "mmsa"])
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_stated_lengths_are_the_lengths_whatever_the_padding_holds(read, segments, split, layout):
    found = read(mmsa_split(segments, lengths=True), split, layout)
    for one, other in zip(found, segments, strict=True):
        assert one.words == other.words
        assert one.video == other.video
        assert one.label == other.label
        assert np.array_equal(one.visual, other.visual)
        assert np.array_equal(one.acoustic, other.acoustic)
        assert type(one.visual) is np.ndarray


def test_infinity_inside_the_stated_length_stays_to_be_found(read, segments):
    fields = mmsa_split(segments, lengths=True)
    fields["audio_lengths"][1] += 2
    assert np.isneginf(read(fields)[1].acoustic).any()


def test_frames_do_not_keep_the_padding_of_all_segments_in_memory(read, segments):
    visual = read(mmsa_split(segments, lengths=True))[0].visual
    assert visual.base is None or visual.base.nbytes == visual.nbytes


def test_without_lengths_words_whose_rows_are_zero_are_words(read):
    aligned = make_segments(np.random.default_rng(1), "train", count=4)
    for one, other in zip(read(mmsa_split(aligned, lengths=False)), aligned, strict=True):
        assert len(one.visual) == len(one.acoustic) == len(one.words)
        assert np.array_equal(one.visual, other.visual)


def test_without_lengths_rows_beyond_the_words_are_unaligned_frames(read, segments):
    (one, *_) = read(mmsa_split(segments, lengths=False))
    assert len(one.acoustic) == len(segments[0].acoustic) > len(one.words)
    assert len(one.visual) == len(one.acoustic)


def test_a_text_longer_than_the_rows_keeps_all_its_words(read, segments):
    fields = mmsa_split(segments, lengths=False)
    fields["raw_text"] = [" ".join(["word"] * 60)] * 4
    assert len(read(fields)[0].words) == 60
    assert len(read(fields)[0].visual) == fields["vision"].shape[1]


def test_a_modality_or_label_that_the_file_lacks_is_missing(read, segments):
    fields = mmsa_split(segments, lengths=True)
    del fields["vision"], fields["vision_lengths"], fields["regression_labels"]
    found = read(fields)
    assert all(s.visual is None and s.label is None for s in found)
    assert all(s.acoustic is not None for s in found)


def changed(**changes):
    def change(fields):
        fields.update(changes)
        return {key: value for key, value in fields.items() if value is not None}

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed(raw_text=None), "train: no 'raw_text'.*of which vocabulary its ids are"),
        (changed(raw_text=None, text_bert=None), "train: no 'raw_text'"),
        (changed(raw_text=["a"] * 3), "3 in 'raw_text' but 4 in 'id'"),
        (changed(raw_text=["a", "b", " ", "d"]), r"entry 2 \(.*\): the segment has no words"),
        (changed(raw_text=["a", "b", 3, "d"]), "entry 2: expected the text"),
        (changed(raw_text=["a", b"caf\xe9", "c", "d"]), "entry 1: the text is no UTF-8"),
        (changed(id=["v$_$1"] * 4), r"v\$_\$1 stands twice"),
        (changed(id="abcd"), "list or an array under 'id', found str"),
        (changed(vision=np.zeros((4, 5))), r"\(segments, rows, width\) under 'vision'"),
        (changed(vision=np.zeros((3, 9, 5))), "3 in 'vision' but 4 in 'id'"),
        (changed(audio=[[1.0]] * 4), "under 'audio', found a list of 4"),
        (changed(audio=np.full((4, 2, 2), "x")), "array of numbers .* under 'audio'"),
        (changed(audio_lengths=[1, 2]), "2 in 'audio_lengths' but 4 in 'id'"),
        (changed(audio_lengths=[1, 99, 1, 1]), "entry 1: audio_lengths is int 99; expected"),
        (changed(vision_lengths=[-1, 1, 1, 1]), "entry 0: vision_lengths is int -1"),
        (changed(vision_lengths=[1.5, 1, 1, 1]), "entry 0: vision_lengths is float 1.5"),
        (changed(regression_labels=np.zeros((4, 3))), "entry 0 .*expected a label"),
        (changed(regression_labels=["good"] * 4), "expected a label of one number"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(read, segments, change, message):
    with pytest.raises(DataError, match=message):
        read(change(mmsa_split(segments, lengths=True)))


def test_a_split_that_is_not_there(tmp_path, segments):
    path = tmp_path / "mmsa.pkl"
    path.write_bytes(pickle.dumps({"train": mmsa_split(segments, lengths=True)}))
    with pytest.raises(DataError, match="dict under 'valid', the val split; found .'train'"):
        read_split(path, "val")
