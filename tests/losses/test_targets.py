"""Losses of classes and of several labels against torch's own, and class weights."""

import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F

from mmf_cmsbert.losses import (
    balanced_class_weights,
    balanced_positive_weights,
    class_cross_entropy,
    multilabel_cross_entropy,
)

LOGITS = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
CLASSES = torch.tensor([0, 2, 1, 2, 2, 0])
LABELS = torch.tensor([[1, 0, 0], [0, 0, 1], [1, 1, 0], [0, 0, 0], [0, 1, 1], [1, 1, 1.0]])
WEIGHTS = torch.tensor([0.5, 2.0, 1.0])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_known_classes_get_the_cross_entropy_of_torch(smoothing, weights):
    labels = CLASSES.clone()
    labels[1], labels[4] = -1, -100
    known = labels >= 0
    expected = F.cross_entropy(LOGITS[known], labels[known], weights, label_smoothing=smoothing)
    found = class_cross_entropy(LOGITS, labels, smoothing, weights)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    column = class_cross_entropy(LOGITS, labels[:, None], smoothing, weights)
    assert torch.equal(column, found)


def test_without_any_known_label_the_loss_is_0_and_has_gradients():
    logits = LOGITS.clone().requires_grad_()
    for weights in (None, WEIGHTS):
        class_cross_entropy(logits, torch.full((6,), -1), 0.1, weights).backward()
    multilabel_cross_entropy(logits, torch.full((6, 3), math.nan)).backward()
    assert torch.equal(logits.grad, torch.zeros(6, 3))


def test_known_labels_get_the_binary_cross_entropy_of_torch():
    labels = LABELS.clone()
    labels[0, 0] = labels[3, 2] = math.nan
    known = ~labels.isnan()
    each = F.binary_cross_entropy_with_logits(
        LOGITS, labels.nan_to_num(), pos_weight=WEIGHTS, reduction="none"
    )
    found = multilabel_cross_entropy(LOGITS, labels, positive_weights=WEIGHTS)
    assert found.item() == pytest.approx(each[known].mean().item(), rel=1e-6)


def test_smoothing_moves_both_answers_towards_one_half():
    found = multilabel_cross_entropy(LOGITS, LABELS, 0.2)
    expected = F.binary_cross_entropy_with_logits(LOGITS, LABELS * 0.8 + 0.1)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)


def test_balanced_classes_have_the_weights_of_scikit_learn():
    expected = compute_class_weight("balanced", classes=np.arange(3), y=CLASSES.numpy())
    assert balanced_class_weights([2, 1, 3]).numpy() == pytest.approx(expected)
    assert balanced_class_weights([2, 0, 2])[1] == 0


def test_balanced_labels_weigh_negatives_over_positives():
    assert balanced_positive_weights([3, 0, 6], [6, 6, 6]).tolist() == [1, 1, 1]
    assert balanced_positive_weights([2], [8]).tolist() == [3]


@pytest.mark.parametrize(
    ("loss", "labels", "message"),
    [
        (class_cross_entropy, CLASSES[:5], r"scores have shape \(6, 3\) and labels \(5,\)"),
        (class_cross_entropy, LABELS, r"labels \(6, 3\), expected \(batch, classes\)"),
        (class_cross_entropy, CLASSES.float(), "labels are torch.float32; expected class indices"),
        (multilabel_cross_entropy, CLASSES, r"labels \(6,\), expected \(batch, labels\)"),
    ],
)
def test_shapes_that_do_not_fit_are_errors(loss, labels, message):
    with pytest.raises(ValueError, match=message):
        loss(LOGITS, labels)
