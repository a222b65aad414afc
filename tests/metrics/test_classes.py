"""Conversion of sentiment to classes, including halves."""

import math

import pytest
import torch

from mmf_cmsbert.metrics import UNKNOWN, sentiment_class


def test_seven_classes_round_half_to_even_after_clipping():
    sentiment = torch.tensor([-9.0, -2.5, -1.5, -0.5, 0.0, 0.5, 1.5, 2.5, 2.51, 4.0])
    rounded = [-3, -2, -2, 0, 0, 0, 2, 2, 3, 3]
    assert sentiment_class(sentiment, 7).tolist() == [r + 3 for r in rounded]


def test_five_classes_clip_at_two():
    sentiment = torch.tensor([-3.0, -1.5, -0.5, 0.5, 1.5, 2.4, 3.0])
    rounded = [-2, -2, 0, 0, 2, 2, 2]
    assert sentiment_class(sentiment, 5).tolist() == [r + 2 for r in rounded]


def test_two_classes_count_zero_as_non_negative():
    assert sentiment_class(torch.tensor([-0.001, -0.0, 0.0, 0.2]), 2).tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize("classes", [2, 5, 7])
def test_nan_is_unknown(classes):
    assert sentiment_class(torch.tensor([[math.nan]]), classes).tolist() == [[UNKNOWN]]


def test_another_number_of_classes_is_an_error():
    with pytest.raises(ValueError, match="not 3"):
        sentiment_class(torch.zeros(2), 3)
