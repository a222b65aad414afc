"""The pickles of IEMOCAP and MELD that DialogueRNN, MMGCN and COSMIC use."""

import json
import pickle

import numpy as np
import pytest
from written_corpora import (
    IEMOCAP,
    MELD,
    cosmic_pickle,
    dialogues,
    iemocap_pickle,
    meld_pickle,
    pickled,
)

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.validation import the_segments
from mmf_cmsbert.errors import DataError, SegmentError


def read(file, split="train", **options):
    return list(the_segments(read_files([file], split, **options)))


def videos(segments):
    return list(dict.fromkeys(segment.video for segment in segments))


@pytest.mark.parametrize("protocol", [2, 4])
def test_iemocap_without_a_list_for_validation_gets_that_of_cosmic(tmp_path, protocol):
    file = iemocap_pickle(tmp_path, protocol)
    for split, expected in IEMOCAP.items():
        assert sorted(videos(read(file, split))) == sorted(expected)


def test_an_utterance_has_its_text_class_and_one_frame_of_each_modality(tmp_path):
    ids, speakers, emotions, _, acoustic, visual, sentences = dialogues(
        [*IEMOCAP["train"], *IEMOCAP["val"], *IEMOCAP["test"]]
    )
    name = IEMOCAP["test"][1]
    found = [s for s in read(iemocap_pickle(tmp_path), "test") if s.video == name]
    assert [s.id for s in found] == ids[name]
    names = ("happy", "sad", "neutral", "angry", "excited", "frustrated")
    assert [s.metadata["emotion"] for s in found] == [names[each] for each in emotions[name]]
    assert [" ".join(s.words) for s in found] == sentences[name]
    assert [s.metadata["speaker"] for s in found] == speakers[name]
    for i, segment in enumerate(found):
        assert np.array_equal(segment.frames["acoustic"], acoustic[name][i][None])
        assert np.array_equal(segment.frames["visual"], visual[name][i][None])


@pytest.mark.parametrize("visual", [True, False])
def test_meld_is_split_by_its_official_numbers(tmp_path, visual):
    file = meld_pickle(tmp_path, visual)
    for split, expected in MELD.items():
        assert videos(read(file, split)) == list(map(str, expected))
    (first, *_) = read(file, "val")
    assert (first.id, first.metadata["speaker"]) == ("1039[0]", 1)
    assert first.frames["acoustic"].shape == (1, 300)
    assert ("visual" in first.frames) == visual


def test_a_file_with_all_lists_uses_them_and_needs_no_features(tmp_path):
    file = cosmic_pickle(tmp_path)
    for split, expected in IEMOCAP.items():
        assert videos(read(file, split)) == expected
    assert read(file)[0].frames.get("visual") is None


@pytest.mark.parametrize("write", [iemocap_pickle, meld_pickle, cosmic_pickle])
def test_the_layout_is_recognised_by_the_beginning_of_the_file(tmp_path, write):
    source = find_source([write(tmp_path)])
    assert source.layouts == ("conversations",)
    assert set(source.files) == {"train", "val", "test"}


def test_words_of_previous_utterances_come_first(tmp_path):
    file = cosmic_pickle(tmp_path)
    third = read(file, "test", context=1)[2]
    own = read(file, "test")
    assert third.words == (*own[1].words, "[SEP]", *own[2].words)
    assert read(file, "test", context=1)[0].words == own[0].words


def test_splits_json_beside_the_file_comes_first(tmp_path):
    file = meld_pickle(tmp_path)
    lists = {"train": ["0", "1153"], "val": ["1"], "test": ["1038"]}
    (tmp_path / "splits.json").write_text(json.dumps(lists))
    assert videos(read(file, "train")) == ["0", "1153"]
    assert videos(read(file, "test")) == ["1038"]


def test_other_dialogues_without_a_list_for_validation_are_refused(tmp_path):
    file = pickled(tmp_path / "own.pkl", (*dialogues(["a", "b"]), ["a"], ["b"]))
    assert videos(read(file, "test")) == ["b"]
    with pytest.raises(DataError, match=r"none for val, .* write .*DIALOGUE.* into splits.json"):
        read(file, "val")


def test_a_dialogue_without_text_is_named(tmp_path):
    file = pickled(tmp_path / "own.pkl", (*dialogues(["a"]), ["a", "c"], ["a"]))
    with pytest.raises(DataError, match="train lists dialogue 'c', which has no text"):
        read(file)


def test_vectors_where_sentences_should_be_are_named(tmp_path):
    parts = dialogues(["a"])
    parts[6] = parts[5]
    file = pickled(tmp_path / "own.pkl", (*parts, ["a"], ["a"]))
    with pytest.raises(DataError, match=r"sentences of dialogue 'a' as a list of texts in part 7"):
        read(file, "test")


def test_a_dialogue_with_too_few_values_is_an_error_for_each_of_its_utterances(tmp_path):
    parts = dialogues(["a", "b"])
    parts[2]["a"] = [1]
    file = pickled(tmp_path / "own.pkl", (*parts, ["a"], ["a", "b"]))
    found = list(read_files([file], "test"))
    assert [isinstance(each, SegmentError) for each in found] == [True] * 2 + [False] * 3
    assert "emotion: expected a value for each of the 2 utterances" in str(found[0])


@pytest.mark.parametrize(("label", "expected"), [(-1, None), (np.int64(2), 2), ("happy", "class")])
def test_a_label_is_the_number_of_a_class_and_minus_one_is_unknown(tmp_path, label, expected):
    parts = dialogues(["a"])
    parts[2]["a"] = [label, 0]
    file = pickled(tmp_path / "own.pkl", (*parts, ["a"], ["a"]))
    (first, _) = read_files([file], "test")
    if expected == "class":
        assert "emotion is str 'happy'; expected the number of a class" in str(first)
    else:
        assert first.metadata.get("emotion") == expected


def test_meld_s_numbers_have_names_and_a_number_beyond_them_is_an_error(tmp_path):
    file = meld_pickle(tmp_path)
    assert {s.metadata["sentiment"] for s in read(file)} == {"neutral", "positive", "negative"}
    assert read(file, "test")[0].metadata["emotion"] == "disgust"  # 5
    content = list(pickle.loads(file.read_bytes()))
    content[2][1153][0] = 7
    pickled(file, tuple(content))
    with pytest.raises(SegmentError, match=r"emotion is int 7; expected .*, from 0 to 6"):
        read(file, "test")
