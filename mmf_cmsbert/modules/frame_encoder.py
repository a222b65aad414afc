"""Encoder of the visual or acoustic frames of an utterance."""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmf_cmsbert.modules.attention import SegmentAttention
from mmf_cmsbert.modules.dataset_linear import DatasetLinear
from mmf_cmsbert.modules.packing import Layout, Padding

# Frames from which on the widest states of a layer are computed again in the backward pass: a
# batch with as many takes seconds, and would need hundreds of megabytes for them.
_LARGE = 2**14


def sinusoidal_positions(length: int, dim: int, like: Tensor) -> Tensor:
    """Return sinusoidal positions ``(length, dim)`` (Vaswani et al., 2017, section 3.5)."""
    position = torch.arange(length, device=like.device, dtype=torch.float32).unsqueeze(1)
    half = (dim + 1) // 2
    step = torch.arange(half, device=like.device, dtype=torch.float32)
    angle = position * torch.exp(step * (-math.log(10000.0) * 2 / dim))
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1)[:, :dim].to(like.dtype)


class FrameLayer(nn.Module):
    """A pre-norm Transformer layer; its weights have the names of ``nn.TransformerEncoderLayer``.

    Args:
        dim: width of the frames.
        heads: attention heads.
        dropout: probability of dropping an attention weight, or an element of a state.
    """

    def __init__(self, dim: int, heads: int, dropout: float):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(dim, heads, dropout)
        self.linear1 = nn.Linear(dim, 4 * dim)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(4 * dim, dim)
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.dropout1, self.dropout2 = nn.Dropout(dropout), nn.Dropout(dropout)

    def forward(self, row: Tensor, attention: SegmentAttention) -> Tensor:
        """Encode frames ``(all, dim)`` that attend to the frames of their segment."""
        weights = self.self_attn
        states = F.linear(self.norm1(row), weights.in_proj_weight, weights.in_proj_bias)
        query, key, value = states.unflatten(-1, (3, attention.heads, -1)).unbind(1)
        attended = attention(query, key, value, weights.dropout if self.training else 0.0)
        row = row + self.dropout1(weights.out_proj(attended.flatten(1)))
        if torch.is_grad_enabled() and len(row) >= _LARGE:
            return row + checkpoint(self._feed_forward, row, use_reentrant=False)
        return row + self._feed_forward(row)

    def _feed_forward(self, row: Tensor) -> Tensor:
        hidden = self.dropout(F.gelu(self.linear1(self.norm2(row))))
        return self.dropout2(self.linear2(hidden))


class FrameEncoder(nn.Module):
    """``u^m``: a small pre-norm Transformer over frames and positions (our interpretation).

    Args:
        widths: dataset -> width of a frame.
        dim: width of the encoded frames.
        layers: number of Transformer layers; with 0 the frames are only projected and normalised.
        heads: attention heads.
        dropout: dropout inside the layers.
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        dim: int = 64,
        layers: int = 1,
        heads: int = 4,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.heads = heads
        self.project = DatasetLinear(widths, dim)
        self.layers = nn.ModuleList(FrameLayer(dim, heads, dropout) for _ in range(layers))
        # Ends the pre-norm stack; without layers it bounds the projected features.
        self.norm = nn.LayerNorm(dim)

    def forward(self, frames: Tensor, mask: Tensor, dataset: str) -> Tensor:
        """Encode padded frames.

        Args:
            frames: ``(batch, frames, width)``.
            mask: true for recorded frames, ``(batch, frames)``. The caller must ignore the output
                of a segment without frames: it is finite but arbitrary.
            dataset: the dataset that the batch comes from.

        Returns:
            ``(batch, frames, dim)``.
        """
        layout = Padding(mask)
        return layout.pad(self.encode_row(layout.pack(frames), layout, dataset))

    def encode_row(self, frames: Tensor, layout: Layout, dataset: str) -> Tensor:
        """Encode the frames of a batch that lie in a row.

        Args:
            frames: ``(all frames, width)``.
            layout: their layout. The caller must ignore the output for padding.
            dataset: the dataset that the batch comes from.

        Returns:
            ``(all frames, dim)``.
        """
        hidden = self.project(frames, dataset)
        table = sinusoidal_positions(layout.mask.size(1), hidden.size(1), hidden)
        hidden = hidden + table.index_select(0, layout.positions)
        if self.layers:
            attention = SegmentAttention(layout, layout, self.heads)
            for layer in self.layers:
                hidden = layer(hidden, attention)
        return self.norm(hidden)
