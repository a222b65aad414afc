"""Scaling of frames by constants of their dataset."""

import pytest
import torch

from mmf_cmsbert.modules.frame_scale import FrameScale


def test_is_the_identity_until_told_otherwise():
    frames = torch.randn(2, 3, 4)
    assert torch.equal(FrameScale({"mosi": 4})(frames, "mosi"), frames)


def test_each_dataset_has_its_own_constants():
    scale = FrameScale({"mosi": 2, "mosei": 1})
    scale.set("mosi", torch.tensor([1.0, 2.0]), torch.tensor([2.0, 4.0]))
    assert scale(torch.tensor([[[3.0, 2.0]]]), "mosi").tolist() == [[[1.0, 0.0]]]
    assert scale(torch.tensor([[[3.0]]]), "mosei").tolist() == [[[3.0]]]
    with pytest.raises(ValueError, match="1.* for 2 columns"):
        scale.set("mosi", torch.zeros(1), torch.ones(1))


def test_constants_are_saved_and_not_trained():
    scale = FrameScale({"mosi": 2})
    scale.set("mosi", torch.tensor([1.0, 2.0]), torch.tensor([2.0, 4.0]))
    other = FrameScale({"mosi": 2})
    other.load_state_dict(scale.state_dict())
    frames = torch.randn(1, 2, 2)
    assert torch.equal(other(frames, "mosi"), scale(frames, "mosi"))
    assert not list(scale.parameters())
