"""Videos of .csd files split by a user's lists."""

import json

import numpy as np
import pytest
from written_layouts import SPLITS, make_segments, write_csd

from mmf_cmsbert.datasets.conversion import ConversionSettings, convert
from mmf_cmsbert.datasets.inspection.inspection import inspect_source
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.readers.video_lists import read_video_lists
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.validation import the_segments
from mmf_cmsbert.errors import ConfigError, DataError, SegmentError


@pytest.fixture
def own(tmp_path):
    """Computational sequences of videos that are not in the canonical lists."""
    ones = np.ones((2, 3), np.float32)
    frames = {"visual": ones, "acoustic": ones}
    segments = [Segment(f"{v}[0]", v, ("not", "great"), frames, 1.0, 0.0, 2.0) for v in "abcd"]
    write_csd(tmp_path / "csd", {"train": segments})
    return tmp_path / "csd"


def lists(folder, content, name="splits.json"):
    (folder / name).write_text(json.dumps(content))
    return folder / name


def videos(files, split):
    return [s.video for s in the_segments(read_files(files, split))]


def test_the_lists_beside_the_files_split_them(own):
    lists(own, {"train": ["b", "a"], "DEV": ["c"]})
    source = find_source([own])
    assert source.files == {"train": [own], "val": [own]}
    assert videos([own], "train") == ["b", "a"] and videos([own], "val") == ["c"]
    files = sorted(own.glob("*.csd"))
    assert videos(files, "val") == ["c"]
    report = inspect_source(source)
    assert report["unlisted"] == ["d"]
    assert any("1 video with labels, but in no split: d" in each for each in report["findings"])


def test_lists_from_elsewhere_are_named_with_the_files(own, tmp_path):
    named = lists(tmp_path, {"train": ["d"]}, "mine.json")
    assert videos([own, named], "train") == ["d"]
    lists(own, {"train": ["a"], "val": ["b"]})
    assert videos([own, named], "train") == ["d"]
    # Without videos of another list.
    assert find_source([own, named]).files == {"train": [own, named]}


def test_without_lists_the_message_says_what_to_write(own):
    with pytest.raises(DataError, match="canonical train split.*To split these videos yourself"):
        list(read_files([own], "train"))
    with pytest.raises(
        ConfigError, match="--dataset mosi or --dataset mosei.*, or write.*splits.json"
    ):
        inspect_source(find_source([own]))


def test_a_listed_video_without_labels_is_an_error_of_its_own(own):
    lists(own, {"train": ["a", "z"]})
    one, error = read_files([own], "train")
    assert one.video == "a" and isinstance(error, SegmentError)
    assert "no labels for video z" in str(error)


def test_a_store_is_made_again_when_the_lists_change(own, tmp_path):
    settings = ConversionSettings("mosi")
    for content in (["a"], ["a", "b"]):
        lists(own, {"train": content})
        assert len(convert([own], "train", settings, tmp_path / "store")) == len(content)


def test_the_canonical_lists_hold_without_others(tmp_path):
    corpus = {s: make_segments(np.random.default_rng(0), s) for s in SPLITS}
    folder = write_csd(tmp_path, corpus)["train"]
    assert len(videos([folder], "val")) == 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"tset": ["a"]}, "'tset' is not a split; expected train; val, dev"),
        ({"train": ["a"], "test": ["a"]}, "video 'a' is in train and in test"),
        ({"train": ["a", "a"]}, "video 'a' is in train and in train"),
        ({"dev": ["a"], "val": ["b"]}, "'dev' and 'val' both name the val split"),
        ({"train": "a"}, "train: expected a list of video ids, found str 'a'"),
        ({"train": [1]}, "expected a list of video ids, found a list of 1"),
        ([1], "expected {.*found a list of 1"),
    ],
)
def test_what_is_no_lists_is_named(tmp_path, content, message):
    path = lists(tmp_path, content)
    with pytest.raises(DataError, match=message) as error:
        read_video_lists(path)
    assert str(path) in str(error.value)
    path.write_text("{")
    with pytest.raises(DataError, match="splits.json is not JSON"):
        read_video_lists(path)
