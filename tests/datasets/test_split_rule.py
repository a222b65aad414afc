"""Data without splits is divided by its videos, the same way each time."""

from dataclasses import replace

import pytest

from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.datasets.split_rule import in_split, split_of
from mmf_cmsbert.errors import SegmentError

RULE = {"seed": 1, "val": 0.1, "test": 0.2, "by": "video"}
SEGMENTS = [Segment(f"v{i // 3}[{i % 3}]", f"v{i // 3}", ("so",), {}, 0.0) for i in range(3000)]


def parts(rule=RULE, segments=SEGMENTS):
    return {s: [each.id for each in in_split(segments, s, rule)] for s in SPLITS}


def test_each_segment_is_in_one_split_and_no_video_in_two():
    found = parts()
    assert sorted(sum(found.values(), [])) == sorted(each.id for each in SEGMENTS)
    videos = [{name.split("[")[0] for name in ids} for ids in found.values()]
    assert not (videos[0] & videos[1] or videos[0] & videos[2] or videos[1] & videos[2])


def test_shares_are_about_those_of_the_rule():
    found = parts()
    assert abs(len(found["val"]) / 3000 - 0.1) < 0.03
    assert abs(len(found["test"]) / 3000 - 0.2) < 0.03


def test_further_data_leaves_earlier_data_in_its_split():
    assert {s: ids[:20] for s, ids in parts(segments=SEGMENTS[:300]).items()} == {
        s: ids[:20] for s, ids in parts().items()
    }
    assert parts({**RULE, "seed": 2}) != parts()


def test_a_column_of_the_data_can_keep_segments_together():
    told = [replace(s, metadata={"speaker": f"s{i % 40}"}) for i, s in enumerate(SEGMENTS)]
    rule = {**RULE, "by": "speaker"}
    for split in SPLITS:
        for each in in_split(told, split, rule):
            assert split_of(each.metadata["speaker"], rule) == split
    with pytest.raises(SegmentError, match="has no 'speaker'.*expected video, segment"):
        list(in_split(SEGMENTS, "train", rule))


def test_an_error_is_told_once():
    broken = [SegmentError("broken"), *SEGMENTS[:3]]
    errors = [e for s in SPLITS for e in in_split(broken, s, RULE) if isinstance(e, SegmentError)]
    assert len(errors) == 1
