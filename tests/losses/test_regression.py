"""Regression losses against hand-worked numbers."""

import math

import pytest
import torch

from mmf_cmsbert.losses import sentiment_regression


# Errors 0.5, -2, 0 over three segments.
# l1: (0.5 + 2 + 0) / 3; mse: (0.25 + 4 + 0) / 3;
# smooth_l1: half the square below 1, else the size less a half: (0.125 + 1.5 + 0) / 3.
@pytest.mark.parametrize(
    ("kind", "expected"), [("l1", 2.5 / 3), ("mse", 4.25 / 3), ("smooth_l1", 1.625 / 3)]
)
def test_value_by_hand(kind, expected):
    scores = torch.tensor([[1.5], [-1.0], [3.0]])
    targets = torch.tensor([[1.0], [1.0], [3.0]])
    assert sentiment_regression(scores, targets, kind).item() == pytest.approx(expected)


def test_scores_without_a_column_do_not_broadcast_against_targets_with_one():
    scores, targets = torch.tensor([1.0, 2.0]), torch.tensor([[1.0], [4.0]])
    # (0 + 2) / 2; broadcast to (2, 2) it would be (0 + 3 + 1 + 2) / 4.
    assert sentiment_regression(scores, targets, "l1").item() == 1.0


def test_unknown_targets_are_left_out_of_value_and_gradient():
    scores = torch.tensor([[1.0], [5.0], [2.0]], requires_grad=True)
    targets = torch.tensor([[0.0], [math.nan], [0.0]])
    loss = sentiment_regression(scores, targets, "l1")
    loss.backward()
    assert loss.item() == 1.5
    assert scores.grad.flatten().tolist() == [0.5, 0.0, 0.5]


def test_no_known_target_gives_zero_that_can_be_propagated():
    scores = torch.tensor([[1.0], [5.0]], requires_grad=True)
    loss = sentiment_regression(scores, torch.full((2, 1), math.nan), "mse")
    loss.backward()
    assert loss.item() == 0.0
    assert scores.grad.flatten().tolist() == [0.0, 0.0]


def test_half_precision_scores_are_compared_in_float32():
    scores = torch.tensor([[1.0]], dtype=torch.bfloat16)
    loss = sentiment_regression(scores, torch.tensor([[1.001]]), "l1")
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(0.001, rel=1e-3)


@pytest.mark.parametrize(
    ("scores", "targets", "message"),
    [
        (torch.zeros(4, 7), torch.zeros(4, 1), r"\(4, 7\)"),
        (torch.zeros(4, 1), torch.zeros(4, 2), r"\(4, 2\)"),
        (torch.zeros(4), torch.zeros(3), "4 predictions for 3 labels"),
    ],
)
def test_shapes_that_do_not_match_are_errors(scores, targets, message):
    with pytest.raises(ValueError, match=message):
        sentiment_regression(scores, targets)


def test_another_kind_is_an_error_that_lists_the_kinds():
    with pytest.raises(ValueError, match="'l3', expected one of l1, mse, smooth_l1"):
        sentiment_regression(torch.zeros(2), torch.zeros(2), "l3")


@pytest.mark.parametrize("kind", ["l1", "mse", "smooth_l1"])
def test_no_value_is_needed_to_ask_for_it(kind):
    # Meta tensors have no values, so reading one would fail, as it would wait for a GPU.
    scores, targets = torch.empty(2, 5, 1, device="meta")
    assert sentiment_regression(scores, targets, kind).shape == ()
