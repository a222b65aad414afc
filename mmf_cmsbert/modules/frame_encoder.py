"""Encoder of the visual or acoustic frames of an utterance."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmf_cmsbert.modules.dataset_linear import DatasetLinear


def sinusoidal_positions(length: int, dim: int, like: Tensor) -> Tensor:
    """Return sinusoidal positions ``(length, dim)`` (Vaswani et al., 2017, section 3.5)."""
    position = torch.arange(length, device=like.device, dtype=torch.float32).unsqueeze(1)
    half = (dim + 1) // 2
    step = torch.arange(half, device=like.device, dtype=torch.float32)
    angle = position * torch.exp(step * (-math.log(10000.0) * 2 / dim))
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1)[:, :dim].to(like.dtype)


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
        self.project = DatasetLinear(widths, dim)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                dim, heads, 4 * dim, dropout, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        # Ends the pre-norm stack; without layers it bounds the projected features.
        self.norm = nn.LayerNorm(dim)

    def forward(self, frames: Tensor, mask: Tensor, dataset: str) -> Tensor:
        """Encode the frames of a batch.

        Args:
            frames: ``(batch, frames, width)``.
            mask: true for recorded frames, ``(batch, frames)``. The caller must ignore the output
                of a segment without frames: it is finite but arbitrary.
            dataset: the dataset that the batch comes from.

        Returns:
            ``(batch, frames, dim)``.
        """
        hidden = self.project(frames, dataset)
        hidden = hidden + sinusoidal_positions(hidden.size(1), hidden.size(2), hidden)
        # Attention over no frames is 0/0, so such segments attend to all positions instead.
        ignored = ~mask & mask.any(1, keepdim=True)
        for layer in self.layers:
            hidden = layer(hidden, src_key_padding_mask=ignored)
        return self.norm(hidden)
