"""MMSA's aligned and unaligned pickles."""

import pickle

import numpy as np
import pytest
from written_layouts import make_segments, mmsa_split

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.validation import the_segments
from mmf_cmsbert.errors import DataError


@pytest.fixture
def segments():
    return make_segments(np.random.default_rng(0), "train", count=4, aligned=False)


@pytest.fixture
def read(tmp_path):
    def read(fields, split="train", layout="auto", vocabulary=None):
        path = tmp_path / "mmsa.pkl"
        path.write_bytes(pickle.dumps({"train": fields, "valid": fields, "test": fields}))
        return list(the_segments(read_files([path], split, layout, vocabulary=vocabulary)))

    return read


@pytest.mark.parametrize("layout", ["auto", "mmsa"])
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_stated_lengths_are_the_lengths_whatever_the_padding_holds(read, segments, split, layout):
    found = read(mmsa_split(segments, lengths=True), split, layout)
    for one, other in zip(found, segments, strict=True):
        assert one.words == other.words
        assert one.video == other.video
        assert one.label == other.label
        assert np.array_equal(one.frames["visual"], other.frames["visual"])
        assert np.array_equal(one.frames["acoustic"], other.frames["acoustic"])
        assert type(one.frames["visual"]) is np.ndarray


def test_infinity_inside_the_stated_length_stays_to_be_found(read, segments):
    fields = mmsa_split(segments, lengths=True)
    fields["audio_lengths"][1] += 2
    assert np.isneginf(read(fields)[1].frames["acoustic"]).any()


def test_without_lengths_words_whose_rows_are_zero_are_words(read):
    aligned = make_segments(np.random.default_rng(1), "train", count=4)
    for one, other in zip(read(mmsa_split(aligned, lengths=False)), aligned, strict=True):
        assert len(one.frames["visual"]) == len(one.frames["acoustic"]) == len(one.words)
        assert np.array_equal(one.frames["visual"], other.frames["visual"])


def test_without_lengths_rows_beyond_the_words_are_unaligned_frames(read, segments):
    (one, *_) = read(mmsa_split(segments, lengths=False))
    assert len(one.frames["acoustic"]) == len(segments[0].frames["acoustic"]) > len(one.words)
    assert len(one.frames["visual"]) == len(one.frames["acoustic"])


def test_a_text_longer_than_the_rows_keeps_all_its_words(read, segments):
    fields = mmsa_split(segments, lengths=False)
    fields["raw_text"] = [" ".join(["word"] * 60)] * 4
    assert len(read(fields)[0].words) == 60
    assert len(read(fields)[0].frames["visual"]) == fields["vision"].shape[1]


def test_a_modality_or_label_that_the_file_lacks_is_missing(read, segments):
    fields = mmsa_split(segments, lengths=True)
    del fields["vision"], fields["vision_lengths"], fields["regression_labels"]
    found = read(fields)
    assert all(s.frames.get("visual") is None and s.label is None for s in found)
    assert all(s.frames.get("acoustic") is not None for s in found)


def changed(**changes):
    def change(fields):
        fields.update(changes)
        return {key: value for key, value in fields.items() if value is not None}

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed(raw_text=None), "train: no 'raw_text'.*does not name the vocabulary of its ids"),
        (changed(raw_text=None, text_bert=None), "train: no 'raw_text'"),
        (changed(raw_text=["a"] * 3), "3 in 'raw_text' but 4 in 'id'"),
        (changed(raw_text=["a", "b", " ", "d"]), r"entry 2 \(.*\): the segment has no words"),
        (changed(raw_text=["a", "b", 3, "d"]), "entry 2: expected the text"),
        (changed(raw_text=["a", b"caf\xe9", "c", "d"]), "entry 1: the text is not UTF-8"),
        (changed(id=["v$_$1"] * 4), r"v\$_\$1 occurs twice"),
        (changed(id="abcd"), "list or an array under 'id', found str"),
        (changed(vision=np.zeros((4, 5))), r"\(segments, rows, width\).* under 'vision'"),
        (changed(vision=np.zeros((3, 9, 5))), "3 in 'vision' but 4 in 'id'"),
        (changed(audio=[["a"]] * 4), "entry 0: expected the acoustic frames .* found a list of 1"),
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
    with pytest.raises(
        DataError, match="no val split; .* a dict under 'val' or .*'valid'.*found only 'train'"
    ):
        list(read_files([path], "val"))


