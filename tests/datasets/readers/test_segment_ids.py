"""Ids of segments, and the videos that they name."""

import numpy as np
import pytest

from mmf_cmsbert.datasets.readers.canonical import canonical_videos
from mmf_cmsbert.datasets.readers.segment_ids import Identity, identity, video_of
from mmf_cmsbert.errors import SegmentError


@pytest.mark.parametrize("corpus", ["mosi", "mosei"])
def test_every_canonical_video_is_found_in_ids_of_every_style(corpus):
    for split in ("train", "val", "test"):
        for video in canonical_videos(corpus, split):
            for name in ("{}[3]", "{}$_$12", "{}_7", "{}_12.5_14.25", "{}"):
                assert video_of(name.format(video)) == video


def test_the_ids_of_real_mosi(shared):
    lines = (shared / "mosi" / "transcripts_labels.csv").read_text().splitlines()[1:]
    for name, video in (line.split(",")[:2] for line in lines):
        assert video_of(name) == video


@pytest.mark.parametrize("name", ["clip_0", "clip_9", "segment_12", "recording_a_1", "a", "x_1_2"])
def test_other_ids_are_videos_of_their_own(name):
    assert video_of(name) == name


def test_videos_of_other_corpora_with_ids_of_the_same_form():
    assert video_of("dQw4w9WgXcQ_3") == "dQw4w9WgXcQ"
    assert video_of("987654_3") == "987654"
    assert video_of("my_film$_$clip_1") == "my_film"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("v[0]", Identity("v[0]", "v")),
        (b" v[0] ", Identity("v[0]", "v")),
        (7, Identity("7", "7")),
        (np.array(["v[0]"]), Identity("v[0]", "v")),
        (np.array([["v", "2.5", "4.0"]]), Identity("v_2.5_4.0", "v", 2.5, 4.0)),
        (np.array([b"v", b"2.5", b"4.0"]), Identity("v_2.5_4.0", "v", 2.5, 4.0)),
        (["v", 2.5, np.float32(4)], Identity("v_2.5_4.0", "v", 2.5, 4.0)),
        (("v", "9", "3"), Identity("v_9_3", "v")),
        (("v", "a", "b"), Identity("v_a_b", "v")),
        (["v", "3"], Identity("v$_$3", "v")),
    ],
)
def test_ids_are_text_or_rows(value, expected):
    assert identity(value, "f") == expected


@pytest.mark.parametrize(
    "value", ["", " ", "\u200b", None, True, 2.5, [], ["v", None], list("abcd"), 10**30, {}, [[1]]]
)
def test_what_is_no_id_is_refused(value):
    with pytest.raises(SegmentError, match="f: expected a segment id"):
        identity(value, "f")
