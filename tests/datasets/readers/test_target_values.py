"""Labels of targets from names, lists and numbers, and from the metadata of segments."""

import math
from dataclasses import replace

import numpy as np
import pytest

from mmf_cmsbert.config.schemas.targets import ClassesTarget, MultilabelTarget, RegressionTarget
from mmf_cmsbert.datasets.readers.target_values import values_of, with_targets
from mmf_cmsbert.errors import SegmentError
from mmf_cmsbert.predictor.inputs import as_segment

EMOTION = ClassesTarget(kind="classes", names=["Neutral", "joy", "anger"])
EMOTIONS = MultilabelTarget(kind="multilabel", names=["happy", "sad", "anger"])
AROUSAL = RegressionTarget(low=1, high=5)


@pytest.mark.parametrize(
    ("value", "target", "expected"),
    [
        (2.5, AROUSAL, (2.5,)),
        (" 2.5 ", AROUSAL, (2.5,)),
        (np.array([2.5], np.float32), AROUSAL, (2.5,)),
        ("JOY", EMOTION, (1.0,)),
        (" neutral", EMOTION, (0.0,)),
        (2, EMOTION, (2.0,)),
        ("2", EMOTION, (2.0,)),
        (True, EMOTION, (1.0,)),
        (np.int64(1), EMOTION, (1.0,)),
        ([1, 0, 1], EMOTIONS, (1.0, 0.0, 1.0)),
        (np.array([0, 1, 1]), EMOTIONS, (0.0, 1.0, 1.0)),
        (["anger", "Happy"], EMOTIONS, (1.0, 0.0, 1.0)),
        ("sad, anger", EMOTIONS, (0.0, 1.0, 1.0)),
        ("sad", EMOTIONS, (0.0, 1.0, 0.0)),
        ([], EMOTIONS, (0.0, 0.0, 0.0)),
        ({"sad": 1, "happy": 0, "anger": 0}, EMOTIONS, (0.0, 1.0, 0.0)),
        (["1", "0", "0"], EMOTIONS, (1.0, 0.0, 0.0)),
        (None, EMOTION, None),
        ("", EMOTION, None),
        (math.nan, AROUSAL, None),
        (None, EMOTIONS, None),
    ],
)
def test_values_are_read_in_every_usual_form(value, target, expected):
    assert values_of(value, "its", target, "here") == expected


def test_an_unknown_one_of_several_labels_is_nan():
    assert str(values_of([1, None, 0], "emotions", EMOTIONS, "here")) == "(1.0, nan, 0.0)"


@pytest.mark.parametrize(
    ("value", "target", "message"),
    [
        (
            "joyy",
            EMOTION,
            "here: its is 'joyy'; expected one of Neutral, joy, anger, or its number",
        ),
        ("high", AROUSAL, r"its is 'high'; expected a number in \[1, 5\]"),
        ([1, 0], EMOTIONS, "expected 0 or 1 for each of happy, sad, anger, as a list or separated"),
        ("happy, bored", EMOTIONS, "its is 'happy, bored'; expected 0 or 1 for each"),
        (3, EMOTIONS, "its is .*3.*; expected 0 or 1"),
        ([[1], [0], [1]], EMOTIONS, "expected 0 or 1"),
    ],
)
def test_other_values_are_refused_with_the_place(value, target, message):
    with pytest.raises(SegmentError, match=message):
        values_of(value, "its", target, "here")


def found(targets, label=None, metadata=None, own=None):
    segment = as_segment({"id": "a", "text": "hi", "label": label})
    segment = replace(segment, metadata=metadata or {}, targets=own or {})
    (result,) = with_targets([segment], targets, "file")
    if isinstance(result, SegmentError):
        raise result
    return result.label, dict(result.targets), dict(result.metadata)


TARGETS = {"sentiment": RegressionTarget(low=-1, high=1), "emotion": EMOTION, "moods": EMOTIONS}


def test_further_targets_are_found_by_their_names_and_the_names_of_labels():
    metadata = {"Emotion": "joy", "happy": 1, "sad": 0, "anger": 1, "speaker": "F"}
    assert found(TARGETS, 0.5, metadata) == (
        0.5,
        {"emotion": (1.0,), "moods": (1.0, 0.0, 1.0)},
        {"speaker": "F"},
    )


def test_the_main_target_is_found_by_its_name():
    assert found({"emotion": EMOTION}, None, {"emotion": "anger"}) == (2.0, {}, {})
    label, further, _ = found({"moods": EMOTIONS}, 0.5, {"moods": "sad"})
    assert label is None and further == {"moods": (0.0, 1.0, 0.0)}


def test_what_the_layout_found_stays():
    assert found(TARGETS, 0.5, {"emotion": "joy"}, {"emotion": (2.0,)})[1] == {"emotion": (2.0,)}


def test_targets_without_a_field_are_unknown():
    assert found(TARGETS, 0.5, {"happy": 1}) == (0.5, {}, {"happy": 1})


def test_a_wrong_value_costs_its_segment_only():
    with pytest.raises(SegmentError, match="file: segment a: emotion is 'fine'; expected one of"):
        found(TARGETS, 0.5, {"emotion": "fine"})
