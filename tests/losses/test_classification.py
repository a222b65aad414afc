"""Cross entropy on sentiment classes against hand-worked numbers."""

import math

import pytest
import torch

from mmf_cmsbert.losses import sentiment_cross_entropy


def test_two_classes_by_hand():
    # Class 1 is y >= 0. Logits (0, 1): log(1 + e) = 1.313262 is the loss of class 0,
    # 0.313262 that of class 1. Targets -0.2 and 0.0 are classes 0 and 1.
    logits = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    targets = torch.tensor([[-0.2], [0.0]])
    loss = sentiment_cross_entropy(logits, targets)
    assert loss.item() == pytest.approx((1.313262 + 0.313262) / 2, abs=1e-6)


def test_smoothing_by_hand():
    # eps = 0.2 over 2 classes: 0.9 * 0.313262 + 0.1 * 1.313262.
    loss = sentiment_cross_entropy(torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0]]), 0.2)
    assert loss.item() == pytest.approx(0.413262, abs=1e-6)


def test_seven_classes_start_at_minus_three():
    logits = torch.zeros(3, 7)
    logits[0, 0] = logits[1, 3] = logits[2, 6] = 100.0
    targets = torch.tensor([[-3.0], [0.4], [2.6]])
    assert sentiment_cross_entropy(logits, targets).item() == pytest.approx(0.0, abs=1e-6)


def test_unknown_targets_are_left_out():
    logits = torch.tensor([[0.0, 1.0], [5.0, -5.0]], requires_grad=True)
    loss = sentiment_cross_entropy(logits, torch.tensor([[1.0], [math.nan]]), 0.2)
    loss.backward()
    assert loss.item() == pytest.approx(0.413262, abs=1e-6)
    assert logits.grad[1].tolist() == [0.0, 0.0]


def test_no_known_target_gives_zero_that_can_be_propagated():
    logits = torch.randn(2, 7, requires_grad=True)
    loss = sentiment_cross_entropy(logits, torch.full((2, 1), math.nan), 0.1)
    loss.backward()
    assert loss.item() == 0.0
    assert not logits.grad.any()


@pytest.mark.parametrize(
    ("logits", "targets", "message"),
    [
        (torch.zeros(4, 3), torch.zeros(4, 1), "2, 5 or 7 classes, not 3"),
        (torch.zeros(4), torch.zeros(4, 1), r"\(batch, classes\)"),
        (torch.zeros(4, 7), torch.zeros(3, 1), r"\(3, 1\)"),
    ],
)
def test_wrong_shapes_are_errors(logits, targets, message):
    with pytest.raises(ValueError, match=message):
        sentiment_cross_entropy(logits, targets)
