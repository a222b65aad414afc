"""Pairing of predictions and labels: shapes and unknown labels."""

import math

import pytest
import torch

from mmf_cmsbert.metrics import known_segments


@pytest.mark.parametrize("prediction_shape", [(3,), (3, 1)])
@pytest.mark.parametrize("label_shape", [(3,), (3, 1)])
def test_a_column_is_the_same_as_none(prediction_shape, label_shape):
    predictions = torch.tensor([1.0, 2.0, 3.0]).reshape(prediction_shape)
    labels = torch.tensor([0.0, math.nan, -1.0]).reshape(label_shape)
    predictions, labels = known_segments(predictions, labels)
    assert predictions.tolist() == [1.0, 3.0]
    assert labels.tolist() == [0.0, -1.0]


@pytest.mark.parametrize(
    ("predictions", "labels", "message"),
    [
        (torch.zeros(3, 7), torch.zeros(3, 1), r"predictions have shape \(3, 7\)"),
        (torch.zeros(3), torch.zeros(3, 1, 1), r"labels have shape \(3, 1, 1\)"),
        (torch.zeros(()), torch.zeros(3), r"predictions have shape \(\)"),
        (torch.zeros(3), torch.zeros(4), "3 predictions for 4 labels"),
        (torch.zeros(0), torch.zeros(0), "no segments"),
    ],
)
def test_other_shapes_are_errors(predictions, labels, message):
    with pytest.raises(ValueError, match=message):
        known_segments(predictions, labels)
