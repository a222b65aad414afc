"""MUStARD's JSON, features and folds."""

import json

import numpy as np
import pytest
from written_corpora import mustard_json, pickled

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.validation import the_segments
from mmf_cmsbert.errors import DataError, SegmentError

SPLITS = ("train", "val", "test")


@pytest.fixture
def folder(tmp_path):
    return mustard_json(tmp_path / "mustard")


def read(path, split="train", **options):
    return list(the_segments(read_files([path], split, **options)))


def numbers(path, split, **options):
    return [int(segment.id.split("_")[1]) for segment in read(path, split, **options)]


def test_folder_file_and_repository_are_recognised(folder, tmp_path):
    (tmp_path / "data").symlink_to(folder)
    for path in (folder, folder / "sarcasm_data.json", tmp_path):
        source = find_source([path])
        assert source.layouts == ("mustard",)
        assert set(source.files) == set(SPLITS)


def test_speaker_independent_tests_on_friends_and_validates_on_a_fifth_of_the_others(folder):
    found = {split: numbers(folder, split) for split in SPLITS}
    assert found["test"] == list(range(0, 30, 3))
    others = [i for i in range(30) if i % 3]
    assert found["val"] == others[4::5]
    assert sorted(found["train"] + found["val"]) == others


def test_a_fold_tests_on_its_positions_and_validates_on_the_next(folder):
    found = {split: numbers(folder, split, fold=5) for split in SPLITS}
    assert found["test"] == [i for i in range(30) if i % 5 == 4]
    assert found["val"] == [i for i in range(30) if i % 5 == 0]
    assert sorted(found["train"] + found["val"] + found["test"]) == list(range(30))


def test_an_utterance_has_its_class_and_its_frames_in_rows(folder):
    first, *_ = read(folder, "test")
    assert (first.id, first.label) == ("1_0", 1)
    assert first.words == ("oh", "no,", "right?")
    assert first.frames["acoustic"].shape == (4, 9)
    assert first.frames["visual"].shape == (5, 12)
    assert first.metadata == {"speaker": "SHELDON", "show": "FRIENDS"}


def test_the_context_is_the_list_of_utterances_before(folder):
    segment = read(folder, "train", context=2)[1]
    assert segment.id == "1_2"
    text = "turn 1 of 2 [SEP] turn 2 of 2 [SEP]"
    assert segment.words[:10] == tuple(text.split())


def test_the_text_is_enough(tmp_path):
    folder = mustard_json(tmp_path, features=False)
    assert all(
        s.frames.get("visual") is None and s.frames.get("acoustic") is None for s in read(folder)
    )


def test_splits_json_comes_first(folder):
    lists = {"train": ["1_0"], "val": ["1_1"], "test": ["1_2", "1_3"]}
    (folder / "splits.json").write_text(json.dumps(lists))
    assert numbers(folder, "test") == [2, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sarcasm": "maybe"}, "sarcasm is str 'maybe'; expected true or false"),
        ({"utterance": 3}, "utterance: expected the text of the segment, found int 3"),
        ({"context": "before"}, "expected a list as context"),
    ],
)
def test_a_wrong_value_is_an_error_of_its_utterance(folder, change, message):
    file = folder / "sarcasm_data.json"
    rows = json.loads(file.read_text())
    rows["1_1"] |= change
    file.write_text(json.dumps(rows))
    first, *others = read_files([folder], "train")
    assert isinstance(first, SegmentError)
    assert "1_1" in str(first)
    assert message in str(first)
    assert not any(isinstance(each, SegmentError) for each in others)


def test_wrong_files_are_named(folder):
    with pytest.raises(DataError, match=r"fold is 6; .*split_indices.p has 5"):
        read(folder, fold=6)
    pickled(folder / "split_indices.p", [(np.arange(3), np.arange(4))])
    with pytest.raises(DataError, match=r"split_indices.p: expected folds .* each of 30"):
        read(folder, fold=1)
    (folder / "split_indices.p").unlink()
    with pytest.raises(DataError, match=r"fold is 1, and .*split_indices.p does not exist"):
        read(folder, fold=1)
    (folder / "sarcasm_data.json").write_text('{"1_0": {"utterance": "a", "sarcasm": true}')
    with pytest.raises(DataError, match="is not JSON"):
        read(folder)


def test_the_real_text_gives_the_published_numbers(shared):
    found = {split: read(shared / "mustard", split) for split in SPLITS}
    assert {split: len(each) for split, each in found.items()} == {
        "train": 268,
        "val": 66,
        "test": 356,
    }
    assert sum(segment.label for each in found.values() for segment in each) == 345
