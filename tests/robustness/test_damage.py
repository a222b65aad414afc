import numpy as np
import pytest

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.robustness.damage import columns_of, damaged


def segments(count=40, seed=0):
    rng = np.random.default_rng(seed)
    frames = [rng.normal(2, 3, (10, 4)).astype(np.float32) for _ in range(count)]
    return [
        Segment(str(i), "v", ("a",) * 10, {"visual": each, "acoustic": each + 1}, 1.0)
        for i, each in enumerate(frames)
    ]


def all_damaged(kind, level, modalities=("visual",), seed=1):
    given = segments()
    columns = columns_of(given)
    return given, [damaged(s, kind, level, modalities, columns, seed) for s in given], columns


@pytest.mark.parametrize("kind", ["frames", "segments", "noise", "shift"])
def test_level_zero_damages_nothing_and_other_modalities_stay(kind):
    given, found, _ = all_damaged(kind, 0)
    assert found == given
    given, found, _ = all_damaged(kind, 0.5)
    for before, after in zip(given, found, strict=True):
        assert (before.frames["acoustic"] == after.frames["acoustic"]).all()


@pytest.mark.parametrize("level", [0.25, 0.75])
def test_a_share_of_frames_becomes_the_mean_of_the_columns(level):
    given, found, columns = all_damaged("frames", level)
    lost = np.array([np.isclose(s.frames["visual"], columns["visual"].mean).all(1) for s in found])
    assert lost.mean() == pytest.approx(level, abs=0.08)
    kept = np.array([s.frames["visual"] for s in given])[~lost]
    assert (np.array([s.frames["visual"] for s in found])[~lost] == kept).all()


def test_a_share_of_segments_lacks_the_modality():
    _, found, _ = all_damaged("segments", 0.5)
    assert 0.25 < np.mean(["visual" not in s.frames for s in found]) < 0.75
    _, found, _ = all_damaged("segments", 1, ("visual", "acoustic"))
    assert not any(s.frames for s in found)


@pytest.mark.parametrize("kind", ["frames", "segments"])
def test_a_higher_level_damages_what_a_lower_one_does(kind):
    given, less, _ = all_damaged(kind, 0.3)
    _, more, _ = all_damaged(kind, 0.6)

    def changed(found):
        return [
            "visual" not in after.frames
            or (after.frames["visual"] != before.frames["visual"]).any(1).tolist()
            for before, after in zip(given, found, strict=True)
        ]

    assert all(
        np.all(np.less_equal(a, b)) for a, b in zip(changed(less), changed(more), strict=True)
    )


def test_noise_has_the_scale_of_the_columns():
    given, found, _ = all_damaged("noise", 0.5)
    added = np.array(
        [a.frames["visual"] - b.frames["visual"] for a, b in zip(found, given, strict=True)]
    )
    assert added.std() == pytest.approx(1.5, rel=0.1) and abs(added.mean()) < 0.2


def test_a_delay_moves_frames_and_fills_the_start():
    given, found, columns = all_damaged("shift", 0.3)
    before, after = given[0].frames["visual"], found[0].frames["visual"]
    assert np.allclose(after[:3], columns["visual"].mean) and (after[3:] == before[:7]).all()
    _, gone, _ = all_damaged("shift", 1)
    assert np.allclose(gone[0].frames["visual"], columns["visual"].mean)


def test_draws_come_from_the_seed():
    _, one, _ = all_damaged("frames", 0.5)
    _, same, _ = all_damaged("frames", 0.5)
    _, other, _ = all_damaged("frames", 0.5, seed=2)
    assert (one[0].frames["visual"] == same[0].frames["visual"]).all()
    assert any(
        (a.frames["visual"] != b.frames["visual"]).any() for a, b in zip(one, other, strict=True)
    )
