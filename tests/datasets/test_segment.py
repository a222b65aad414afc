"""Segments, their checksums and the order of their modalities."""

import zlib

import numpy as np
import pytest

from mmf_cmsbert.datasets.segment import Segment, checksum, in_order, unaligned

ONES, TWOS = np.ones((2, 3), np.float32), np.full((2, 1), 2, np.float32)


def segment(**frames):
    return Segment("v[0]", "v", ("so", "good"), frames, 1.5)


def test_a_missing_modality_is_not_in_the_mapping():
    assert list(segment(visual=None, gaze=ONES).frames) == ["gaze"]


def test_modalities_are_in_one_order_however_they_are_given():
    assert in_order(["gaze", "acoustic", "eda", "visual", "gaze"]) == [
        "visual",
        "acoustic",
        "eda",
        "gaze",
    ]


def test_checksums_of_visual_and_acoustic_frames_are_those_of_the_first_stores():
    text = repr(("v[0]", "v", ("so", "good"), 1.5, None, None)).encode()
    expected = zlib.crc32(text + ONES.tobytes() + TWOS.tobytes())
    assert checksum(segment(visual=ONES, acoustic=TWOS)) == expected
    assert checksum(segment(acoustic=TWOS, visual=ONES)) == expected


@pytest.mark.parametrize(
    "other", [{"gaze": TWOS}, {"pose": ONES}, {"acoustic": ONES}, {"gaze": ONES, "pose": ONES}]
)
def test_checksums_tell_names_and_frames_of_other_modalities_apart(other):
    assert checksum(segment(gaze=ONES)) != checksum(segment(**other))


def test_the_modality_that_is_not_aligned_is_named():
    assert unaligned(segment(visual=ONES, gaze=TWOS)) is None
    assert unaligned(segment(gaze=ONES[:1])) == "segment v[0] has 2 words but 1 gaze frames"
