from itertools import combinations

import pytest

from mmf_cmsbert.datasets.folds import leave_videos_out
from mmf_cmsbert.errors import ConfigError

# a: 4 segments, b: 3, c: 2, d: 2, e: 1
VIDEOS = [*"aabbacdedcba"]


def test_parts_fill_up_evenly_with_the_longest_video_first():
    # a, b, c go to parts 1, 2, 3, d to part 3, e to part 2: 4 segments each
    first = leave_videos_out(VIDEOS, 3)[0]
    assert {VIDEOS[i] for i in first["test"]} == {"a"}
    assert {VIDEOS[i] for i in first["val"]} == {"b", "e"}
    assert {VIDEOS[i] for i in first["train"]} == {"c", "d"}


@pytest.mark.parametrize("folds", [3, 4, 5])
def test_no_video_is_on_two_sides_and_each_is_tested_on_once(folds):
    parts = leave_videos_out(VIDEOS, folds)
    for part in parts:
        assert sorted(sum(part.values(), [])) == list(range(len(VIDEOS)))
        for one, other in combinations(part.values(), 2):
            assert not {VIDEOS[i] for i in one} & {VIDEOS[i] for i in other}
    assert sorted(sum((part["test"] for part in parts), [])) == list(range(len(VIDEOS)))
    assert sorted(sum((part["val"] for part in parts), [])) == list(range(len(VIDEOS)))


@pytest.mark.parametrize("folds", [0, 2, 6])
def test_too_few_folds_or_videos_are_refused(folds):
    with pytest.raises(ConfigError, match=f"{folds} folds of 5 videos: expected from 3 folds"):
        leave_videos_out(VIDEOS, folds)
