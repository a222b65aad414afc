"""Scores of several labels against the papers' formula, hand-worked numbers and scikit-learn."""

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn

from mmf_cmsbert.metrics import MULTILABEL_METRICS

# Column 0: P = 2, N = 6, TP = 1, TN = 4. Column 1: never true. Column 2: unknown.
TRUE = torch.tensor(
    [[1, 0], [1, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0]], dtype=torch.float
)
TRUE = torch.cat([TRUE, torch.full((8, 1), math.nan)], 1)
PREDICTED = torch.tensor([[1, 0], [0, 1], [1, 0], [1, 0], [0, 0], [0, 0], [0, 0], [0, 0]])
LOGITS = torch.cat([PREDICTED * 2.0 - 1, torch.zeros(8, 1)], 1)


def score(name, logits=LOGITS, labels=TRUE):
    return MULTILABEL_METRICS[f"multilabel_{name}"](logits, labels)


def test_hand_worked():
    positives, negatives, tp, tn = 2, 6, 1, 4
    weighted, never, unknown = score("accuracy_weighted")
    assert weighted == pytest.approx((tp * negatives / positives + tn) / (2 * negatives))
    assert never == pytest.approx(7 / 8)  # the recall of not having it
    assert math.isnan(unknown)
    assert score("accuracy")[:2] == pytest.approx([5 / 8, 7 / 8])
    # F1 of having it: 2 * 1 / (2 + 3); of not having it: 2 * 4 / (6 + 5).
    assert score("f1")[0] == pytest.approx(2 / 5)
    assert score("f1_weighted")[0] == pytest.approx((2 * 2 / 5 + 6 * 8 / 11) / 8)
    assert score("f1")[1] == 0


def papers_weighted_accuracy(true, found):
    """The formula, with plain loops."""
    tp = sum(t == 1 and f == 1 for t, f in zip(true, found, strict=True))
    tn = sum(t == 0 and f == 0 for t, f in zip(true, found, strict=True))
    p, n = sum(true), len(true) - sum(true)
    return (tp * (n / p) + tn) / (2 * n)


def test_as_the_formula_and_scikit_learn_on_random_answers():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(200, 6)), rng.random((200, 6)) < 0.2
    found = logits > 0
    expected = {
        "accuracy_weighted": papers_weighted_accuracy,
        "accuracy": sklearn.accuracy_score,
        "f1": sklearn.f1_score,
        "f1_weighted": lambda true, own: sklearn.f1_score(true, own, average="weighted"),
    }
    for name, function in expected.items():
        values = score(name, torch.tensor(logits), torch.tensor(labels).float())
        columns = range(6)
        assert values == pytest.approx([function(labels[:, i], found[:, i]) for i in columns])


def test_unknown_labels_are_left_out_one_by_one():
    labels = TRUE.clone()
    labels[2:4, 0] = math.nan
    assert score("accuracy", labels=labels)[:2] == pytest.approx([5 / 6, 7 / 8])


def test_a_nan_score_is_wrong():
    logits = LOGITS.clone()
    logits[0, 0] = logits[7, 1] = math.nan
    assert score("accuracy", logits)[:2] == pytest.approx([4 / 8, 6 / 8])


def test_other_shapes_are_errors():
    with pytest.raises(ValueError, match=r"scores have shape \(8, 3\) and labels \(8,\)"):
        score("f1", labels=TRUE[:, 0])
