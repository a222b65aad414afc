"""The encoder of visual and acoustic frames."""

import math

import pytest
import torch

from mmf_cmsbert.modules import frame_encoder
from mmf_cmsbert.modules.frame_encoder import FrameEncoder, sinusoidal_positions
from mmf_cmsbert.modules.packing import Packing, Padding


def encode(encoder, frames, mask, dataset="mosi", kind=Packing):
    """Encode padded frames."""
    if kind is Padding:
        return encoder(frames, mask, dataset)
    layout = kind(mask)
    return layout.pad(encoder.encode_row(layout.pack(frames), layout, dataset))


@pytest.mark.parametrize("kind", [Packing, Padding])
@pytest.mark.parametrize("layers", [0, 1, 2])
def test_padding_frames_change_nothing(layers, kind):
    torch.manual_seed(0)
    encoder = FrameEncoder({"mosi": 5}, dim=8, layers=layers, heads=2).eval()
    frames = torch.randn(2, 6, 5)
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    encoded = encode(encoder, frames, mask, kind=kind)
    alone = encode(encoder, frames[1:, :4], mask[1:, :4], kind=kind)
    torch.testing.assert_close(encoded[1:, :4], alone, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", [Packing, Padding])
@pytest.mark.parametrize("present", [True, False])
def test_a_segment_without_frames_stays_finite_forward_and_backward(kind, present):
    encoder = FrameEncoder({"mosi": 5}, dim=8, heads=2)
    mask = torch.tensor([[False] * 3, [present] * 3])
    encoded = encode(encoder, torch.zeros(2, 3, 5), mask, kind=kind)
    encoded.sum().backward()
    assert torch.isfinite(encoded).all()
    assert all(torch.isfinite(p.grad).all() for p in encoder.parameters())


def test_datasets_of_different_widths_share_everything_but_the_first_map():
    encoder = FrameEncoder({"mosi": 47, "mosei": 35}, dim=8, heads=2)
    mask = torch.ones(1, 2, dtype=torch.bool)
    assert encode(encoder, torch.randn(1, 2, 47), mask, "mosi").shape == (1, 2, 8)
    assert encode(encoder, torch.randn(1, 2, 35), mask, "mosei").shape == (1, 2, 8)
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


@pytest.mark.parametrize("kind", [Packing, Padding])
def test_it_computes_what_torchs_own_encoder_layers_compute_with_the_same_weights(kind):
    torch.manual_seed(0)
    encoder = FrameEncoder({"mosi": 5}, dim=8, heads=2, layers=2)
    frames = torch.randn(3, 6, 5)
    mask = torch.arange(6) < torch.tensor([[6], [2], [4]])
    hidden = encoder.project(frames, "mosi") + sinusoidal_positions(6, 8, frames)
    for each in encoder.layers:
        layer = torch.nn.TransformerEncoderLayer(
            8, 2, 32, activation="gelu", batch_first=True, norm_first=True
        )
        layer.load_state_dict(each.state_dict())  # checkpoints keep their names
        hidden = layer.eval()(hidden, src_key_padding_mask=~mask)
    expected = encoder.norm(hidden)
    torch.testing.assert_close(
        encode(encoder.eval(), frames, mask, kind=kind)[mask], expected[mask], atol=1e-5, rtol=1e-5
    )


def test_many_frames_have_the_gradients_of_few(monkeypatch):
    frames, mask = torch.randn(2, 6, 5), torch.ones(2, 6, dtype=torch.bool)
    gradients = []
    for large in (2**14, 1):  # the second computes states again
        monkeypatch.setattr(frame_encoder, "_LARGE", large)
        torch.manual_seed(0)
        encoder = FrameEncoder({"mosi": 5}, dim=8, heads=2, dropout=0.3)
        encode(encoder, frames, mask).square().sum().backward()
        gradients.append([p.grad for p in encoder.parameters()])
    torch.testing.assert_close(*gradients)