SPECIAL = ["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]"]
VOCABULARY = [*SPECIAL, "great", "film", "play", "##ing", "##s", "playing", "!", "##l"]


def with_ids(segments, *rows, mask=None):
    """Return a split with the ids of each segment's text in a row."""
    fields = mmsa_split(segments[: len(rows)], lengths=True)
    ids = np.array(rows, np.float32)
    mask = np.array([[1.0] * 5 + [0.0]] * len(rows)) if mask is None else mask
    fields["text_bert"] = np.stack((ids, mask, np.zeros_like(ids)), 1)
    del fields["raw_text"]
    return fields


def test_ids_are_words_with_a_vocabulary_that_matches(read, segments):
    fields = with_ids(segments, [3, 5, 6, 11, 4, 0], [3, 7, 9, 2, 4, 0])
    one, two = read(fields, vocabulary=VOCABULARY)
    assert (one.words, two.words) == (("great", "film", "!"), ("plays", "[UNK]"))
    assert np.array_equal(one.frames["visual"], segments[0].frames["visual"])
    with pytest.raises(DataError, match="no 'raw_text'.*name the tokenizer's vocab.txt"):
        read(fields)


def test_the_text_comes_before_ids_of_whatever_vocabulary(read, segments):
    fields = mmsa_split(segments, lengths=True)
    found = read(fields, vocabulary=["of", "another"])
    assert [s.words for s in found] == [s.words for s in segments]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([3, 5, 6, 99, 4, 0], "id float 99.0; it has 13 pieces"),
        ([3, 5, 6, -1, 4, 0], "id float -1.0"),
        ([3, 5, 6, 1.5, 4, 0], "id float 1.5"),
        ([3, 5, 6, np.nan, 4, 0], "id float nan"),
        ([5, 5, 6, 7, 4, 0], r"from 'great' to '\[SEP\]'"),
        ([3, 5, 6, 7, 6, 0], r"from '\[CLS\]' to 'film'"),
        ([3, 5, 6, 7, 4, 6], r"then \['film'\]; expected"),
        ([3, 8, 6, 7, 4, 0], "'##ing' begins the text"),
        ([3, 5, 1, 7, 4, 0], r"'\[unused1\]' between words"),
        ([3, 5, 4, 7, 4, 0], r"'\[SEP\]' between words"),
        ([3, 5, 7, 8, 4, 0], r"\['play', '##ing'\], which it would cut into \['playing'\]"),
    ],
)
def test_ids_of_another_vocabulary_are_refused(read, segments, row, message):
    with pytest.raises(DataError, match=f"train entry 0: .*{message}") as error:
        read(with_ids(segments, row), vocabulary=VOCABULARY)
    assert "does not match the ids" in str(error.value)


@pytest.mark.parametrize(
    "mask", [[1, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0], [2, 1, 1, 1, 1, 0]]
)
def test_a_mask_that_is_none_is_refused(read, segments, mask):
    with pytest.raises(DataError, match="entry 0: the mask of 'text_bert'"):
        fields = with_ids(segments, [3, 5, 6, 7, 4, 0], mask=[mask])
        read(fields, vocabulary=VOCABULARY)


def test_what_is_no_vocabulary_or_no_ids(read, segments):
    fields = with_ids(segments, [3, 5, 6, 7, 4, 0])
    with pytest.raises(DataError, match="vocabulary of 2 word pieces without"):
        read(fields, vocabulary=["great", "film"])
    with pytest.raises(DataError, match=r"\(segments, 3, length\)"):
        read(fields | {"text_bert": np.zeros((1, 2, 6))}, vocabulary=VOCABULARY)
    with pytest.raises(DataError, match="2 in 'text_bert' but 1 in 'id'"):
        read(fields | {"text_bert": np.zeros((2, 3, 6))}, vocabulary=VOCABULARY)
    with pytest.raises(DataError, match="expected 'text_bert' as .*; found a list"):
        read(fields | {"text_bert": [1]}, vocabulary=VOCABULARY)


