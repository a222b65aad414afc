import numpy as np

from mmf_cmsbert.media.extractor import SeenFace
from mmf_cmsbert.media.face_tracks import FaceTracks, face_of_points, overlap, point_columns


def seen(left, value, mouth=0.0):
    box = (left, 0.2, left + 0.2, 0.6)
    return SeenFace(box, np.array([value], np.float32), mouth)


def test_the_face_whose_mouth_moves_is_followed_although_the_order_changes():
    tracks = FaceTracks(["value"])
    for i in range(30):
        silent, speaker = seen(0.1 + i * 0.002, 1), seen(0.6, 2, mouth=i % 5)
        tracks.add(i / 30, [silent, speaker] if i % 2 else [speaker, silent])
    found = tracks.speaker(0, 1)
    assert found.values.tolist() == [[2.0]] * 30
    assert np.allclose(found.times, np.arange(30) / 30)


def test_pictures_without_a_face_have_no_frames_and_a_clip_without_one_has_none():
    tracks = FaceTracks(["value"])
    for i in range(10):
        tracks.add(i / 10, [seen(0.4, i)] if i in (2, 3, 7) else [])
    assert tracks.speaker(0, 1).times.tolist() == [0.2, 0.3, 0.7]
    assert tracks.present == [i in (2, 3, 7) for i in range(10)]
    assert tracks.speaker(0.8, 1) is None


def test_overlap_is_the_shared_part_of_the_area():
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == 1 / 3
    assert overlap((0, 0, 1, 1), (2, 2, 3, 3)) == 0


def test_features_do_not_depend_on_place_and_size():
    points = np.random.default_rng(0).normal(size=(6, 2)) * 10 + 100
    one, other = (
        face_of_points(p, (640, 360), ([0, 1], [2, 3]), (4, 5)) for p in (points, points * 2 + 7)
    )
    assert np.allclose(one.values[:12], other.values[:12], atol=1e-5)
    assert np.isclose(one.mouth, other.mouth)
    assert np.allclose(other.values[-1], 2 * one.values[-1])
    assert len(one.values) == len(point_columns(6, "xy"))
