"""Scores of classes against hand-worked numbers, and against scikit-learn on random answers."""

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn

from mmf_cmsbert.metrics import CLASS_METRICS

# True:      0 0 0 0 1 1 2 2; class 3 does not occur.
# Predicted: 0 0 0 1 1 0 2 3
TRUE = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
PREDICTED = torch.tensor([0, 0, 0, 1, 1, 0, 2, 3])
LOGITS = torch.nn.functional.one_hot(PREDICTED, 4).float()


def score(name, logits=LOGITS, labels=TRUE):
    return CLASS_METRICS[f"class_{name}"](logits, labels)


def test_hand_worked():
    assert score("accuracy") == pytest.approx(5 / 8)
    # F1: class 0 3/4, class 1 1/2, class 2 2/3, class 3 0 (predicted once, never true).
    assert score("f1_weighted") == pytest.approx((4 * 3 / 4 + 2 * 1 / 2 + 2 * 2 / 3) / 8)
    assert score("f1_macro") == pytest.approx((3 / 4 + 1 / 2 + 2 / 3 + 0) / 4)
    # Recall: 3/4, 1/2, 1/2; class 3 does not occur.
    assert score("recall_macro") == pytest.approx((3 / 4 + 1 / 2 + 1 / 2) / 3)


def test_as_scikit_learn_on_random_answers():
    rng = np.random.default_rng(0)
    for _ in range(20):
        logits, labels = torch.tensor(rng.normal(size=(50, 5))), rng.integers(0, 5, 50)
        found = logits.argmax(1).numpy()
        expected = {
            "accuracy": sklearn.accuracy_score(labels, found),
            "f1_weighted": sklearn.f1_score(labels, found, average="weighted"),
            "f1_macro": sklearn.f1_score(labels, found, average="macro"),
            "recall_macro": sklearn.recall_score(labels, found, average="macro"),
        }
        for name, value in expected.items():
            assert score(name, logits, torch.tensor(labels)[:, None]) == pytest.approx(value)


def test_unknown_classes_are_left_out():
    labels, rest = TRUE.clone(), torch.arange(8) % 2 == 0
    labels[~rest] = -1
    for name in ("accuracy", "f1_weighted", "f1_macro", "recall_macro"):
        assert score(name, labels=labels) == score(name, LOGITS[rest], TRUE[rest])
        assert math.isnan(score(name, labels=torch.full((8,), -100)))


def test_a_nan_score_is_wrong_and_no_class_of_its_own():
    logits = LOGITS.clone()
    logits[0, 3] = math.nan
    assert score("accuracy", logits) == pytest.approx(4 / 8)
    # Class 0: 2 true positives, 1 false positive, 2 false negatives.
    expected = (4 / 7 + 1 / 2 + 2 / 3 + 0) / 4
    assert score("f1_macro", logits) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (LOGITS[:, 0], TRUE, r"scores have shape \(8,\)"),
        (LOGITS, TRUE[:3], r"labels \(3,\)"),
        (LOGITS, TRUE.float(), "expected class indices"),
    ],
)
def test_other_shapes_are_errors(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        score("accuracy", logits, labels)
