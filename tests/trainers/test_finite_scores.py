"""Scores that are not finite cause an error in an evaluation."""

import math

import pytest

from mmf_cmsbert.errors import DataError


def broken(toy, monkeypatch, value):
    forward = toy.ToyModel.forward

    def scores_broken(self, sample_list):
        output = forward(self, sample_list)
        if sample_list.dataset_type == "test":
            output["scores"] = output["scores"] * value
        return output

    monkeypatch.setattr(toy.ToyModel, "forward", scores_broken)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_evaluation_says_how_many_scores_are_not_finite(toy, tmp_path, monkeypatch, value):
    broken(toy, monkeypatch, value)
    with pytest.raises(DataError, match=r"NaN or infinite \(\d of 7 values, test split of toy_a"):
        toy.run(tmp_path, "training.max_updates=2")
