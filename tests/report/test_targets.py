"""What a report shows of classes, of several labels, and of numbers of other ranges."""

from dataclasses import replace

import pytest
import small_predictor
from reported_runs import segments

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.report import comparison, rows
from mmf_cmsbert.report.agreement import agreement
from mmf_cmsbert.report.collected import Collected, Part
from mmf_cmsbert.report.collecting import RunReport
from mmf_cmsbert.report.errors import errors
from mmf_cmsbert.report.predicting import predicted
from mmf_cmsbert.report.spaces import spaces

EMOTION = {"kind": "classes", "names": ["neutral", "joy", "anger"]}
MOODS = {"kind": "multilabel", "names": ["happy", "sad"]}
AROUSAL = {"kind": "regression", "low": 1, "high": 5}


def part_of(name, target):
    given = segments(9)
    if target is EMOTION:
        given = [replace(s, label=float(i % 3)) for i, s in enumerate(given)]
    elif target is MOODS:
        labels = [(1.0, 0.0), (0.0, 0.0), (1.0, 1.0)]
        given = [replace(s, label=None, targets={name: labels[i % 3]}) for i, s in enumerate(given)]
    else:
        given = [replace(s, label=1.0 + i % 5) for i, s in enumerate(given)]
    predictor = small_predictor.made(targets={name: target})
    return predicted(predictor, given, "mosi", "test", {"test": 9}, False), predictor(given)


def cells(chart):
    return [[int(text) for text in row] for row in chart.marks[0].texts]


def test_classes_have_a_confusion_table_and_a_share_of_wrong_answers():
    part, found = part_of("emotion", EMOTION)
    names = EMOTION["names"]
    pairs = [(names[i % 3], each.value) for i, each in enumerate(found)]
    assert [(s.truth, s.answer) for s in part.segments] == pairs
    assert [s.score - s.label for s in part.segments] == [float(t != a) for t, a in pairs]
    (chart,) = agreement(part)
    assert cells(chart) == [[pairs.count((t, a)) for a in names] for t in names]
    by_class, *_ = errors(part)
    assert by_class.y.label == "share of wrong answers" and by_class.x.label == "true emotion"
    shown = rows.row(part.segments[0], [0.0])
    assert (shown["g"], shown["a"]) == pairs[0]


def test_labels_have_found_missed_and_invented_ones():
    part, found = part_of("moods", MOODS)
    (chart,) = agreement(part)
    true = [["happy"], [], ["happy", "sad"]] * 3
    expected = []
    for name in MOODS["names"]:
        both = [(name in t, name in each.value) for t, each in zip(true, found, strict=True)]
        order = [(True, True), (True, False), (False, True), (False, False)]
        expected.append([both.count(each) for each in order])
    assert cells(chart) == expected
    assert errors(part)[0].x.label == "true moods"
    assert all(0 <= s.score <= 1 and s.label == 0 for s in part.segments)


def test_a_number_has_the_scale_of_its_target():
    part, _ = part_of("arousal", AROUSAL)
    scatter, calibration = agreement(part)
    assert [tick for tick, _ in scatter.x.ticks] == [1, 2, 3, 4, 5]
    assert "true arousal" in scatter.title and "arousal" in calibration.title
    by_label, *_ = errors(part)
    assert by_label.y.label == "mean absolute error"
    assert all("sentiment" not in each.reading for each in spaces(part))


def test_runs_of_classes_are_not_compared_as_numbers(tmp_path):
    part, _ = part_of("emotion", EMOTION)
    run = RunReport(tmp_path, {"config": {}}, [], Collected(identity="", parts=[part]))
    with pytest.raises(ConfigError, match="emotion, is one of neutral.*report each run alone"):
        comparison.check([run, run])


def test_what_is_kept_keeps_the_target_and_older_parts_are_of_sentiment():
    part, _ = part_of("emotion", EMOTION)
    assert Part.model_validate_json(part.model_dump_json()) == part
    older = part.model_dump(exclude={"name", "target"})
    assert Part.model_validate(older).is_sentiment
