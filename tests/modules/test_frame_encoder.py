"""The encoder of visual and acoustic frames."""

import math

import pytest
import torch

from mmf_cmsbert.modules.frame_encoder import FrameEncoder, sinusoidal_positions


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_padding_frames_change_nothing(layers):
    torch.manual_seed(0)
    encoder = FrameEncoder({"mosi": 5}, dim=8, layers=layers, heads=2).eval()
    frames = torch.randn(2, 6, 5)
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    encoded = encoder(frames, mask, "mosi")
    alone = encoder(frames[1:, :4], mask[1:, :4], "mosi")
    torch.testing.assert_close(encoded[1:, :4], alone, atol=1e-6, rtol=1e-5)


def test_a_segment_without_frames_stays_finite_forward_and_backward():
    encoder = FrameEncoder({"mosi": 5}, dim=8, heads=2)
    mask = torch.tensor([[False] * 3, [True] * 3])
    encoded = encoder(torch.zeros(2, 3, 5), mask, "mosi")
    encoded.sum().backward()
    assert torch.isfinite(encoded).all()
    assert all(torch.isfinite(p.grad).all() for p in encoder.parameters())


def test_datasets_of_different_widths_share_everything_but_the_first_map():
    encoder = FrameEncoder({"mosi": 47, "mosei": 35}, dim=8, heads=2)
    mask = torch.ones(1, 2, dtype=torch.bool)
    assert encoder(torch.randn(1, 2, 47), mask, "mosi").shape == (1, 2, 8)
    assert encoder(torch.randn(1, 2, 35), mask, "mosei").shape == (1, 2, 8)
    per_dataset = [n for n, _ in encoder.named_parameters() if "mosi" in n or "mosei" in n]
    assert sorted(n.split(".")[0] for n in per_dataset) == ["project"] * 4


@pytest.mark.parametrize("dim", [6, 7])
def test_positions_are_sines_and_cosines_in_turn(dim):
    positions = sinusoidal_positions(9, dim, torch.zeros(1))
    for t in (0, 1, 8):
        for d in range(dim):
            angle = t / 10000 ** (2 * (d // 2) / dim)
            expected = math.sin(angle) if d % 2 == 0 else math.cos(angle)
            assert positions[t, d].item() == pytest.approx(expected, abs=1e-5)