def test_labels_and_ids_as_mult_has_them_and_upper_case(read, segments):
    fields = mmsa_split(segments, lengths=True)
    fields["LABELS"] = fields.pop("regression_labels").reshape(-1, 1, 1)
    fields["ID"] = np.array([["v", f"{i}.5", f"{i + 1}.25"] for i in range(4)], "S9")
    del fields["id"]
    found = read({name.upper(): value for name, value in fields.items()})
    assert [s.label for s in found] == [s.label for s in segments]
    assert (found[1].id, found[1].video, found[1].start, found[1].end) == (
        "v_1.5_2.25",
        "v",
        1.5,
        2.25,
    )
    assert np.array_equal(found[2].frames["visual"], segments[2].frames["visual"])


@pytest.mark.parametrize("name", ["dev", "val", "validation", "DEV"])
def test_other_names_of_the_validation_split(tmp_path, segments, name):
    path = tmp_path / "mmsa.pkl"
    path.write_bytes(pickle.dumps({"Train": {}, name: mmsa_split(segments, lengths=True)}))
    assert len(list(the_segments(read_files([path], "val")))) == 4


def test_two_names_of_a_field_side_by_side_agree_or_are_refused(read, segments):
    fields = mmsa_split(segments, lengths=True)
    labels = fields["regression_labels"].reshape(-1, 1, 1).astype(np.float64)
    assert [s.label for s in read(fields | {"labels": labels})] == [s.label for s in segments]
    with pytest.raises(DataError, match="'regression_labels' and 'labels' both give the label"):
        read(fields | {"labels": labels + 0.1})
    with pytest.raises(DataError, match="'id' and 'ids' both give the id"):
        read(fields | {"ids": ["a", "b", "c", "d"]})


def ragged(frames):
    array = np.empty(len(frames), object)
    array[:] = frames
    return array


@pytest.mark.parametrize(
    "written",
    [
        list,
        tuple,
        ragged,
        lambda frames: [each.tolist() for each in frames],
        lambda frames: [list(each) for each in frames],
        lambda frames: ragged([each.astype(object) for each in frames]),
        lambda frames: ragged([each.T.copy().T for each in frames]),
    ],
)
def test_frames_of_many_lengths_without_padding(read, segments, written):
    fields = mmsa_split(segments, lengths=True)
    del fields["vision_lengths"]
    found = read(fields | {"vision": written([s.frames["visual"] for s in segments])})
    for one, other in zip(found, segments, strict=True):
        assert np.array_equal(one.frames["visual"], other.frames["visual"]) and np.array_equal(
            one.frames["acoustic"], other.frames["acoustic"]
        )


def test_objects_of_one_length_are_an_array(read, segments):
    frames = np.array([s.frames["visual"][:3].tolist() for s in segments], object)
    fields = mmsa_split(segments, lengths=True) | {"vision": frames, "vision_lengths": None}
    assert np.array_equal(read(fields)[0].frames["visual"], segments[0].frames["visual"][:3])


def test_a_list_that_repeats_a_long_frame_is_refused(read, segments):
    row = np.zeros(10**6, np.float32)
    fields = mmsa_split(segments, lengths=True) | {"vision_lengths": None}
    with pytest.raises(DataError, match="expected the visual frames"):
        read(fields | {"vision": [[row] * 1000] * 4})


def test_padding_in_front_of_the_frames(read, segments):
    fields = mmsa_split(segments, lengths=True)
    for name, modality in (("vision", "visual"), ("audio", "acoustic")):
        fields[name] = np.zeros_like(fields[name])
        for row, segment in zip(fields[name], segments, strict=True):
            row[-len(segment.frames.get(modality)) :] = segment.frames.get(modality)
    for one, other in zip(read(fields), segments, strict=True):
        assert np.array_equal(one.frames["visual"], other.frames["visual"])
        assert np.array_equal(one.frames["acoustic"], other.frames["acoustic"])


def test_vectors_of_words_are_no_text(read, segments):
    fields = mmsa_split(segments, lengths=True) | {"text": np.zeros((4, 50, 300))}
    assert [s.words for s in read(fields)] == [s.words for s in segments]
    del fields["raw_text"], fields["text_bert"]
    with pytest.raises(
        DataError, match=r"no 'raw_text'.*'text' holds an array of shape \(4, 50, 300\)"
    ):
        read(fields)
